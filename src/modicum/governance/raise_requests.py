"""A raise of a budget as people ask for one: an amount, an end, a reason, each checked."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from zoneinfo import ZoneInfo

from modicum.calls import UserError
from modicum.governance.budget_raises import RaiseEvent, raised
from modicum.governance.budgets import EACH, Budget, LimitUnit, show_amount

MOST_DAYS = 366
_LENGTH = re.compile(r"([1-9][0-9]{0,4})(m|h|d)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def plan_raise(
    budget: Budget,
    *,
    to: str,
    until: str,
    of: Sequence[str],
    why: str,
    by: str,
    approved_by: str,
    zone: ZoneInfo,
    now: datetime,
) -> RaiseEvent:
    """The event that raises a budget as it was asked for.

    Raises:
        UserError: amount, end, names or reason cannot be.
    """
    reason = why.strip()
    if not reason:
        raise UserError("the reason is empty: write it; it stands in the audit log")
    return raised(
        budget,
        _amount(budget, to),
        _checked_names(budget, tuple(of)),
        now,
        _moment(until, zone, now),
        by,
        approved_by or by,
        reason,
    )


def _amount(budget: Budget, text: str) -> int:
    try:
        amount = Decimal(text.replace("_", "").removeprefix("$"))
        whole = int(amount * budget.unit.scale)
    except (InvalidOperation, ValueError, OverflowError):
        raise UserError(f"'{text:.80}' is no amount; write a number, as 800") from None
    most = 10**18 if budget.unit is LimitUnit.USD else 10**15  # whole numbers that every counter holds
    if not budget.limit < whole <= most:
        limit = show_amount(budget.unit, budget.limit)
        raise UserError(
            f"{text:.80}: a raise must be above the limit of '{budget.name}', {limit}, and at most "
            f"{show_amount(budget.unit, most)}; a lower limit is set in modicum.toml"
        )
    return whole


def _moment(text: str, zone: ZoneInfo, now: datetime) -> datetime:
    length = _LENGTH.fullmatch(text)
    try:
        if length is not None:
            until = now + timedelta(**{_UNITS[length[2]]: int(length[1])})
        else:
            at = datetime.fromisoformat(text)
            until = (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UserError(f"'{text:.80}' is no time; write 90m, 4h, 3d, 2026-12-24 or 2026-12-24T18:00") from None
    if not now < until <= now + timedelta(days=MOST_DAYS):
        raise UserError(f"'{text:.80}': the end must lie within the next {MOST_DAYS} days: a raise ends by itself")
    return until


def _checked_names(budget: Budget, of: tuple[str, ...]) -> tuple[str, ...]:
    names = [budget.team, budget.app, budget.user, budget.key, budget.task, budget.tag_value].count(EACH)
    if of and len(of) != names:
        raise UserError(
            f"{len(of)} names of a sum, and '{budget.name}' has sums by {names or 'no'} names; "
            f"'modicum budget show {budget.name}' shows them in their order"
        )
    return of
