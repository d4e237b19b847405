"""Logging in and out: by a password, by a link that opens once, or by an identity provider."""

import hmac
import re
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from modicum.calls import UserError
from modicum.console.access.access_file import Access
from modicum.console.access.gate import OPEN, VIEWER, Gate, viewer_of
from modicum.console.access.login_limits import LoginLimits
from modicum.console.access.oidc import OidcProvider
from modicum.console.access.viewer import ForbiddenError
from modicum.governance.access.passwords import check_password, hash_password
from modicum.governance.access.users import UserEvent

LINK_OPENS_ONCE = "this link was used already or is too old: ask an owner for another one"
WRONG = "name or password are wrong"
HASHES_AT_ONCE = 2
"""A hash takes 32 MiB and a tenth of a second."""
_NEXT = re.compile(r"/[a-z]*(\?[^\s\\]*)?\Z")

Render = Callable[..., Response]


class Login:
    """The addresses with which sessions begin and end.

    Args:
        gate: knows users and sessions.
        render: makes the reply of a template: request, its name, status, and what it takes.
        digest_key: of one-time links.
        hours: how long a session lasts.
        is_secure: whether browsers come by HTTPS.
        oidc: an identity provider to go to; None: there is none.
    """

    def __init__(
        self,
        gate: Gate,
        render: Render,
        digest_key: bytes,
        hours: Callable[[], float],
        *,
        is_secure: bool = False,
        oidc: OidcProvider | None = None,
    ) -> None:
        self._gate, self._render, self._digest_key = gate, render, digest_key
        self._hours, self._is_secure, self._oidc = hours, is_secure, oidc
        self._limits = LoginLimits(time.monotonic)
        self._hashing = threading.Semaphore(HASHES_AT_ONCE)

    def routes(self) -> list[Route]:
        route = self._gate.route
        return [
            route("/login", self.show, OPEN),
            route("/login", self.by_password, OPEN, "POST"),
            route("/login/link", self.show_link, OPEN),
            route("/login/link", self.by_link, OPEN, "POST"),
            route("/login/oidc", self.to_provider, OPEN),
            route("/login/oidc/back", self.from_provider, OPEN),
            route("/logout", self.log_out, VIEWER, "POST"),
            route("/account/password", self.set_password, VIEWER, "POST"),
        ]

    def show(self, request: Request) -> Response:
        """The form."""
        return self._form(request, "", 200)

    def _form(self, request: Request, message: str, status: int, name: str = "") -> Response:
        parts = {"message": message, "next": _next(request), "name": name, "has_oidc": self._oidc is not None}
        return self._render(request, "login.html", status, **parts)

    def by_password(self, request: Request) -> Response:
        form, address = request.state.form, _address_of(request)
        name = form.get("name", "")
        if wait := self._limits.begin_try(name, address):
            reply = self._form(request, f"too many tries: try again in {-(-wait // 60)} minutes", 429, name)
            reply.headers["retry-after"] = f"{wait}"
            return reply
        user = self._gate.access.current().users.find(name)
        with self._hashing:  # of a name that is unknown, too: how long it takes says nothing
            right = check_password(form.get("password", "")[:1001], user.password if user else "")
        if user is None or not right:
            return self._form(request, WRONG, 403, name)
        self._limits.forget(name, address)
        return self.begin(request, user.name, form.get("next", "/"))

    def show_link(self, request: Request) -> Response:
        """A page with one button: programs that look at links in messages must not use them up."""
        return self._render(request, "link.html", 200, link=request.query_params.get("link", ""))

    def by_link(self, request: Request) -> Response:
        names: list[str] = []

        def use(access: Access) -> UserEvent:
            now = datetime.now(UTC)
            fitting = access.users.find_link(request.state.form.get("link", ""), now, self._digest_key)
            if fitting is None:
                raise UserError(LINK_OPENS_ONCE)
            user, link_id = fitting
            names.append(user.name)
            return UserEvent(what="link_used", name=user.name, at=now, by=user.name, link_id=link_id)

        self._gate.access.change(use)
        return self.begin(request, names[0], "/")

    def to_provider(self, request: Request) -> Response:
        """The way to the identity provider; the browser is bound to it by a cookie."""
        if self._oidc is None:
            raise HTTPException(404)
        login = self._oidc.begin(self._back_address(request), _next(request))
        reply = RedirectResponse(login.url, status_code=303)
        reply.set_cookie(
            self._oidc_cookie, login.state, max_age=600, secure=self._is_secure, httponly=True, samesite="lax"
        )
        return reply

    def from_provider(self, request: Request) -> Response:
        """A session for who the provider says it is, if that is a user."""
        if self._oidc is None:
            raise HTTPException(404)
        query = request.query_params
        state = query.get("state", "")
        if not state or not hmac.compare_digest(state.encode(), request.cookies.get(self._oidc_cookie, "").encode()):
            raise ForbiddenError("this login began in another browser: begin again")
        if error := query.get("error"):
            raise UserError(f"the identity provider says: {error:.200}")
        subject, back = self._oidc.finish(state, query.get("code", ""))
        user = self._gate.access.current().users.find_subject(subject)
        if user is None:
            raise ForbiddenError(f"'{subject:.200}' is no user of this console: an owner adds you on the page Users")
        reply = self.begin(request, user.name, back)
        reply.delete_cookie(self._oidc_cookie, secure=self._is_secure, httponly=True, samesite="lax")
        return reply

    @property
    def _oidc_cookie(self) -> str:
        return f"{self._gate.cookie}-oidc"

    def _back_address(self, request: Request) -> str:
        scheme = "https" if self._gate.is_public(request) else "http"
        return f"{scheme}://{request.url.netloc}/login/oidc/back"

    def begin(self, request: Request, name: str, back: str) -> Response:
        """A new session, whatever the browser sent before, and the way to the page that was asked for."""
        now = datetime.now(UTC)
        former = self._gate.sessions.find(request.cookies.get(self._gate.cookie, ""), now)
        if former is not None:
            self._gate.sessions.end(former.session_id)
        until = now + timedelta(hours=self._hours())
        text = self._gate.sessions.begin(name, now, until)
        reply = RedirectResponse(back if _NEXT.match(back) else "/", status_code=303)
        reply.set_cookie(
            self._gate.cookie,
            text,
            max_age=int((until - now).total_seconds()),
            secure=self._is_secure,
            httponly=True,
            samesite="lax",  # strict would show the login page to who follows a link of a colleague
        )
        return reply

    def log_out(self, request: Request) -> Response:
        viewer = viewer_of(request)
        if viewer.session_id:
            self._gate.sessions.end(viewer.session_id)
        reply = RedirectResponse("/login", status_code=303)
        reply.delete_cookie(self._gate.cookie, secure=self._is_secure, httponly=True, samesite="lax")
        return reply

    def set_password(self, request: Request) -> Response:
        """A new password, which ends all other sessions of its user."""
        viewer, form = viewer_of(request), request.state.form
        if viewer.is_local:
            raise UserError("the console knows no users yet: add yourself as an owner first, on the page Users")
        user, address = self._gate.access.current().users.find(viewer.name), _address_of(request)
        if self._limits.begin_try(viewer.name, address):  # a session that somebody found open is no way to guess it
            raise HTTPException(429, "too many tries: try again in a quarter of an hour")
        with self._hashing:
            if user is not None and user.password and not check_password(form.get("former", "")[:1001], user.password):
                raise UserError("the former password is wrong: nothing was changed")
            self._limits.forget(viewer.name, address)
            hashed = hash_password(form.get("password", ""))
        event = UserEvent(what="password", name=viewer.name, at=datetime.now(UTC), by=viewer.name, password=hashed)
        self._gate.access.change(lambda _access: event)
        return self.begin(request, viewer.name, "/account")


def _next(request: Request) -> str:
    asked_for = request.query_params.get("next", "/")
    return asked_for if _NEXT.match(asked_for) else "/"


def _address_of(request: Request) -> str:
    return request.client.host if request.client else ""
