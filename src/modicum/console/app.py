"""The console as an ASGI application: addresses to pages, pages to HTML and CSV."""

import hashlib
import io
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qsl

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from modicum.calls import UserError
from modicum.calls.containment import contain
from modicum.calls.outside.one_line import one_line
from modicum.console.applying import FormTokens, apply_change
from modicum.console.asking import Asking, LedgerAwayError
from modicum.console.guards import App, RequestGuard
from modicum.console.page import BASES, Content, Page, Table
from modicum.console.pages import PAGES
from modicum.console.view import View, read_view
from modicum.ledger.asking.conditions import COLUMNS
from modicum.reports.spreadsheet import write_csv

STATIC = {
    "console.css": "text/css; charset=utf-8",
    "console.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
MOST_FORM_BYTES = 10_000
TIMES = (("today", "today"), ("7d", "7 days"), ("30d", "30 days"), ("", "all time"))


class Console:
    """Makes the replies.

    Args:
        asking: what pages ask.
        pages: the pages, in the order of the navigation.
    """

    def __init__(self, asking: Asking, pages: Sequence[Page] = PAGES) -> None:
        self._asking = asking
        self._pages = {page.name: page for page in pages}
        self._tokens = FormTokens()
        self._static = {name: _static_file(name) for name in STATIC}
        version = hashlib.sha256(b"".join(self._static.values())).hexdigest()[:12]
        self._templates = Environment(
            loader=PackageLoader("modicum.console"),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=_plain,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(
            pages=list(self._pages.values()),
            times=TIMES,
            bases=BASES,
            dimensions=list(COLUMNS),
            version=version,
            form_token=self._tokens.token,
        )

    @property
    def form_token(self) -> str:
        """What forms of these pages carry."""
        return self._tokens.token

    def routes(self) -> list[Route]:
        return [
            Route("/", self.first),
            Route("/healthz", self.health),
            Route("/static/{name}", self.static),
            Route("/waste/apply", self.apply, methods=["POST"]),
            Route("/{page}", self.page),
            Route("/{page}/{table}.csv", self.csv),
        ]

    def first(self, request: Request) -> Response:
        """The first page, with what the address says."""
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"/{next(iter(self._pages))}{query}", status_code=307)

    def health(self, request: Request) -> Response:  # noqa: ARG002 - the shape of all
        return Response("ok\n", media_type="text/plain")

    def static(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in self._static:
            raise HTTPException(404)
        headers = {"cache-control": "public, max-age=31536000, immutable"}
        return Response(self._static[name], media_type=STATIC[name], headers=headers)

    def page(self, request: Request) -> Response:
        page = self._page_of(request)
        view = self._view_of(request)
        text = self._asking.share_page((page.name, request.url.query), lambda: self._render(page, view))
        return _html(request, text)

    def _render(self, page: Page, view: View) -> str:
        content = page.read(self._asking, view)
        return self._templates.select_template([f"{page.name}.html", "page.html"]).render(
            page=page, view=view, content=content
        )

    def prepare(self) -> None:
        """Makes the first page before anybody asks for it: the first one takes longest. A ledger that is not there yet
        is no fault.
        """
        view = read_view([], self._asking.settings().timezone)
        with contain():
            self._asking.share_page(("overview", ""), lambda: self._render(self._pages["overview"], view))

    def csv(self, request: Request) -> Response:
        page = self._page_of(request)
        table = page.read(self._asking, self._view_of(request)).table(request.path_params["table"])
        if table is None:
            raise HTTPException(404)
        headers = {
            "content-disposition": f'attachment; filename="modicum-{table.name}.csv"',
            "cache-control": "no-store",
        }
        return Response(csv_text(table), media_type="text/csv; charset=utf-8", headers=headers)

    async def apply(self, request: Request) -> Response:
        """Writes a replayed change into the settings, and goes back to the page that showed it."""
        body = await _short_body(request)
        fields = dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=10))
        if not self._tokens.check(fields.get("token", "")):
            raise HTTPException(403, "this form is of an older console: open the page again")
        await run_in_threadpool(apply_change, self._asking, fields.get("what_if", ""))
        back = fields.get("back", "?")
        return RedirectResponse(f"/waste{back if back.startswith('?') else ''}", status_code=303)

    def fault(self, _request: Request, error: Exception) -> Response:
        """What is shown in the place of a page."""
        if isinstance(error, HTTPException):
            status, message = error.status_code, "there is no such page"
            message = message if status == 404 else error.detail
        else:
            status, message = (503 if isinstance(error, LedgerAwayError) else 400), str(error)
        template = self._templates.get_template("fault.html")
        text = template.render(page=None, view=None, content=Content(), status=status, message=message)
        return Response(text, status, media_type="text/html; charset=utf-8", headers={"cache-control": "no-store"})

    def _page_of(self, request: Request) -> Page:
        page = self._pages.get(request.path_params["page"])
        if page is None:
            raise HTTPException(404)
        return page

    def _view_of(self, request: Request) -> View:
        return read_view(request.query_params.multi_items(), self._asking.settings().timezone)


def make_app(console: Console, hosts: frozenset[bytes]) -> App:
    """The console behind its guard. `hosts`: the `Host` headers under which it is spoken to."""
    handlers: Mapping[Any, Callable[[Request, Exception], Response]] = {
        UserError: console.fault,
        HTTPException: console.fault,
    }
    return RequestGuard(Starlette(routes=console.routes(), exception_handlers=handlers), hosts)


def _plain(value: Any) -> Any:
    """Names may hold control characters, and characters that turn the direction of writing: these are spelt out."""
    return one_line(value) if type(value) is str else value


def csv_text(table: Table) -> str:
    """A table as a CSV file: figures without signs and separators, names as they are."""
    stream = io.StringIO()
    rows = [[cell.text if cell.value is None else cell.value for cell in row] for row in table.rows]
    write_csv(stream, table.columns, rows)
    return stream.getvalue()


async def _short_body(request: Request) -> bytes:
    """The body of a form.

    Raises:
        HTTPException: it is longer than any form of ours.
    """
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MOST_FORM_BYTES:
            raise HTTPException(413, "this is longer than any form of the console")
    return body


def _html(request: Request, text: str) -> Response:
    """A page, or word that it is as the browser has it."""
    tag = f'"{hashlib.sha256(text.encode()).hexdigest()[:24]}"'
    headers = {"etag": tag, "cache-control": "no-cache, private"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(text, media_type="text/html; charset=utf-8", headers=headers)


def _static_file(name: str) -> bytes:
    return (files("modicum.console") / "static" / name).read_bytes()
