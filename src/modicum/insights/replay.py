"""A history under changes: what each call would have read, written and cost, and so what the changes would have saved.

Both arms are simulated by the same rules, so a change that changes nothing saves exactly nothing, and together changes
save no more than was spent. How well the arm without changes reproduces the record is the `Fidelity`, which stands
beside every figure. Nothing here is multiplied by a constant: effects on the prompt cache come out of the replay.

An "arm" is one course of history, as in a trial: with the changes, or without. All arrays are one value per call, in
the order of the history, (C,); the buckets of a call are tokens read from cache, written for five minutes, written for
an hour, uncached, visible output and reasoning, in this order.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from itertools import pairwise

import numpy as np

from modicum.calls import UserError
from modicum.insights.cache_replay.other_contexts import follow_contexts
from modicum.insights.caching import Caching, find_alike_calls, find_cache_rules, find_whole_units
from modicum.insights.finding import Finding, FindingClass, HistoryChange
from modicum.insights.history import Flags, Floats, History, Ints
from modicum.insights.joined_changes import JoinedChanges, RemovedTokens, count_removed_before
from modicum.insights.rates import RateTable
from modicum.metering import keep_warm, prompt_cache
from modicum.metering.prices import PriceBook

PROVED_WITHIN = 0.001
"""Share of the cost by which two courses of history may differ and be one figure."""
WIDEST_ERROR = 0.9
"""A replay that is further off bounds nothing; the bounds stay finite."""
TOTAL_WITHIN, MEDIAN_WITHIN = 0.02, 0.03
"""Fidelity within which replayed figures stand as they are; beyond it they are bounds."""
EXCUSED_WITHIN = 0.1
"""Share of the cost beyond which excused breaks make bounds of the figures, too: the errors say little then."""


@dataclass(frozen=True)
class PricedHistory:
    """One course of history. One value per call; tokens as floats, cost NaN where no price is known."""

    read: Floats
    written_5m: Floats
    written_1h: Floats
    uncached: Floats
    output_visible: Floats
    output_reasoning: Floats
    cost_usd: Floats

    @property
    def prompt(self) -> Floats:
        return self.read + self.written_5m + self.written_1h + self.uncached

    @property
    def total_usd(self) -> float:
        return float(np.nansum(self.cost_usd))


@dataclass(frozen=True)
class HistoryReplay:
    base: PricedHistory
    changed: PricedHistory
    recorded_usd: float
    unpriced_calls: int = 0
    """Calls that would have had no known price under the change; they stay as they were."""
    doubtful_share: float | None = None
    """What is saved if no conversation reads a beginning that another one left in the cache; None: the record shows
    whether they do."""

    @property
    def is_proved(self) -> bool:
        """Whether the saving is the same, read beginnings or not."""
        return self.doubtful_share is None or abs(self.saving_share - self.doubtful_share) <= PROVED_WITHIN

    def range_share(self, error: float) -> tuple[float, float]:
        """Between what the saving lies: with and without shared beginnings, each arm off by this share at most."""
        shares = sorted((self.saving_share, self.saving_share if self.doubtful_share is None else self.doubtful_share))
        wide = (1 + min(error, WIDEST_ERROR)) / (1 - min(error, WIDEST_ERROR))
        return 1 - (1 - shares[0]) * wide, 1 - (1 - shares[1]) / wide

    @property
    def saving_share(self) -> float:
        """What is saved, as a share of the cost without changes. Negative: the change would have cost more."""
        whole = self.base.total_usd
        return (whole - self.changed.total_usd) / whole if whole else 0.0

    @property
    def saving_usd(self) -> float:
        """The share of what the record says was spent: the error of the base arm is not carried into dollars."""
        return self.saving_share * self.recorded_usd


@dataclass(frozen=True)
class Fidelity:
    """How well the replay without changes reproduces the record. Shares, 0.01 is 1 %."""

    total_error: float
    """Of the whole cost; signed, positive: the replay costs more than the record."""
    median_task_error: float
    unexplained_share: float
    """Share of the cost in calls that read far less than stood in the cache, with no cause in the record. They keep
    their recorded cost in both arms."""
    unexplained_calls: int
    calls: int
    tasks: int
    read_error: float = 0.0
    """Of all cache reads, signed."""
    total_error_by_rules: float = 0.0
    """As `total_error`, had the unexplained breaks read what the rules promise."""
    unpriced_calls: int = 0

    @property
    def is_within(self) -> bool:
        small = abs(self.total_error) <= TOTAL_WITHIN and self.median_task_error <= MEDIAN_WITHIN
        return small and self.unexplained_share <= EXCUSED_WITHIN


class Replay:
    """Replays of one history: what does not depend on the changes is worked out once.

    Args:
        history: what happened.
        prices: the rates of its days.
    """

    def __init__(self, history: History, prices: PriceBook) -> None:
        self.history = history
        self._rates = RateTable(history, prices)
        self.caching = Caching.compute(history)

    @cached_property
    def rates(self) -> Floats:
        """Dollars per token of each call as it was, a column per bucket in the order of `TEXT_BUCKETS`. (C, 6)"""
        history = self.history
        prompt = history.prompt.astype(np.float64)
        return self._rates.per_call(history.model, history.models, history.tier, history.tiers, prompt)

    @cached_property
    def base(self) -> PricedHistory:
        """The history as the rules reproduce it."""
        return self._simulate(JoinedChanges.join(self.history, ()))[0]

    @cached_property
    def _hopeful_base(self) -> PricedHistory:
        if not self.caching.shared.is_unproved.any():
            return self.base
        return self._simulate(JoinedChanges.join(self.history, ()), hopeful=True)[0]

    @cached_property
    def _by_rules(self) -> Floats:
        """Cost per call if even the unexplained breaks had not been."""
        unbroken = HistoryChange(unbroken=self.caching.unexplained)
        return np.where(
            self.caching.unexplained,
            self._simulate(JoinedChanges.join(self.history, [unbroken]))[0].cost_usd,
            self.base.cost_usd,
        )

    @cached_property
    def recorded(self) -> PricedHistory:
        """The history as it was, priced at the rates of its days."""
        history = self.history
        buckets = [history.cache_read, history.cache_write_5m, history.cache_write_1h, history.uncached]
        buckets += [history.output_visible, history.output_reasoning]
        plan = JoinedChanges.join(history, ())
        return self._price([bucket.astype(np.float64) for bucket in buckets], plan)[0]

    def run(self, changes: Sequence[HistoryChange]) -> HistoryReplay:
        """The history under all these changes at once."""
        recorded_usd = self.recorded.total_usd
        if not changes:
            return HistoryReplay(self.base, self.base, recorded_usd)
        plan = JoinedChanges.join(self.history, changes)
        changed, unpriced = self._simulate(plan, hopeful=True)
        hopeful = HistoryReplay(self._hopeful_base, changed, recorded_usd, unpriced)
        if not self._depends_on_hope(plan):
            return hopeful
        doubtful = HistoryReplay(self.base, self._simulate(plan)[0], recorded_usd)
        return replace(hopeful, doubtful_share=doubtful.saving_share)

    def _depends_on_hope(self, plan: JoinedChanges) -> bool:
        """Whether the changes touch caches of which nobody has seen whether others read their beginnings."""
        unproved = self.caching.shared.is_unproved
        return bool((unproved & ((plan.ttl_s > 0) | self.caching.habits.caches)).any())

    def price_prediction(self, prediction: prompt_cache.CachePrediction) -> PricedHistory:
        """The history as another prediction has it, to hold this one against."""
        output = [self.history.output_visible.astype(np.float64), self.history.output_reasoning.astype(np.float64)]
        return self._price(
            [*_split_writes(prediction, self.caching.habits), *output], JoinedChanges.join(self.history, ())
        )[0]

    def fidelity(self, calls: Flags | None = None, base: PricedHistory | None = None) -> Fidelity:
        """How well the replay reproduces the record, for all calls or for some (those of one source).

        `base`: another arm without changes, instead of ours.
        """
        history, arm = self.history, base or self.base
        priced = ~np.isnan(self.recorded.cost_usd)
        chosen = priced if calls is None else priced & calls
        record, cost = self.recorded.cost_usd[chosen], arm.cost_usd[chosen]
        # One value per task from here: what its calls cost by the record, and in this arm.
        tasks, task_of_call = np.unique(history.task[chosen], return_inverse=True)
        task_record = np.bincount(task_of_call, record, len(tasks))
        task_cost = np.bincount(task_of_call, cost, len(tasks))
        # The error of a task is a share of its cost, so tasks that cost nothing have none.
        paid = task_record > 0
        errors = np.abs(task_cost[paid] - task_record[paid]) / task_record[paid]
        whole = float(record.sum())
        reads = float(history.cache_read[chosen].sum())
        excused = self.caching.unexplained[chosen]
        return Fidelity(
            total_error=(float(cost.sum()) - whole) / whole if whole else 0.0,
            median_task_error=float(np.median(errors)) if len(errors) else 0.0,
            unexplained_share=float(record[excused].sum()) / whole if whole else 0.0,
            unexplained_calls=int(excused.sum()),
            calls=int(chosen.sum()),
            tasks=len(tasks),
            total_error_by_rules=(float(self._by_rules[chosen].sum()) - whole) / whole if whole else 0.0,
            read_error=(float(arm.read[chosen].sum()) - reads) / reads if reads else 0.0,
            unpriced_calls=int((~priced if calls is None else ~priced & calls).sum()),
        )

    def _simulate(self, plan: JoinedChanges, *, hopeful: bool = False) -> tuple[PricedHistory, int]:
        """The history under these changes, and how many calls have no known price under them. `hopeful`: shared
        beginnings are read, also where nobody has seen that.

        Prompts shrink by what is removed from them, the caches are predicted anew for the smaller prompts, and what
        comes out is priced.
        """
        history, calls = self.history, self.caching.calls
        removed = RemovedTokens.count(history, plan)
        prompt = np.maximum(calls.prompt - removed.tokens, 0)
        # Of what stood before, what is removed is gone. 0 and UNKNOWN_TOKENS (negative) mean what they meant.
        kept = np.where(calls.kept > 0, np.maximum(calls.kept - removed.of_kept, 0), calls.kept)
        # Infinite: all that the call before left in the cache still stands.
        kept = np.where(plan.unbroken, np.inf, self._pass_on_lost_caches(kept, plan))
        changed = replace(calls, model=plan.model, prompt=prompt, kept=kept, made=~plan.dropped)
        if not plan.contexts.are_as_they_were:
            changed = follow_contexts(history, changed, plan.contexts)
            prompt = changed.prompt
        if plan.swapped:
            minimum, step, implicit, ttl_s, longer_s = find_cache_rules(history, plan.model, plan.models)
            changed = replace(changed, minimum=minimum, step=step, implicit=implicit, ttl_s=ttl_s, longer_s=longer_s)
            changed = replace(changed, whole=find_whole_units(history, plan.model, plan.models))
        unmarked = self._count_unmarked(prompt, removed, hopeful=hopeful)
        habits = self.caching.habits
        if plan.swapped:
            habits = prompt_cache.move_habits(habits, calls, changed)
        habits = prompt_cache.change_habits(habits, plan.ttl_s, removed.of_front, unmarked)
        # Sorting is the slow part, and sizes have no part in it: only other models or fewer calls need it anew.
        same_order = not plan.swapped and not plan.dropped.any() and plan.contexts.conversation is None
        orders = self.caching.orders if same_order else prompt_cache.CallOrders.sort(changed, habits.group)
        pinged = np.zeros((2, history.calls))
        if plan.pings.any():
            pinged = _count_pinged(changed, orders, habits, plan.pings)
            habits = replace(habits, ttl_left_s=keep_warm.extend_ttl(habits.ttl_left_s, plan.pings))
        prediction = prompt_cache.predict(
            changed,
            habits,
            orders,
            self._find_alike(changed, habits, removed, hopeful=hopeful),
        )
        buckets = _split_writes(prediction, habits)
        self._keep_unexplained(buckets, plan, prompt)
        # A limit on output is taken to cut reasoning first: visible output keeps all that the limit allows.
        visible = np.minimum(history.output_visible, plan.most_output)
        reasoning = np.minimum(history.output_reasoning, plan.most_output - visible)
        buckets += [np.where(plan.dropped, 0, visible), np.where(plan.dropped, 0, reasoning)]
        return self._price(buckets, plan, pinged)

    def _count_unmarked(self, prompt: Floats, removed: RemovedTokens, *, hopeful: bool) -> Floats:
        """What a caller that begins to use the cache would leave unmarked: all behind the shared beginning, where that
        is all that is ever sent again.
        """
        shared = self.caching.shared
        only_front = shared.lone & ((shared.verdict > 0) | (hopeful & np.isnan(shared.verdict)))
        return np.where(only_front, np.maximum(prompt - (shared.root_tokens - removed.of_front), 0), 0)

    def _find_alike(
        self,
        calls: prompt_cache.CallSequence,
        habits: prompt_cache.CacheHabits,
        removed: RemovedTokens,
        *,
        hopeful: bool,
    ) -> Floats | None:
        alike = find_alike_calls(self.caching.shared, calls, habits, hopeful=hopeful)
        return alike if alike is None else np.where(alike > 0, np.maximum(alike - removed.of_front, 0), alike)

    def _pass_on_lost_caches(self, kept: Floats, plan: JoinedChanges) -> Floats:
        """How much stood before each call, where a call that met an unexplained break is not made: nobody knows why the
        cache was lost, so the next call would have found it lost.

        A dropped call takes part in no prediction; but the least that stood over all calls in between counts for the
        one behind it. So it is enough to lower its own value to what it read.
        """
        dropped_breaks = np.flatnonzero(self.caching.unexplained & plan.dropped)
        if len(dropped_breaks) == 0:
            return kept
        read = self.history.cache_read[dropped_breaks]
        still_read = read - count_removed_before(self.history, plan, dropped_breaks, read)
        kept = kept.copy()
        kept[dropped_breaks] = np.minimum(kept[dropped_breaks], still_read)
        return kept

    def _keep_unexplained(self, buckets: list[Floats], plan: JoinedChanges, prompt: Floats) -> None:
        """A break that nothing explains stays a break at the same place of the prompt, unless the change is that it
        would not have been, or that nothing is cached. Changes the first four buckets in place.
        """
        history = self.history
        same = ~plan.contexts.starts_over & (plan.contexts.shift == 0)
        stays = np.flatnonzero(self.caching.unexplained & ~plan.dropped & ~plan.unbroken & (plan.ttl_s != 0) & same)
        if len(stays) == 0:
            return
        read = history.cache_read[stays] - count_removed_before(history, plan, stays, history.cache_read[stays])
        read = np.clip(read, 0, prompt[stays])
        # The tail that the call left uncached is as long as it was; all between read and tail is written again.
        uncached = np.minimum(history.uncached[stays], prompt[stays] - read)
        written = prompt[stays] - read - uncached
        recorded_writes = history.cache_write_5m[stays] + history.cache_write_1h[stays]
        hour_share = np.divide(
            history.cache_write_1h[stays], recorded_writes, out=np.zeros(len(stays)), where=recorded_writes > 0
        )
        # A changed time to live holds for all that is written; else the two kinds of writes keep their shares.
        hour_share = np.where(plan.ttl_s[stays] > 0, plan.ttl_s[stays] >= 3600, hour_share)
        values = (read, written * (1 - hour_share), written * hour_share, uncached)
        for bucket, value in zip(buckets, values, strict=True):
            bucket[stays] = value

    def _price(
        self, buckets: list[Floats], plan: JoinedChanges, pinged: Floats | None = None
    ) -> tuple[PricedHistory, int]:
        """The arm with its cost, and how many calls lost their price by the change. A call without a known price keeps
        its recorded cost, if the log has one.
        """
        history = self.history
        read, short, long, uncached, visible, reasoning = buckets
        prompt = read + short + long + uncached
        # NaN where no price is known. Steps go by the new prompt: a smaller one may have a lower price per token.
        rates = self._rates.per_call(plan.model, plan.models, plan.tier, plan.tiers, prompt)
        # A row per call and a column per bucket, in the order of `TEXT_BUCKETS` in which rates come.
        tokens = np.column_stack((uncached, read, short, long, visible, reasoning))
        requests = np.where(plan.dropped, 0, np.nan_to_num(history.cost_requests_usd))
        # Row by row; a product of whole matrices would have a value for each pair of calls.
        cost = np.einsum("ij,ij->i", tokens, rates) + requests + plan.contexts.extra_usd
        if pinged is not None:
            # What pings read, and their replies of a token each, are paid by the call whose cache they renew.
            cost = cost + pinged[0] * rates[:, 1] + pinged[1] * rates[:, 4]
        lost = np.isnan(cost)
        cost = np.where(lost, history.cost_usd, cost)
        return PricedHistory(read, short, long, uncached, visible, reasoning, cost), int(
            (lost & (plan.model != history.model)).sum()
        )


def _count_pinged(
    calls: prompt_cache.CallSequence,
    orders: prompt_cache.CallOrders,
    habits: prompt_cache.CacheHabits,
    pings: Ints,
) -> Floats:
    """Tokens that pings after each call read, and how many pings there are. (2, C)"""
    left = np.where(habits.caches, np.maximum(calls.prompt - habits.tail_left, 0), 0)
    sent = keep_warm.count_pings(calls, orders, habits.ttl_left_s, pings)
    sent = np.where(left >= calls.minimum, sent, 0)
    return np.stack((sent * left, sent.astype(np.float64)))


def _split_writes(prediction: prompt_cache.CachePrediction, habits: prompt_cache.CacheHabits) -> list[Floats]:
    """A prediction as tokens read, written for five minutes, written for an hour, and uncached."""
    for_an_hour = habits.ttl_guess_s >= 3600
    return [
        prediction.read,
        np.where(for_an_hour, 0, prediction.written),
        np.where(for_an_hour, prediction.written, 0),
        prediction.uncached,
    ]


def replay(history: History, changes: Sequence[HistoryChange], prices: PriceBook) -> HistoryReplay:
    """The history under all changes at once. For several replays of one history make a `Replay`."""
    return Replay(history, prices).run(changes)


def counts_in_joint(finding: Finding) -> bool:
    """Headroom is for an experiment to prove and an upper bound claims no more than that: neither is in a sum."""
    return finding.change is not None and finding.finding_class in {FindingClass.EXACT, FindingClass.REPLAYED}


def marginal_savings(replays: Replay, changes: Sequence[HistoryChange]) -> list[float]:
    """What each change saves in dollars on top of those before it; they sum to the saving of all together."""
    savings = [replays.run(changes[:count]).saving_usd for count in range(len(changes) + 1)]
    return [after - before for before, after in pairwise(savings)]


def check_model_price(prices: PriceBook, history: History, model: str) -> None:
    """Makes sure that the calls of a history can be priced on the model that they are to be moved to.

    Raises:
        UserError: no price is known for it.
    """
    at = datetime.fromtimestamp(float(history.started_s.max(initial=0)), UTC)
    if not any(prices.steps(provider, model, at) for provider in history.providers):
        raise UserError(
            f"no price is known for the model '{model}'; write it as the provider does, as claude-haiku-4-5"
        )
