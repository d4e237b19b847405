"""What was spent before we counted, added to the counters: once per budget, window and ledger, however many ask."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from time import monotonic

from modicum.calls import UserError
from modicum.gateway.budgets import replies
from modicum.gateway.budgets.cover_plan import CallCover
from modicum.gateway.budgets.covering import BETWEEN, CountedBudget, CoveringBudget
from modicum.gateway.budgets.spent import SpentBefore
from modicum.gateway.failures import Failed, contain_stage
from modicum.gateway.process.log import log
from modicum.governance.budget_raises import raised_to
from modicum.state.counters import SharedCounters, StateAway

TRY_AGAIN_S = 1.0
TRY_FOR_S = 30.0
"""How long a ledger that does not answer is asked again without any call; later calls ask."""
MOST_REMEMBERED = 10_000
"""Sums of which it is remembered what was spent in the window before; of others the counters are asked again."""


class FormerLoads:
    """Used from the event loop.

    Args:
        counters: what it is added to.
        before: knows what was spent.
        failed: counts the failures of what is optional.
    """

    def __init__(self, counters: SharedCounters, before: SpentBefore, failed: Failed) -> None:
        self._counters, self._before, self._failed = counters, before, failed
        self._loads: dict[tuple[str, datetime | None], asyncio.Future[bool]] = {}
        self._spent_before: dict[str, int] = {}
        """By counter, what was spent in the window before, of budgets that carry on what was left there."""
        self._thread = ThreadPoolExecutor(1, "spent")

    async def load_cover(self, cover: CallCover) -> None:
        """The same for all sums of a kind of call. Once that is done, it holds as long as the counters do.

        Raises:
            Refused, StateAway: as `load`.
        """
        generation = self._counters.generation
        if cover.complete_in == generation:
            return
        for one in cover.sums:
            await self.load(one)
        if all(one.span.start >= one.counted.since or self._is_loaded(one) for one in cover.sums):
            cover.complete_in = generation

    async def load(self, one: CoveringBudget) -> None:
        """Adds what was spent in the window before we counted, by everybody who counts with us.

        Raises:
            Refused: a hard budget's former spend cannot be learned.
            StateAway: the counters cannot be reached.
        """
        if one.span.start >= one.counted.since:
            return
        is_loaded = await self._load(one)
        if not is_loaded and one.budget.is_hard:
            raise replies.unknown(one.budget)
        if one.budget.is_hard:
            await self._counters.all_loaded()

    async def load_all(self, budgets: Sequence[CountedBudget]) -> None:
        """The same for all budgets, so that others who count with us need not wait for a call of ours.

        Raises:
            StateAway: the counters cannot be reached.
        """
        generation, until = self._counters.generation, monotonic() + TRY_FOR_S
        for place in _places_now(budgets):
            while place.span.start < place.counted.since and not await self._load(place):
                if monotonic() > until or self._counters.generation != generation:
                    return
                await asyncio.sleep(TRY_AGAIN_S)
        if self._counters.generation == generation:
            await self._counters.report_loaded()

    async def with_carried(self, one: CoveringBudget) -> CoveringBudget:
        """With what was left of the window before, if the budget carries that on: settled once for everybody.

        Raises:
            Refused: nobody can say what was spent there.
            StateAway: the counters cannot be reached.
        """
        declared = one.counted.budget
        if not declared.most_carried:
            return one
        if one.counter not in self._spent_before:
            before = declared.window.span_before(one.span)
            if before is None:
                return one
            former = one.counted.sum_of(one.instance, before.start)
            await self.load(former)
            if len(self._spent_before) >= MOST_REMEMBERED:
                self._spent_before.clear()
            self._spent_before[one.counter] = await self._settled_sum(one, former)
        carried = declared.carried(self._spent_before[one.counter])
        return one._replace(budget=raised_to(one.budget, one.budget.limit + carried))

    async def _settled_sum(self, one: CoveringBudget, former: CoveringBudget) -> int:
        """What counts as spent in a window that is over, the same for everybody who counts with us. What is carried
        on is taken out of it, so that a call which began there and comes late cannot have it as well.
        """
        (level,) = await self._counters.levels([former.held_line(0)])
        spent = level.spent + level.reserved
        place = one.held_line(spent)._replace(counter=BETWEEN.join((one.counter, "before")), limit=spent)
        taken = former.held_line(one.counted.budget.carried(spent))
        await self._counters.add_once(place.counter, [(place, 0.0), (taken, 0.0)])
        (level,) = await self._counters.levels([place])
        return level.spent

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _is_loaded(self, one: CoveringBudget) -> bool:
        load = self._loads.get(_load_key(one))
        return load is not None and load.done() and not load.cancelled() and load.exception() is None and load.result()

    async def _load(self, one: CoveringBudget) -> bool:
        key = _load_key(one)
        load = self._loads.get(key)
        if load is None:
            load = self._loads[key] = asyncio.ensure_future(self._try_to_add(one))
            load.add_done_callback(_look_at_end)
        is_loaded = False
        try:
            is_loaded = await asyncio.shield(load)
        finally:
            if not is_loaded and load.done() and self._loads.get(key) is load:  # the next call tries again
                del self._loads[key]
        return is_loaded

    async def _try_to_add(self, one: CoveringBudget) -> bool:
        """Whether that could be done; why not is logged once for all calls that wait for it."""
        try:
            with contain_stage("budgets", self._failed, (UserError, StateAway)):
                await self._add(one)
                return True
        except UserError as error:
            log("budget_unknown", budget=one.budget.name, problem=str(error))
        return False

    async def _add(self, one: CoveringBudget) -> None:
        """A sliding window is asked for as a whole, whatever of it has passed since: what is too old is forgotten.

        Not before everybody has reserved again what runs: what ends until then is in the ledger, the rest is not.
        """
        await self._counters.all_reserved_again()
        budget, start, until = one.budget, one.span.start, one.counted.since
        if one.span.end is not None:
            until = min(until, one.span.end)
        if one.counted.is_sliding:
            start = until - timedelta(seconds=budget.window.sliding_s)
        counted_in = self._counters.generation
        former = await asyncio.get_running_loop().run_in_executor(
            self._thread, self._before.find, budget, start, until, counted_in
        )
        passed_s = max((datetime.now(UTC) - until).total_seconds(), 0.0)
        counter = one.counter.split(BETWEEN)[:2]
        spent = [
            (
                one._replace(counter=BETWEEN.join((*counter, *spend.instance))).line(spend.amount),
                spend.age_s + passed_s,
            )
            for spend in former
        ]
        await self._counters.add_once(BETWEEN.join((*counter, self._before.ledger)), spent)


def _load_key(one: CoveringBudget) -> tuple[str, datetime | None]:
    return one.counted.identity, None if one.counted.is_sliding else one.span.start


def _places_now(budgets: Sequence[CountedBudget]) -> list[CoveringBudget]:
    """The window of now of each budget, and the one before where something may be carried from it."""
    places = []
    for one in budgets:
        place = one.sum_of((), datetime.now(UTC))
        before = one.budget.window.span_before(place.span) if one.budget.most_carried else None
        places += [place] if before is None else [place, one.sum_of((), before.start)]
    return places


def _look_at_end(load: "asyncio.Future[bool]") -> None:
    """So that nobody complains of an exception which nobody waited for: who calls next asks again."""
    if not load.cancelled():
        load.exception()
