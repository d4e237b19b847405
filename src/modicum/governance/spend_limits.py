"""Spend limits of Anthropic's own gateway (and of its Admin API, whose shapes it has) as budgets of ours.

Theirs are for each person: of several that cover one, the most particular holds. Ours add up: a call must fit into all
that cover it. So where theirs is more generous to somebody than to the others, that is said. Sources, 2026-11:
https://code.claude.com/docs/en/claude-apps-gateway-spend-limits,
https://platform.claude.com/docs/en/api/http/beta/organization/spend_limits/list.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

PERIODS = {"daily": "day", "weekly": "week", "monthly": "month"}
CENTS = 100
_MOST_NAME, _MOST_DIGITS = 60, 12


class MirroredBudget(NamedTuple):
    """A row of `[[budget]]`."""

    name: str
    per: str
    limit_usd: Decimal
    team: str
    user: str


class Mirrored(NamedTuple):
    budgets: list[MirroredBudget]
    problems: list[str]
    """What has no counterpart, or another meaning here."""


def mirrored(limits: Iterable[Any]) -> Mirrored:
    """The limits of a list as budgets. Raises nothing: what cannot be mirrored is a problem."""
    found = Mirrored([], [])
    for place, limit in enumerate(limits, 1):
        fields = limit if isinstance(limit, Mapping) else {}
        budget = _budget(fields)
        if isinstance(budget, str):
            found.problems.append(f"limit {place} ({str(fields.get('id') or 'without an id')[:_MOST_NAME]}): {budget}")
        else:
            found.budgets.append(budget)
    return Mirrored(found.budgets, found.problems + _more_generous(found.budgets))


def _budget(limit: Mapping[str, Any]) -> MirroredBudget | str:
    """The budget, or why there is none."""
    scope, period, amount = limit.get("scope"), str(limit.get("period")), limit.get("amount")
    kind, currency = _text(scope, "type"), str(limit.get("currency") or "USD")
    named = {
        "organization": ("", "*"),
        "user": ("", _text(scope, "user_id")),
        "rbac_group": (_text(scope, "rbac_group_id"), "*"),
    }
    team, user = named.get(kind, ("", ""))
    is_number = isinstance(amount, str) and amount.isdecimal() and amount.isascii() and len(amount) <= _MOST_DIGITS
    faults = (
        (limit.get("is_enabled") is False, "it is switched off"),
        (period not in PERIODS, f"its period '{period[:_MOST_NAME]}' is not known here"),
        (currency != "USD", f"it is in {currency[:_MOST_NAME]}; budgets are in dollars"),
        (amount is None, "it says that there is no limit, and budgets have no word that takes another one away"),
        (not is_number, "its amount is no number of cents"),
        (amount == "0", "its amount is 0: revoke the key instead ('modicum key revoke')"),
        (not user or (kind == "rbac_group" and not team), f"its scope '{kind[:_MOST_NAME]}' has no counterpart here"),
    )
    if fault := next((why for is_so, why in faults if is_so), ""):
        return fault
    whose, per = team or ("each" if user == "*" else user), PERIODS[period]
    return MirroredBudget(f"claude-{whose}-{per}"[:_MOST_NAME], per, Decimal(str(amount)) / CENTS, team, user)


def _text(scope: Any, name: str) -> str:
    value = scope.get(name) if isinstance(scope, Mapping) else None
    return value[:200] if isinstance(value, str) else ""


def _more_generous(budgets: list[MirroredBudget]) -> list[str]:
    """Those that would be held to a smaller limit here than there."""
    of_all = {budget.per: budget for budget in budgets if budget.user == "*" and not budget.team}
    return [
        f"{budget.name}: {budget.limit_usd:f} dollars a {budget.per} there; here 'claude-each-{budget.per}' "
        f"({of_all[budget.per].limit_usd:f}) holds, too, since a call must fit into every budget that covers it"
        for budget in budgets
        if budget.per in of_all and budget.limit_usd > of_all[budget.per].limit_usd
    ]
