"""Which rate limits count a call, worked out once for all calls of one caller, model and upstream.

What a call takes of a limit depends on the call only where tokens are limited; all else of its lines is kept.
"""

from collections.abc import Sequence
from typing import NamedTuple

from modicum.calls import Owner
from modicum.governance.limits import WINDOW_S, RateLimit, RateStanding, RateUnit, amount_of
from modicum.state.counters import Level, Line

KEPT_S = 2 * WINDOW_S
MOST_KEPT = 10_000
"""Callers, by model and upstream; models' names come from callers. Of more all are worked out again."""
_BETWEEN = "\x1f"


class LimitLine(NamedTuple):
    """What a call takes of one limit, in one unit."""

    limit: RateLimit
    unit: RateUnit
    line: Line

    def standing(self, level: Level) -> RateStanding:
        frees_in_s = None if self.unit is RateUnit.AT_ONCE else level.frees_in_s
        return RateStanding(self.limit, self.unit, level.spent + level.reserved, frees_in_s)


class LimitPlan:
    """Of some limits; others have a plan of their own."""

    def __init__(self, limits: Sequence[RateLimit] = ()) -> None:
        self.limits = tuple(limits)
        self._kept: dict[tuple[str, ...], tuple[LimitLine, ...]] = {}

    def __bool__(self) -> bool:
        """Whether there are limits at all."""
        return bool(self.limits)

    def lines(self, owner: Owner, model: str, upstream: str, tokens: int) -> tuple[LimitLine, ...]:
        """What a call takes that may use so many tokens, of each limit that counts it."""
        key = owner.team, owner.app, owner.user, owner.key, model, upstream
        kept = self._kept.get(key)
        if kept is None:
            if len(self._kept) >= MOST_KEPT:
                self._kept.clear()
            kept = self._kept[key] = tuple(self._lines(owner, model, upstream))
        return tuple([_of_tokens(one, tokens) if one.unit is RateUnit.TOKENS else one for one in kept])

    def _lines(self, owner: Owner, model: str, upstream: str) -> list[LimitLine]:
        """As a call without tokens takes them."""
        lines = []
        for limit in self.limits:
            instance = limit.instance_of(owner, model, upstream)
            if instance is None:
                continue
            for unit, most in limit.most.items():
                counter = _BETWEEN.join(("limit", limit.name, unit, *instance))
                lines.append(LimitLine(limit, unit, Line(counter, 1, most, WINDOW_S, KEPT_S)))
        return lines


def _of_tokens(one: LimitLine, tokens: int) -> LimitLine:
    limit, unit, line = one
    counter, _, most, slides_s, kept_s = line
    amount = amount_of(limit, unit, tokens) if most else 1  # of nothing nobody gets anything
    return LimitLine(limit, unit, Line(counter, amount, most, slides_s, kept_s))
