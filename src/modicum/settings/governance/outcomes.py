"""`[[outcome]]`: what an outcome is worth, and what one may cost."""

import math
from collections.abc import Sequence

import msgspec

from modicum.calls import UserError
from modicum.governance.budget_windows import parse_window
from modicum.governance.outcome_budgets import OutcomeBudget
from modicum.insights.dimensions import YIELD, parse_dimension
from modicum.settings.time_zone import checked_zone

MOST_USD = 1e9


class OutcomeSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[outcome]]`, once for each name of an outcome."""

    name: str
    """Of the outcome, as `modicum outcome list` shows it."""
    worth_usd: float | None = None
    """What one is worth: `modicum yield` shows the margin."""
    limit_usd: float | None = None
    """What one may cost, failed tasks included: `modicum budget show` says how that stands."""
    per: str = "30d"
    """Which tasks the limit is about, by when they began: those of this `day`, `week`, `month`, of all time (`ever`),
    or of the last `90d`."""
    by: str = ""
    """Every name of this dimension has the limit to itself: `team`, `project`, `tag:feature`. Empty: all tasks
    together."""
    timezone: str = ""
    """In which days, weeks and months are cut. Empty: the zone of the settings, else UTC."""


def outcome_budgets_of(outcomes: Sequence[OutcomeSettings], zone: str) -> list[OutcomeBudget]:
    """The budgets that checked settings declare. `zone`: where a row names none; empty for UTC."""
    budgets = []
    for one in outcomes:
        window = parse_window(one.per, one.timezone or zone or "UTC")
        if one.limit_usd is not None and window is not None:
            budgets.append(OutcomeBudget(outcome=one.name, limit_usd=one.limit_usd, window=window, by=one.by))
    return budgets


def worth_of(outcomes: Sequence[OutcomeSettings], name: str) -> float | None:
    """What one outcome of this name is worth; None: nobody said."""
    return next((one.worth_usd for one in outcomes if one.name == name), None)


def outcome_fault(outcomes: Sequence[OutcomeSettings], keep_days: int) -> tuple[int, str, str] | None:
    """The first setting that is wrong: of which row, which, and what it must be."""
    names: set[str] = set()
    for index, one in enumerate(outcomes):
        fault = _name_fault(one, names) or _money_fault(one) or _window_fault(one, keep_days)
        if fault is not None:
            return index, *fault
        names.add(one.name)
    return None


def _name_fault(one: OutcomeSettings, names: set[str]) -> tuple[str, str] | None:
    if not one.name.strip():
        return "name", "must be the name of an outcome, as 'modicum outcome list' shows it"
    return ("name", f"must differ from that of the others; '{one.name:.64}' comes twice") if one.name in names else None


def _money_fault(one: OutcomeSettings) -> tuple[str, str] | None:
    if one.worth_usd is None and one.limit_usd is None:
        return "worth_usd", "or limit_usd must be set: a row without either says nothing"
    if one.worth_usd is not None and not (math.isfinite(one.worth_usd) and 0 <= one.worth_usd <= MOST_USD):
        return "worth_usd", f"must be a number from 0 to {MOST_USD:,.0f}"
    if one.limit_usd is not None and not (math.isfinite(one.limit_usd) and 0 < one.limit_usd <= MOST_USD):
        return "limit_usd", f"must be a number above 0, at most {MOST_USD:,.0f}"
    return None


def _window_fault(one: OutcomeSettings, keep_days: int) -> tuple[str, str] | None:
    window = parse_window(one.per, "UTC")
    if window is None:
        return "per", "must be hour, day, week, month, ever, or a length that slides, as 30d"
    if keep_days and window.longest_s > keep_days * 86_400:
        return "per", f"is longer than the ledger remembers (keep_days = {keep_days}): set keep_days to 0, or higher"
    try:
        checked_zone(one.timezone or "UTC")
    except UserError as error:
        return "timezone", f"is wrong: {error}"
    try:
        parse_dimension("outcome", one.by or "team", YIELD)
    except UserError as error:
        return "by", f"is wrong: {error}"
    return None
