"""What programs can ask and change: an operation each, with what it takes and gives."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

from starlette.exceptions import HTTPException

from modicum.calls import Owner
from modicum.console.access.gate import VIEWER, AddressRule
from modicum.console.acting.addresses import OF_BUDGETS, OF_KEYS, OF_SETTINGS
from modicum.console.acting.budgets import add_budget, editable_budgets, lower_budget, raise_budget, set_limit
from modicum.console.acting.keys import issue_key, revoke_key
from modicum.console.acting.settings_changes import apply_change, changes_to_undo, undo_change
from modicum.console.api import documents as doc
from modicum.console.asking import Asking
from modicum.console.page import Page
from modicum.console.pages.budgets import read_keys
from modicum.console.view import read_view

PREFIX = "/api/v1"


class ApiRequest(NamedTuple):
    """What an operation is asked with."""

    asking: Asking
    path: Mapping[str, str]
    query: Sequence[tuple[str, str]]
    body: Any
    pages: Mapping[str, Page]


class Operation(NamedTuple):
    """Something that a program can ask for or change."""

    method: str
    path: str
    summary: str
    rule: AddressRule
    answer: Callable[[ApiRequest], Any]
    gives: Any
    takes: Any = None
    """The type of its body; None: it has none."""
    query: Sequence[str] = ()


def pages(request: ApiRequest) -> list[doc.PageName]:
    viewer = request.asking.viewer
    shown = [page for page in request.pages.values() if page.for_teams or viewer.sees_everything]
    return [doc.PageName(name=page.name, title=page.title, about=page.about) for page in shown]


def page(request: ApiRequest) -> doc.PageDocument:
    """Raises:
    HTTPException: there is no such page.
    """
    one = request.pages.get(request.path["page"])
    if one is None:
        raise HTTPException(404, "there is no such page")
    asking = request.asking
    if not one.for_teams:
        asking.reach.insist_on_everything()
    view = read_view(request.query, asking.settings().timezone)
    return doc.page_document(one, one.read(asking, view.with_scope(asking.reach.narrow(view.scope))))


def viewer(request: ApiRequest) -> doc.ViewerDocument:
    own = request.asking.viewer
    roles = {team: role.value for team, role in own.roles.items()}
    return doc.ViewerDocument(name=own.name, roles=roles, scopes=[scope.value for scope in own.scopes])


def budgets(request: ApiRequest) -> list[doc.BudgetDocument]:
    return [doc.budget_document(one) for one in editable_budgets(request.asking)]


def new_budget(request: ApiRequest) -> doc.ChangeDocument:
    body: doc.NewBudget = request.body
    event = add_budget(
        request.asking, name=body.name, per=body.per, unit=body.unit, amount=_amount(body.limit), team=body.team
    )
    return doc.change_document(event)


def new_limit(request: ApiRequest) -> doc.ChangeDocument:
    body: doc.NewLimit = request.body
    return doc.change_document(set_limit(request.asking, request.path["name"], _amount(body.limit), body.version))


def new_raise(request: ApiRequest) -> doc.RaiseDocument:
    body: doc.NewRaise = request.body
    event = raise_budget(
        request.asking,
        request.path["name"],
        to=_amount(body.limit),
        until=body.until,
        of=body.of,
        why=body.why,
        version=body.version,
    )
    return doc.RaiseDocument(raise_id=event.raise_id, until=event.until, by=event.by, why=event.why)


def end_raise(request: ApiRequest) -> None:
    lower_budget(request.asking, request.path["name"], request.path["raise_id"])


def keys(request: ApiRequest) -> list[doc.KeyDocument]:
    return [doc.key_document(key) for key in read_keys(request.asking)]


def new_key(request: ApiRequest) -> doc.IssuedKey:
    body: doc.NewKey = request.body
    owner = Owner(team=body.team, app=body.app, user=body.user, key=body.name)
    key, event = issue_key(request.asking, owner, body.models)
    return doc.IssuedKey(key=key, key_id=event.key_id)


def end_key(request: ApiRequest) -> None:
    revoke_key(request.asking, request.path["key_id"])


def changes(request: ApiRequest) -> list[doc.ChangeDocument]:
    return [doc.change_document(event) for event in changes_to_undo(request.asking)]


def new_change(request: ApiRequest) -> doc.ChangeDocument:
    return doc.change_document(apply_change(request.asking, request.body.what_if))


def end_change(request: ApiRequest) -> None:
    undo_change(request.asking, request.path["change_id"])


def _amount(limit: float) -> str:
    """As people would type it, with all its digits: a limit that is small is not none."""
    return f"{Decimal(repr(limit)):f}"


VIEW = ("since", "until", "timezone", "where", "by", "task", "outcome", "what_if", "kind", "grid", "pue")
OPERATIONS = (
    Operation("GET", "/me", "Who asks, and what that one may", VIEWER, viewer, doc.ViewerDocument),
    Operation("GET", "/pages", "The pages that the asker may see", VIEWER, pages, list[doc.PageName]),
    Operation("GET", "/pages/{page}", "What a page shows", VIEWER, page, doc.PageDocument, query=VIEW),
    Operation("GET", "/budgets", "Budgets that the asker may change", OF_BUDGETS, budgets, list[doc.BudgetDocument]),
    Operation("POST", "/budgets", "Adds a budget", OF_BUDGETS, new_budget, doc.ChangeDocument, doc.NewBudget),
    Operation("PUT", "/budgets/{name}/limit", "Sets a limit", OF_BUDGETS, new_limit, doc.ChangeDocument, doc.NewLimit),
    Operation(
        "POST",
        "/budgets/{name}/raises",
        "Raises it for a while",
        OF_BUDGETS,
        new_raise,
        doc.RaiseDocument,
        doc.NewRaise,
    ),
    Operation("DELETE", "/budgets/{name}/raises/{raise_id}", "Ends a raise", OF_BUDGETS, end_raise, None),
    Operation("GET", "/keys", "Keys of the gateway", VIEWER, keys, list[doc.KeyDocument]),
    Operation("POST", "/keys", "Issues a key, shown this once", OF_KEYS, new_key, doc.IssuedKey, doc.NewKey),
    Operation("DELETE", "/keys/{key_id}", "Revokes a key", OF_KEYS, end_key, None),
    Operation("GET", "/settings/changes", "Changes that can be undone", OF_SETTINGS, changes, list[doc.ChangeDocument]),
    Operation(
        "POST",
        "/settings/changes",
        "Writes a replayed change",
        OF_SETTINGS,
        new_change,
        doc.ChangeDocument,
        doc.NewChange,
    ),
    Operation("DELETE", "/settings/changes/{change_id}", "Takes a change back", OF_SETTINGS, end_change, None),
)
