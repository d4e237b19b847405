"""The pages on which users look after themselves, and owners after users."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from modicum.calls import UserError
from modicum.console.access.gate import VIEWER, AddressRule, Gate, viewer_of
from modicum.console.access.viewer import ForbiddenError, Viewer
from modicum.governance.access.tokens import TokenScope, issue_token, revoke_token
from modicum.governance.access.users import (
    EVERY_TEAM,
    Role,
    Users,
    make_link,
    parse_roles,
    remove_user,
    set_user,
    show_roles,
)
from modicum.insights.retention.erasure import Erasure
from modicum.reports.figures import number_of

USERS = AddressRule(Role.OWNER, TokenScope.USERS, of_every_team=True)
LINK_OPENS = timedelta(hours=24)
MOST_TOKEN_DAYS = 3660

Render = Callable[..., Response]


class Accounts:
    """The addresses of users and tokens.

    Args:
        gate: knows both.
        render: makes the reply of a template: request, its name, status, and what it takes.
        digest_key: of tokens and links.
        retention: how long calls are kept, as a viewer sees it.
        erase: erases an owner on behalf of a viewer: part, name, and the name again.
    """

    def __init__(
        self,
        gate: Gate,
        render: Render,
        digest_key: bytes,
        retention: Callable[[Viewer], object],
        erase: Callable[[Viewer, str, str, str], Erasure],
    ) -> None:
        self._gate, self._render, self._digest_key = gate, render, digest_key
        self._retention, self._erase = retention, erase

    def routes(self) -> list[Route]:
        route = self._gate.route
        return [
            route("/account", self.show_account, VIEWER),
            route("/account/token", self.issue, VIEWER, "POST"),
            route("/account/token/revoke", self.revoke, VIEWER, "POST"),
            route("/users", self.show_users, USERS),
            route("/users/set", self.set_user, USERS, "POST"),
            route("/users/link", self.link, USERS, "POST"),
            route("/users/erase", self.erase, USERS, "POST"),
            route("/users/remove", self.remove, USERS, "POST"),
        ]

    def show_account(self, request: Request) -> Response:
        return self._account(request)

    def _account(self, request: Request, shown_once: str = "") -> Response:
        viewer, access = viewer_of(request), self._gate.access.current()
        user = access.users.find(viewer.name)
        now = datetime.now(UTC)
        tokens = [token for token in access.tokens.in_force(now) if token.user == viewer.name]
        roles, has_password = show_roles(viewer.roles), bool(user and user.password)
        return self._render(
            request, "account.html", 200, roles=roles, has_password=has_password, tokens=tokens, shown_once=shown_once
        )

    def issue(self, request: Request) -> Response:
        """A token of one's own, shown in this reply and never again."""
        viewer, form, now = viewer_of(request), request.state.form, datetime.now(UTC)
        if viewer.is_local:
            raise UserError("the console knows no users yet: add yourself as an owner first, on the page Users")
        days = form.get("days", "90")
        if not days.isascii() or not days.isdigit() or not 1 <= int(days[:9]) <= MOST_TOKEN_DAYS:
            raise UserError(f"'{days:.20}' are no days: write a number from 1 to {MOST_TOKEN_DAYS:,}")
        scopes = form.get("scopes", "").split()
        until = now + timedelta(days=int(days))
        token, event = issue_token(
            viewer.name, form.get("name", "")[:80], scopes, now, viewer.name, until, self._digest_key
        )
        self._gate.access.change(lambda _access: event)
        return self._account(request, token)

    def revoke(self, request: Request) -> Response:
        """One's own token, or as an owner that of anybody."""
        viewer, token_id = viewer_of(request), request.state.form.get("id", "")
        now = datetime.now(UTC)
        own = {one.token_id for one in self._gate.access.current().tokens.in_force(now) if one.user == viewer.name}
        if token_id not in own and not viewer.may(Role.OWNER, TokenScope.USERS, EVERY_TEAM):
            raise ForbiddenError("that token is not yours")
        self._gate.access.change(lambda access: revoke_token(access.tokens, token_id, now, viewer.name))
        return RedirectResponse("/account", status_code=303)

    def show_users(self, request: Request) -> Response:
        return self._users(request)

    def _users(self, request: Request, **shown: Any) -> Response:
        users, tokens = self._gate.access.current()
        now = datetime.now(UTC)
        rows = [(user, show_roles(user.roles)) for user in users.all()]
        retention = self._retention(viewer_of(request))
        parts = {"rows": rows, "tokens": tokens.in_force(now), "retention": retention, "link": "", "done": ""}
        return self._render(request, "users.html", 200, **parts | shown)

    def set_user(self, request: Request) -> Response:
        """Adds a user, with a link that logs in once, or gives one other roles."""
        viewer, form, now = viewer_of(request), request.state.form, datetime.now(UTC)
        name, roles = form.get("name", "").strip(), parse_roles(form.get("roles", "").split())
        before: list[Users] = []

        def decide(access: Any) -> Any:
            before.append(access.users)
            known = access.users.find(name)
            return set_user(access.users, name, roles, now, viewer.name, known.subject if known else "")

        self._gate.access.change(decide)
        if before[0].find(name) is None:
            return self._with_link(request, name)
        return self._users(request, done=f"'{name}' is {show_roles(roles)} now")

    def link(self, request: Request) -> Response:
        return self._with_link(request, request.state.form.get("name", ""))

    def _with_link(self, request: Request, name: str) -> Response:
        if self._gate.access.current().users.find(name) is None:
            raise UserError(f"there is no user '{name:.80}'")
        text, event = make_link(name, datetime.now(UTC), LINK_OPENS, viewer_of(request).name, self._digest_key)
        self._gate.access.change(lambda _access: event)
        base = f"{request.url.scheme}://{request.url.netloc}"
        if self._gate.is_public(request):
            base = base.replace("http:", "https:", 1)
        return self._users(request, link=f"{base}/login/link?link={text}", done=f"'{name}' can log in once by")

    def erase(self, request: Request) -> Response:
        """All calls of an owner, for good."""
        form = request.state.form
        gone = self._erase(viewer_of(request), form.get("part", ""), form.get("name", ""), form.get("again", ""))
        calls, keys = number_of(gone.calls, "call"), number_of(gone.keys, "key")
        return self._users(request, done=f"{calls} and {keys} of {form.get('part')} '{form.get('name')}' were erased")

    def remove(self, request: Request) -> Response:
        viewer, name, now = viewer_of(request), request.state.form.get("name", ""), datetime.now(UTC)
        self._gate.access.change(lambda access: remove_user(access.users, name, now, viewer.name))
        return self._users(request, done=f"'{name}' was removed: sessions, links and tokens have ended")
