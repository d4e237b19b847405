"""Budgets that cover a call, and what it counts there: what it may cost, and what failed attempts of it have cost."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import NamedTuple

from modicum.governance.budget_raises import Raises, raised_to
from modicum.governance.budget_windows import Period, WindowSpan
from modicum.governance.budgets import AtLimit, Budget, Spender, Standing
from modicum.state.counters import Line


class CountedBudget:
    """A budget in force, with what every call would otherwise work out anew.

    Args:
        budget: the budget.
        since: from when on its calls are counted here.
        raises: for how long it was raised, as of now.
    """

    __slots__ = ("_raises", "_span", "budget", "identity", "is_sliding", "kept_s", "since", "slides_s")

    def __init__(self, budget: Budget, since: datetime, raises: Callable[[], Raises] = Raises) -> None:
        self.budget, self.since, self._raises = budget, since, raises
        self.identity = f"{budget.identity}|{since.isoformat()}"
        """A budget that was taken out and comes again counts anew: meanwhile nobody counted for it here."""
        self.is_sliding = budget.window.period is Period.SLIDING
        self.slides_s, self.kept_s = float(budget.window.sliding_s), 2 * budget.window.longest_s
        self._span: WindowSpan | None = None

    def covering(self, call: Spender, at: datetime) -> "CoveringBudget | None":
        """The sum in which a call counts that begins then; None: it does not."""
        instance = self.budget.instance_of(call)
        if instance is None:
            return None
        return self.sum_of(instance, at)

    def sum_of(self, instance: tuple[str, ...], at: datetime) -> "CoveringBudget":
        """The sum of those names, in the window of that moment."""
        span = self._span
        if span is None or self.is_sliding or not span.covers(at):
            span = self._span = self.budget.window.span_at(at)
        start = "" if self.is_sliding else f"{span.start.timestamp():.0f}"
        budget = raised_to(self.budget, self._raises().limit_of(self.budget, instance, at))
        return CoveringBudget(self, budget, span, BETWEEN.join((self.identity, start, *instance)), instance)


BETWEEN = "\x1f"
LEAST_CALLS = 256
"""How often a call must fit into a whole budget, to be no matter to it by how much its worst case is bounded too high.
"""


class CoveringBudget(NamedTuple):
    """A budget that covers a call, and the sum in which the call counts."""

    counted: CountedBudget
    budget: Budget
    """As it stands for this sum: raised, if it was."""
    span: WindowSpan
    counter: str
    instance: tuple[str, ...]
    kept_back: int = 0
    """How much of the limit is not for this call."""

    def without_reserve(self) -> "CoveringBudget":
        """For a call that may not use what is kept for agents in the middle of their work."""
        reserve = self.budget.emergency_reserve
        return self._replace(kept_back=reserve) if reserve else self

    def line(self, amount: int, *, may_downgrade: bool = False) -> Line:
        """`may_downgrade`: refused already where calls go to the cheaper model."""
        budget, counted = self.budget, self.counted
        at_limit = budget.at_limit
        if at_limit is AtLimit.ALERT:
            limit = None
        else:
            limit = max(budget.limit - self.kept_back, 0)
            if may_downgrade and at_limit is AtLimit.DOWNGRADE:
                limit = min(limit, budget.downgrade_above)
        return Line(self.counter, amount, limit, counted.slides_s, counted.kept_s)

    def held_line(self, amount: int) -> Line:
        """Reserved whatever is spent: the call is under way."""
        return Line(self.counter, amount, None, self.counted.slides_s, self.counted.kept_s)


def far_below(lines: Sequence[Line]) -> list[Line] | None:
    """The lines of a call, admitted only where its limits are far: none of them half used with it. None: it takes too
    much of one for that, whatever is left.
    """
    far = []
    for counter, amount, limit, slides_s, kept_s in lines:
        if limit is not None and amount * LEAST_CALLS > limit:
            return None
        far.append(Line(counter, amount, None if limit is None else limit // 2, slides_s, kept_s))
    return far


class PaidOn(NamedTuple):
    """What a call's failed attempts count on a budget."""

    one: CoveringBudget
    amount: int


def with_paid(lines: Sequence[Line], paid: Sequence[PaidOn]) -> list[Line]:
    """What a call counts, with its failed attempts. Where only these count, it is a fact that was reserved before."""
    if not paid:
        return list(lines)
    former = {one.one.counter: one for one in paid}
    added = [former.pop(line.counter).amount if line.counter in former else 0 for line in lines]
    whole = [line._replace(amount=line.amount + more) for line, more in zip(lines, added, strict=True)]
    return whole + [one.one.held_line(one.amount) for one in former.values()]


def after_attempts(
    standings: Sequence[Standing], covering: Sequence[CoveringBudget], paid: Sequence[PaidOn]
) -> Sequence[Standing]:
    """How budgets stand for a call whose failed attempts have cost something: that is spent, whoever else runs."""
    amounts = {one.one.counter: one.amount for one in paid}
    return [
        standing._replace(spent=standing.spent + amounts.get(one.counter, 0))  # no running call will give it back
        for standing, one in zip(standings, covering, strict=True)
    ]
