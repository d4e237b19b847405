"""The gate in front of every address: who asks, and whether that one may come in. An address without a rule cannot be
made, and what changes something needs the form token of a page, or a token for programs.
"""

import hashlib
import hmac
import inspect
import secrets
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import parse_qsl, quote

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from modicum.console.access.access_file import AccessFile
from modicum.console.access.sessions import Sessions
from modicum.console.access.viewer import ForbiddenError, Viewer, local_viewer
from modicum.console.guards import SAFE
from modicum.console.page import with_command
from modicum.governance.access.tokens import PREFIX as TOKEN_PREFIX
from modicum.governance.access.tokens import TokenScope
from modicum.governance.access.users import EVERY_TEAM, Role

MOST_FORM_BYTES = 10_000
NO_USERS = with_command(
    "this console is shown to others and has no users yet: ask whoever runs it to add you",
    "modicum user add NAME owner",
)
NO_FORMS = "forms are for people who logged in: a program changes things under /api/v1, within the scopes of its token"
Endpoint = Callable[[Request], Response] | Callable[[Request], Awaitable[Response]]


class AddressRule(NamedTuple):
    """What it takes to come to an address."""

    least: Role | None = Role.VIEWER
    """The role that is needed; None: whoever reaches the console."""
    scope: TokenScope = TokenScope.READ
    """What a token must be for."""
    of_every_team: bool = False
    """Whether the role must hold for all teams; else for some team, and the endpoint says which."""
    for_programs: bool = False
    """Whether it is part of the API, which tokens open and sessions do not: no page of another site can use it."""


OPEN = AddressRule(least=None)
VIEWER = AddressRule()


class Gate:
    """Lets requests come to their endpoints.

    Args:
        access: users and tokens.
        sessions: who is logged in.
        digest_key: of tokens.
        cookie: the name of the cookie that holds a session.
        public_host: the `Host` under which others reach the console; empty: they do not.
    """

    def __init__(
        self, access: AccessFile, sessions: Sessions, digest_key: bytes, cookie: str, public_host: str = ""
    ) -> None:
        self.access, self.sessions, self.cookie = access, sessions, cookie
        self._public_host = public_host
        self.rules: dict[tuple[str, str], AddressRule] = {}
        """Of each method and path, as they were made."""
        self._digest_key = digest_key
        self._secret = secrets.token_bytes(32)

    def route(self, path: str, endpoint: Endpoint, rule: AddressRule, method: str = "GET") -> Route:
        """An address that only those reach whom its rule lets in."""
        self.rules[method, path] = rule

        async def come_in(request: Request) -> Response:
            viewer = self.identify(request, rule)
            if rule.least is not None and (refusal := _refuse(request, viewer, rule)):
                return refusal
            if viewer is not None and viewer.by_token and request.method not in SAFE and not rule.for_programs:
                raise HTTPException(403, NO_FORMS)
            request.state.viewer = viewer
            if request.method not in SAFE and not rule.for_programs:
                request.state.form = await self._read_form(request, viewer)
            if inspect.iscoroutinefunction(endpoint):
                reply: Response = await endpoint(request)
                return reply
            return await run_in_threadpool(endpoint, request)  # type: ignore[arg-type]

        return Route(path, come_in, methods=[method])

    def identify(self, request: Request, rule: AddressRule) -> Viewer | None:
        """Who asks; None: nobody that is known.

        Raises:
            HTTPException: others reach a console that has no users.
            UserError: the file of users cannot be read.
        """
        users, tokens = self.access.current()
        if users.is_open():
            if not self._public_host:
                return local_viewer()
            # under any name: a proxy may well send ours in the place of the one that it was asked by
            if rule.least is not None:
                raise HTTPException(403, NO_USERS)
            return None
        now = datetime.now(UTC)
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ").strip()
        if bearer.startswith(TOKEN_PREFIX):
            token = tokens.check(bearer, now, self._digest_key)
            user = users.find(token.user) if token else None
            if token is None or user is None or token.at < user.tokens_from:
                return None
            return Viewer(name=user.name, roles=user.roles, scopes=token.scopes)
        session = None if rule.for_programs else self.sessions.find(request.cookies.get(self.cookie, ""), now)
        user = users.find(session.name) if session else None
        if session is None or user is None or session.began < user.valid_from:
            return None
        return Viewer(name=user.name, roles=user.roles, session_id=session.session_id)

    def is_public(self, request: Request) -> bool:
        """Whether it came by the name under which others reach the console."""
        return bool(self._public_host) and request.headers.get("host", "").lower() == self._public_host

    def form_token(self, viewer: Viewer | None) -> str:
        """What forms carry that this viewer sends: no other page can read it, and no other session has it."""
        of_session = viewer.session_id if viewer else ""
        return hmac.new(self._secret, of_session.encode(), hashlib.sha256).hexdigest()

    async def _read_form(self, request: Request, viewer: Viewer | None) -> dict[str, str]:
        """The fields of a form of ours; where several have one name, all of them, apart by spaces.

        Raises:
            HTTPException: it is longer than any form of ours, or of another page.
        """
        body = b""
        async for part in request.stream():
            body += part
            if len(body) > MOST_FORM_BYTES:
                raise HTTPException(413, "this is longer than any form of the console")
        try:
            pairs = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=40)
        except ValueError:
            raise HTTPException(400, "this form has more fields than any of the console") from None
        fields: dict[str, str] = {}
        for name, value in pairs:
            fields[name] = f"{fields[name]} {value}" if name in fields else value
        if not hmac.compare_digest(fields.get("token", "").encode(), self.form_token(viewer).encode()):
            raise HTTPException(403, "this form is of an older console or another session: open the page again")
        return fields


def viewer_of(request: Request) -> Viewer:
    """Who asks, behind the gate.

    Raises:
        ForbiddenError: nobody that is known.
    """
    viewer: Viewer | None = request.state.viewer
    if viewer is None:
        raise ForbiddenError("log in first")
    return viewer


def _refuse(request: Request, viewer: Viewer | None, rule: AddressRule) -> Response | None:
    """The way to the login page, where logging in may help.

    Raises:
        HTTPException: a program has to show a token.
        ForbiddenError: the one who asks is known, and may not.
    """
    if viewer is None:
        if rule.for_programs or request.method not in SAFE:
            raise HTTPException(401, "log in, or send the token of a program: 'Authorization: Bearer mt_...'")
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"/login?next={quote(request.url.path + query)}", status_code=303)
    assert rule.least is not None  # noqa: S101 - checked before
    if not viewer.may(rule.least, rule.scope, EVERY_TEAM if rule.of_every_team else None):
        where = " for all teams" if rule.of_every_team else ""
        token = "" if rule.scope in viewer.scopes else f", and a token for '{rule.scope}'"
        raise ForbiddenError(f"you may not do that: it takes the role {rule.least}{where}{token}")
    return None
