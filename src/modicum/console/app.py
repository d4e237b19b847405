"""The console as an ASGI application: addresses to pages, pages to HTML and CSV."""

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from modicum.calls import UserError
from modicum.calls.containment import contain
from modicum.console.access.access_file import AccessFile
from modicum.console.access.accounts import Accounts
from modicum.console.access.gate import OPEN, VIEWER, Gate, viewer_of
from modicum.console.access.login import Login
from modicum.console.access.oidc import OidcProvider, ProviderAwayError
from modicum.console.access.sessions import Sessions
from modicum.console.access.viewer import ForbiddenError, Viewer
from modicum.console.acting.addresses import FormAddresses
from modicum.console.acting.erasing import erase
from modicum.console.acting.retention import Retention, read_retention
from modicum.console.api.addresses import ApiAddresses, json_fault
from modicum.console.asking import Asking, LedgerAwayError
from modicum.console.guards import API, App, RequestGuard
from modicum.console.page import Page, Table
from modicum.console.pages import PAGES
from modicum.console.rendering import STATIC, Renderer, html_reply, tagged_reply
from modicum.console.view import View, read_view
from modicum.insights.retention.erasure import Erasure
from modicum.reports.spreadsheet import write_csv
from modicum.settings.editing.changes import ChangedMeanwhileError

NOT_THERE = "there is no such page"
AWAY = (
    "The ledger or the settings cannot be read just now. Nothing is lost: open this page again in a minute. If it "
    "stays so, show this page to whoever runs modicum."
)
WHERE_COMMANDS_ARE = (
    "Commands are typed on the machine that runs modicum: where that is not yours, ask whoever runs it."
)
STATUS: Mapping[type[Exception], int] = {
    LedgerAwayError: 503,
    ProviderAwayError: 503,
    ForbiddenError: 403,
    ChangedMeanwhileError: 409,
}
"""What replies to what cannot be done; all else that a user does wrong is a 400."""


class Console:
    """Makes the replies.

    Args:
        asking: what pages ask.
        pages: the pages, in the order of the navigation.
        port: on which it listens: cookies do not know ports, so that its own has it in its name.
    """

    def __init__(self, asking: Asking, pages: Sequence[Page] = PAGES, port: int = 0) -> None:
        sources = asking.sources
        console = asking.settings().console
        public_url = console.public_url
        is_secure = public_url.startswith("https:")
        self._asking = asking
        self._pages = {page.name: page for page in pages}
        self._renderer = Renderer(pages, is_sample=asking.sources.is_sample)
        self.gate = Gate(
            AccessFile(sources.state),
            Sessions(sources.state, sources.digest_key),
            sources.digest_key,
            "__Host-modicum" if is_secure else f"modicum-{port}",
            urlsplit(public_url).netloc.lower(),
        )
        self._login = Login(
            self.gate,
            self._reply,
            sources.digest_key,
            lambda: asking.settings().console.session_hours,
            is_secure=is_secure,
            oidc=OidcProvider(console.oidc) if console.oidc.issuer else None,
        )
        self._api = ApiAddresses(self.gate, asking, self._pages)
        self._forms = FormAddresses(self.gate, asking, self._reply)
        self._accounts = Accounts(self.gate, self._reply, sources.digest_key, self._read_retention, self._erase)

    def routes(self) -> list[Route]:
        route = self.gate.route
        return [
            route("/", self.first, OPEN),
            route("/healthz", self.health, OPEN),
            route("/static/{name}", self.static, OPEN),
            *self._login.routes(),
            *self._accounts.routes(),
            *self._api.routes(),
            *self._forms.routes(),
            route("/{page}", self.page, VIEWER),
            route("/{page}/{table}.csv", self.csv, VIEWER),
        ]

    def close(self) -> None:
        self.gate.access.close()
        self.gate.sessions.close()

    def first(self, request: Request) -> Response:
        """The first page, with what the address says."""
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"/{next(iter(self._pages))}{query}", status_code=307)

    def health(self, request: Request) -> Response:  # noqa: ARG002 - the shape of all
        return Response("ok\n", media_type="text/plain")

    def static(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in self._renderer.static:
            raise HTTPException(404)
        headers = {"cache-control": "public, max-age=31536000, immutable"}
        return Response(self._renderer.static[name], media_type=STATIC[name], headers=headers)

    def page(self, request: Request) -> Response:
        page, asking, view = self._read_address(request)
        text = asking.share_page((page.name, request.url.query), lambda: self._render(page, asking, view))
        return tagged_reply(request, self._renderer.with_token(text, self.gate.form_token(asking.viewer)))

    def prepare(self) -> None:
        """Makes the first page before anybody asks for it: the first one takes longest. A ledger that is not there yet
        is no fault.
        """
        with contain():
            view = read_view([], self._asking.settings().timezone)
            page = self._pages["overview"]
            self._asking.share_page((page.name, ""), lambda: self._render(page, self._asking, view))

    def csv(self, request: Request) -> Response:
        page, asking, view = self._read_address(request)
        table = page.read(asking, view).table(request.path_params["table"])
        if table is None:
            raise HTTPException(404)
        headers = {
            "content-disposition": f'attachment; filename="modicum-{table.name}.csv"',
            "cache-control": "no-store",
        }
        return Response(csv_text(table), media_type="text/csv; charset=utf-8", headers=headers)

    def fault(self, request: Request, error: Exception) -> Response:
        """What is shown in the place of a page."""
        if isinstance(error, HTTPException):
            status, message = error.status_code, NOT_THERE if error.status_code == 404 else error.detail
        else:
            status, message = STATUS.get(type(error), 400), str(error)
        if request.url.path.startswith(API):
            return json_fault(status, message.replace("\n", " "))
        if isinstance(error, LedgerAwayError):
            message = f"{AWAY}\nFor whoever runs it: {message}"
        elif "'modicum " in message:
            message = f"{message}\n{WHERE_COMMANDS_ARE}"
        return self._reply(request, "fault.html", status, message=message)

    def _reply(self, request: Request, template: str, status: int, **parts: Any) -> Response:
        viewer: Viewer | None = getattr(request.state, "viewer", None)
        text = self._renderer.text([template], viewer, status=status, **parts)
        return html_reply(self._renderer.with_token(text, self.gate.form_token(viewer)), status)

    def _read_retention(self, viewer: Viewer) -> Retention:
        return read_retention(self._asking.for_viewer(viewer))

    def _erase(self, viewer: Viewer, part: str, name: str, again: str) -> Erasure:
        return erase(self._asking.for_viewer(viewer), part, name, again)

    def _render(self, page: Page, asking: Asking, view: View) -> str:
        content = page.read(asking, view)
        names = [f"{page.name}.html", "page.html"]
        return self._renderer.text(names, asking.viewer, page=page, view=view, content=content)

    def _read_address(self, request: Request) -> tuple[Page, Asking, View]:
        """The page, who asks for it, and what that one may see of what the address says."""
        page = self._pages.get(request.path_params["page"])
        if page is None:
            raise HTTPException(404)
        asking = self._asking.for_viewer(viewer_of(request))
        if not page.for_teams:
            asking.reach.insist_on_everything()
        view = read_view(request.query_params.multi_items(), asking.settings().timezone)
        return page, asking, view.with_scope(asking.reach.narrow(view.scope))


def make_app(console: Console, hosts: frozenset[bytes], public_url: str = "") -> App:
    """The console behind its guard.

    Args:
        console: what answers.
        hosts: the `Host` headers under which it is spoken to on this machine.
        public_url: under which a proxy shows it to others; empty: none does.
    """
    handlers: Mapping[Any, Callable[[Request, Exception], Response]] = {
        UserError: console.fault,
        HTTPException: console.fault,
    }
    return RequestGuard(Starlette(routes=console.routes(), exception_handlers=handlers), hosts, public_url)


def csv_text(table: Table) -> str:
    """A table as a CSV file: figures without signs and separators, names as they are."""
    stream = io.StringIO()
    rows = [[cell.text if cell.value is None else cell.value for cell in row] for row in table.rows]
    write_csv(stream, table.columns, rows)
    return stream.getvalue()
