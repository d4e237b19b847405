"""The addresses to which forms of pages are sent. What may be done is decided by what they call."""

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from modicum.calls import Owner
from modicum.console.access.gate import AddressRule, Gate, viewer_of
from modicum.console.acting.budgets import add_budget, lower_budget, raise_budget, set_limit
from modicum.console.acting.keys import issue_key, revoke_key
from modicum.console.acting.retention import set_keep_days
from modicum.console.acting.settings_changes import apply_change, undo_change
from modicum.console.asking import Asking
from modicum.governance.access.tokens import TokenScope
from modicum.governance.access.users import Role

OF_BUDGETS = AddressRule(Role.EDITOR, TokenScope.BUDGETS)
OF_KEYS = AddressRule(Role.EDITOR, TokenScope.KEYS)
OF_RETENTION = AddressRule(Role.OWNER, TokenScope.USERS, of_every_team=True)
_WITH_CHANGES = ("budgets", "users")
"""Pages that show changes of settings, beside Waste."""
OF_SETTINGS = AddressRule(Role.EDITOR, TokenScope.SETTINGS, of_every_team=True)
AT_VERSION = "|"
"""Stands between a budget's version and its name in the value of a form's choice."""

Render = Callable[..., Response]


class FormAddresses:
    """What forms change.

    Args:
        gate: lets requests in.
        asking: asks for whoever it is.
        render: makes the reply of a template: request, its name, status, and what it takes.
    """

    def __init__(self, gate: Gate, asking: Asking, render: Render) -> None:
        self._gate, self._asking, self._render = gate, asking, render

    def routes(self) -> list[Route]:
        route = self._gate.route
        return [
            route("/budgets/set", self.set_limit, OF_BUDGETS, "POST"),
            route("/budgets/add", self.add_budget, OF_BUDGETS, "POST"),
            route("/budgets/raise", self.raise_budget, OF_BUDGETS, "POST"),
            route("/budgets/lower", self.lower_budget, OF_BUDGETS, "POST"),
            route("/keys/issue", self.issue_key, OF_KEYS, "POST"),
            route("/keys/revoke", self.revoke_key, OF_KEYS, "POST"),
            route("/waste/apply", self.apply, OF_SETTINGS, "POST"),
            route("/waste/undo", self.undo, OF_SETTINGS, "POST"),
            route("/users/retention", self.set_keep_days, OF_RETENTION, "POST"),
        ]

    def set_limit(self, request: Request) -> Response:
        form, (version, name) = request.state.form, _chosen_budget(request)
        set_limit(self._for(request), name, form.get("limit", ""), version)
        return RedirectResponse("/budgets", status_code=303)

    def add_budget(self, request: Request) -> Response:
        form = request.state.form
        add_budget(
            self._for(request),
            name=form.get("name", ""),
            per=form.get("per", ""),
            unit=form.get("unit", ""),
            amount=form.get("limit", ""),
            team=form.get("team", "").strip(),
        )
        return RedirectResponse("/budgets", status_code=303)

    def raise_budget(self, request: Request) -> Response:
        form, (version, name) = request.state.form, _chosen_budget(request)
        names = tuple(one.strip() for one in form.get("of", "").split(",") if one.strip())
        raise_budget(
            self._for(request),
            name,
            to=form.get("limit", ""),
            until=form.get("until", ""),
            of=names,
            why=form.get("why", "")[:1000],
            version=version,
        )
        return RedirectResponse("/budgets", status_code=303)

    def lower_budget(self, request: Request) -> Response:
        form = request.state.form
        lower_budget(self._for(request), form.get("budget", ""), form.get("raise", ""))
        return RedirectResponse("/budgets", status_code=303)

    def issue_key(self, request: Request) -> Response:
        """A key, shown in this reply and never again."""
        form = request.state.form
        owner = Owner(
            team=form.get("team", "").strip(),
            app=form.get("app", "").strip(),
            user=form.get("user", "").strip(),
            key=form.get("name", "").strip(),
        )
        key, event = issue_key(self._for(request), owner, tuple(form.get("models", "").split()))
        return self._render(request, "key.html", 200, key=key, event=event)

    def revoke_key(self, request: Request) -> Response:
        revoke_key(self._for(request), request.state.form.get("id", ""))
        return RedirectResponse("/budgets#keys", status_code=303)

    def apply(self, request: Request) -> Response:
        """Writes a replayed change into the settings, and goes back to the page that showed it."""
        form = request.state.form
        apply_change(self._for(request), form.get("what_if", ""))
        back = form.get("back", "?")
        return RedirectResponse(f"/waste{back if back.startswith('?') else ''}", status_code=303)

    def undo(self, request: Request) -> Response:
        """Takes a change of the settings back."""
        undo_change(self._for(request), request.state.form.get("change", ""))
        back = request.state.form.get("page", "")
        return RedirectResponse(f"/{back if back in _WITH_CHANGES else 'waste'}", status_code=303)

    def set_keep_days(self, request: Request) -> Response:
        form = request.state.form
        set_keep_days(self._for(request), form.get("days", ""), form.get("looked_at", ""))
        return RedirectResponse("/users#retention", status_code=303)

    def _for(self, request: Request) -> Asking:
        return self._asking.for_viewer(viewer_of(request))


def _chosen_budget(request: Request) -> tuple[str, str]:
    """Version and name of the budget that a form chose."""
    version, _, name = request.state.form.get("budget", "").partition(AT_VERSION)
    return version, name
