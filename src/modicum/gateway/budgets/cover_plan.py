"""Which sums of the budgets in force a call counts in, worked out once for all calls that look the same to them.

The answer is that of `CountedBudget.covering`, budget by budget. It is kept as long as no window begins and no raise is
approved, begins or ends.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from math import inf
from operator import attrgetter
from typing import Any

from modicum.gateway.budgets.covering import CountedBudget, CoveringBudget
from modicum.governance.budget_raises import Raises
from modicum.governance.budgets import Amounts, LimitUnit, Spender

MOST_KEPT = 10_000
"""Kinds of calls; names of tasks come from callers. Of more all are worked out again."""
_OWNER = ("team", "app", "user", "key")


class CallCover:
    """The sums that a kind of call counts in, and what must be done for them."""

    __slots__ = ("_hard_units", "assuming", "complete_in", "is_calls_alone", "is_plain", "says_left", "sums", "warns")

    def __init__(self, sums: tuple[CoveringBudget, ...]) -> None:
        budgets = [one.budget for one in sums]
        self.sums = sums
        self.is_plain = not any(one.most_carried or one.emergency_reserve for one in budgets)
        """Whether limits are the same for each of its calls."""
        self.warns = not all(one.is_hard for one in budgets)
        self.assuming = tuple(one for one in budgets if one.assume_max_tokens)
        """Those that bound the output of calls which do not."""
        self.says_left = any(one.agent_line_below for one in budgets)
        """Whether an agent may be shown what is left."""
        self._hard_units = frozenset(one.unit for one in budgets if one.is_hard)
        self.is_calls_alone = all(one.unit is LimitUnit.CALLS for one in budgets)
        self.complete_in: str | None = None
        """The generation of counters that are known to hold all that was spent before; None: none."""

    def refuses(self, worst: Amounts) -> bool:
        """Whether nobody knows what a call may cost in the unit of a budget that would refuse it."""
        for unit in self._hard_units:  # noqa: SIM110 - asked at every call, and a generator takes thrice as long
            if worst.in_unit(unit) is None:
                return True
        return False


class _CoverFor:
    __slots__ = ("cover", "from_s", "raises", "until_s")

    def __init__(self, cover: CallCover, raises: Raises, from_s: float, until_s: float) -> None:
        self.cover, self.raises, self.from_s, self.until_s = cover, raises, from_s, until_s


class CoverPlan:
    """Of some budgets. Others, or the same counted from another moment, have a plan of their own.

    Args:
        budgets: in force.
        raises: for how long they were raised, as of now; the same object as long as nothing was decided.
    """

    def __init__(self, budgets: Sequence[CountedBudget] = (), raises: Callable[[], Raises] = Raises) -> None:
        self._budgets, self._raises = tuple(budgets), raises
        declared = [one.budget for one in budgets]
        names = [name for name in _OWNER if any(getattr(one, name) for one in declared)]
        self._owner_part: Callable[[Any], Any] = attrgetter(*names) if names else _nobody
        self._by_model, self._by_task = any(one.model for one in declared), any(one.task for one in declared)
        self._tags = tuple(sorted({one.tag for one in declared if one.tag}))
        self._kept: dict[tuple[Any, ...], _CoverFor] = {}

    def cover(self, call: Spender, at_s: float) -> CallCover:
        """The sums that a call counts in which begins then, in seconds since 1970."""
        raises, key = self._raises(), self._key(call)
        kept = self._kept.get(key)
        if kept is not None and kept.raises is raises and kept.from_s <= at_s < kept.until_s:
            return kept.cover
        at = datetime.fromtimestamp(at_s, UTC)
        found = (one.covering(call, at) for one in self._budgets)
        sums = tuple(one for one in found if one is not None)
        cover = CallCover(sums)
        spans = [_lasts(one, raises, at_s) for one in sums]
        if len(self._kept) >= MOST_KEPT:
            self._kept.clear()
        from_s, until_s = max((start for start, _ in spans), default=-inf), min((end for _, end in spans), default=inf)
        self._kept[key] = _CoverFor(cover, raises, from_s, until_s)
        return cover

    def _key(self, call: Spender) -> tuple[Any, ...]:
        """All that these budgets look at in a call."""
        owner, model, task, tags = call
        whose = self._owner_part(owner), model if self._by_model else "", task if self._by_task else ""
        return whose if not self._tags else (*whose, *(tags.get(name, "") for name in self._tags))


def _nobody(owner: Any) -> None:
    del owner


def _lasts(one: CoveringBudget, raises: Raises, at_s: float) -> tuple[float, float]:
    """From when until when a sum is the same for every call of its kind, in seconds since 1970; the end is not within.
    Where that moves with the moment of the call it is that of this call alone.
    """
    counted, span = one.counted, one.span
    if raises.has_any(counted.budget):
        return at_s, at_s
    if counted.is_sliding:  # where its window begins matters only while it reaches back to before we counted
        reaches_until_s = counted.since.timestamp() + counted.slides_s
        return (reaches_until_s, inf) if at_s >= reaches_until_s else (at_s, at_s)
    return span.start.timestamp(), inf if span.end is None else span.end.timestamp()
