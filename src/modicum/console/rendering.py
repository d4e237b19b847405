"""Templates to text: what all of them take, and what differs from viewer to viewer."""

import hashlib
import secrets
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import Response

from modicum.calls.outside.one_line import one_line
from modicum.console.access.viewer import Viewer
from modicum.console.page import BASES, ON_MACHINE, Content, Page
from modicum.governance.access.tokens import TokenScope
from modicum.governance.access.users import EVERY_TEAM, Role
from modicum.ledger.asking.conditions import COLUMNS

STATIC = {
    "console.css": "text/css; charset=utf-8",
    "console.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
TIMES = (("today", "today"), ("7d", "7 days"), ("30d", "30 days"), ("", "all time"))


class Renderer:
    """Makes pages of templates. Texts can be shared by several viewers: the form token of each is put in last.

    Args:
        pages: the pages, in the order of the navigation.
        is_sample: whether what is shown is the sample shop, which every page says.
    """

    def __init__(self, pages: Sequence[Page], *, is_sample: bool = False) -> None:
        self.static = {name: (files("modicum.console") / "static" / name).read_bytes() for name in STATIC}
        self._token_mark = secrets.token_hex(16)
        self._templates = Environment(
            loader=PackageLoader("modicum.console"),
            autoescape=True,
            undefined=StrictUndefined,
            finalize=_plain,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.globals.update(
            pages=list(pages),
            is_sample=is_sample,
            times=TIMES,
            bases=BASES,
            on_machine=ON_MACHINE,
            dimensions=list(COLUMNS),
            version=hashlib.sha256(b"".join(self.static.values())).hexdigest()[:12],
            form_token=self._token_mark,
            every_team=EVERY_TEAM,
            role=Role,
            scope=TokenScope,
        )

    def text(self, names: Sequence[str], viewer: Viewer | None, **parts: Any) -> str:
        """The text of the first of these templates that there is; `with_token` makes it one viewer's own."""
        template = self._templates.select_template(list(names))
        return template.render(**{"page": None, "view": None, "content": Content(), "viewer": viewer} | parts)

    def with_token(self, text: str, token: str) -> str:
        return text.replace(self._token_mark, token)


def html_reply(text: str, status: int = 200) -> Response:
    """A page that nobody keeps."""
    return Response(text, status, media_type="text/html; charset=utf-8", headers={"cache-control": "no-store"})


def tagged_reply(request: Request, text: str) -> Response:
    """A page, or word that it is as the browser has it."""
    tag = f'"{hashlib.sha256(text.encode()).hexdigest()[:24]}"'
    headers = {"etag": tag, "cache-control": "no-cache, private"}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    return Response(text, media_type="text/html; charset=utf-8", headers=headers)


def _plain(value: Any) -> Any:
    """Names may hold control characters, and characters that turn the direction of writing: these are spelt out."""
    return one_line(value) if type(value) is str else value
