"""Limits of budgets: set in the settings for good, or raised for a while. Two who change one at once are told apart."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from modicum.calls import UserError
from modicum.calls.errors import unknown_name
from modicum.console.acting.decisions import decide, read_events
from modicum.console.acting.settings_changes import settings_file, write_change
from modicum.console.asking import Asking
from modicum.governance.access.tokens import TokenScope
from modicum.governance.access.users import EVERY_TEAM, Role
from modicum.governance.budget_raises import EVENT_KIND, RaiseEvent, Raises, audit_raises
from modicum.governance.budgets import EACH, Budget, LimitUnit
from modicum.governance.raise_requests import plan_raise
from modicum.governance.settings_log import SettingsEvent
from modicum.settings import BudgetSettings, Settings, budgets_of
from modicum.settings.editing.changes import ChangedMeanwhileError, SettingsChange

MOST = Decimal(10) ** 18
"""More than any settings take."""
WHOLE_UNITS = (LimitUnit.EFFECTIVE_TOKENS, LimitUnit.CALLS)


class EditableBudget(msgspec.Struct, frozen=True, kw_only=True):
    """A budget as those see it who may change it."""

    name: str
    per: str
    unit: LimitUnit
    limit: float
    team: str
    is_in_settings: bool
    """Whether its limit can be set here; a budget of policy.toml can be raised only."""
    version: str
    """Of all that is decided about it: who changes it says which version was looked at."""
    raises: Sequence[RaiseEvent] = ()
    """Those in force."""


def editable_budgets(asking: Asking) -> list[EditableBudget]:
    """The budgets that the viewer may change, in the order of the settings."""
    settings = asking.sources.read_settings()
    now, raises = datetime.now(UTC), Raises(read_events(asking.sources.state, EVENT_KIND, RaiseEvent))
    of_policy = {one.name for one in settings.policy_rules.budget}
    pairs = zip(settings.budget, _budgets(settings), strict=True)
    return [
        _editable(declared, list(raises.in_force(budget, now)), is_in_settings=declared.name not in of_policy)
        for declared, budget in pairs
        if asking.viewer.may(Role.EDITOR, TokenScope.BUDGETS, team_of(declared))
    ]


def set_limit(asking: Asking, name: str, amount: str, version: str) -> SettingsEvent:
    """Sets the limit of a budget of the settings, which running gateways follow.

    Args:
        asking: of who sets it.
        name: of the budget.
        amount: the new limit, in its unit.
        version: of the budget that was looked at.

    Raises:
        ForbiddenError: the viewer may not change that team's budgets.
        ChangedMeanwhileError: the budget is no longer the one that was looked at.
        UserError: there is no such budget, or that is no limit.
    """
    budget = _find(asking, name)
    if budget.version != version:
        raise ChangedMeanwhileError(
            f"the budget '{name}' was changed meanwhile: its limit is {budget.limit:,g} now; nothing was changed"
        )
    if not budget.is_in_settings:
        raise UserError(f"the budget '{name}' stands in policy.toml: it is changed there, or raised for a while here")
    limit = parse_limit(amount, budget.unit)
    change = SettingsChange(table="budget", key=f"limit_{budget.unit}", row=name, value=limit)
    team = "" if budget.team == EACH else budget.team
    return write_change(asking, settings_file(asking), change, _json(_plain(budget.limit, budget.unit)), team)


def add_budget(asking: Asking, *, name: str, per: str, unit: str, amount: str, team: str) -> SettingsEvent:
    """Adds a budget to the settings; without a team it is one of all calls.

    Raises:
        ForbiddenError: the viewer may not change that team's budgets.
        UserError: there is one of that name, or the settings would be wrong with it.
    """
    asking.viewer.insist(Role.EDITOR, TokenScope.BUDGETS, team or EVERY_TEAM)
    if unit not in list(LimitUnit):
        raise unknown_name("unit of a budget", unit, list(LimitUnit))
    path, limit = settings_file(asking), parse_limit(amount, LimitUnit(unit))
    fields: dict[str, Any] = {"name": name, "per": per, f"limit_{unit}": limit}
    if team:
        fields["team"] = team
    return write_change(asking, path, SettingsChange(table="budget", row=name, value=fields), "", team)


def raise_budget(
    asking: Asking, name: str, *, to: str, until: str, of: Sequence[str], why: str, version: str
) -> RaiseEvent:
    """Raises a budget until a moment; it is as before by itself after that.

    Raises:
        ForbiddenError: the viewer may not change that team's budgets.
        ChangedMeanwhileError: the budget is no longer the one that was looked at.
        UserError: amount, end or reason cannot be.
    """
    _check_version(asking, name, version)
    settings, now, by = asking.sources.read_settings(), datetime.now(UTC), asking.viewer.name
    budget = next(one for one in _budgets(settings) if one.name == name)

    def decision(former: list[RaiseEvent]) -> RaiseEvent:
        in_force = list(Raises(former).in_force(budget, now))
        if version_of(_declared(settings, name), in_force) != version:
            raise ChangedMeanwhileError(f"the budget '{name}' was raised meanwhile by somebody else: look again")
        zone = ZoneInfo(settings.timezone or "UTC")
        return plan_raise(budget, to=to, until=until, of=of, why=why, by=by, approved_by=by, zone=zone, now=now)

    return decide(asking, EVENT_KIND, RaiseEvent, decision, audit_raises)


def lower_budget(asking: Asking, name: str, raise_id: str) -> RaiseEvent:
    """Ends a raise before its time.

    Raises:
        ForbiddenError: the viewer may not change that team's budgets.
        UserError: it is not raised so any more.
    """
    budget = _find(asking, name)
    standing = next((one for one in budget.raises if one.raise_id == raise_id), None)
    if standing is None:
        raise UserError(f"the budget '{name}' is not raised in that way any more")
    ended = RaiseEvent(
        what="ended",
        raise_id=raise_id,
        budget=name,
        at=datetime.now(UTC),
        by=asking.viewer.name,
        unit=budget.unit,
        team=standing.team,
    )
    return decide(asking, EVENT_KIND, RaiseEvent, lambda _former: ended, audit_raises)


def team_of(budget: BudgetSettings) -> str:
    """The team whose editors may change a budget; `*`: it is not of one team."""
    return budget.team if budget.team and budget.team != EACH else EVERY_TEAM


def version_of(budget: BudgetSettings, raises: Sequence[RaiseEvent]) -> str:
    """Changes with all that is decided about a budget."""
    text = msgspec.json.encode((budget, [one.raise_id for one in raises]))
    return hashlib.sha256(text).hexdigest()[:16]


def parse_limit(text: str, unit: LimitUnit) -> float | int:
    """A limit as people write it: `250`, `$1,000.50`.

    Raises:
        UserError: it is none.
    """
    try:
        amount = Decimal(text.strip().replace("_", "").replace(",", "").removeprefix("$"))
    except InvalidOperation:
        amount = Decimal("nan")
    if not amount.is_finite() or not 0 <= amount <= MOST or (unit in WHOLE_UNITS and amount != int(amount)):
        raise UserError(f"'{text:.40}' is no limit: write a number, as 250")
    return _plain(float(amount), unit)


def _find(asking: Asking, name: str) -> EditableBudget:
    """Raises:
    ForbiddenError: the viewer may not change it.
    UserError: there is none.
    """
    declared = _declared(asking.sources.read_settings(), name)
    asking.viewer.insist(Role.EDITOR, TokenScope.BUDGETS, team_of(declared))
    return next(one for one in editable_budgets(asking) if one.name == name)


def _check_version(asking: Asking, name: str, version: str) -> None:
    if _find(asking, name).version != version:
        raise ChangedMeanwhileError(f"the budget '{name}' was changed meanwhile by somebody else: look again")


def _declared(settings: Settings, name: str) -> BudgetSettings:
    declared = next((one for one in settings.budget if one.name == name), None)
    if declared is None:
        raise unknown_name("budget", name, [one.name for one in settings.budget])
    return declared


def _budgets(settings: Settings) -> list[Budget]:
    return budgets_of(settings.budget, settings.timezone, settings.energy)


def _editable(declared: BudgetSettings, raises: Sequence[RaiseEvent], *, is_in_settings: bool) -> EditableBudget:
    ((unit, limit),) = declared.limits.items()
    return EditableBudget(
        name=declared.name,
        per=declared.per,
        unit=unit,
        limit=float(limit),
        team=declared.team,
        is_in_settings=is_in_settings,
        version=version_of(declared, raises),
        raises=raises,
    )


def _plain(limit: float, unit: LimitUnit) -> float | int:
    return int(limit) if unit in WHOLE_UNITS or limit == int(limit) else limit


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
