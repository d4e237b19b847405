"""A history under changes: what each call would have read, written and cost, and so what the changes would have saved.

Both arms are simulated by the same rules, so a change that changes nothing saves exactly nothing, and together changes
save no more than was spent. How well the arm without changes reproduces the record is the `Fidelity`, which stands
beside every figure. Nothing here is multiplied by a constant: effects on the prompt cache come out of the replay.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

import numpy as np

from modicum.calls import UserError
from modicum.insights.finding import Change, Finding, FindingClass
from modicum.insights.history import Flags, Floats, History, Ints
from modicum.insights.rates import RateTable
from modicum.metering import prompt_cache
from modicum.metering.prices import PriceBook

REPLY_KINDS = frozenset({"assistant", "reasoning", "tool_call", "tool_result"})
"""What a call leaves in the next prompt: a call that is not made leaves none of it."""
FRONT_KINDS = frozenset({"system", "tool_schema", "prefix"})
FAR_BELOW = 0.9
"""A read below this share of what stood in the cache is a break. Fixed before any data was seen by it: a lost breakpoint
costs thousands of tokens, the jitter of counts a few."""
GUESSED_CAUSES = frozenset({"edited", "reasoning dropped"})
"""Causes that an importer concluded from the size of the prompt, placing the cut by what the provider still read from
its cache: using that for the prediction of the same call would be seeing the answer."""
REPLY_TIMED = frozenset({"claude-code"})
"""Sources whose `started` is when the first block of the reply was there."""
REPLY_S = 10.0
"""Time from a request to the first block of its reply, about, with the large contexts of agents."""
TOTAL_WITHIN, MEDIAN_WITHIN = 0.02, 0.03
"""Fidelity within which replayed figures stand as they are; beyond it they are bounds."""


@dataclass(frozen=True)
class Arm:
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
class Replayed:
    base: Arm
    changed: Arm
    unpriced_calls: int = 0
    """Calls that would have had no known price under the change; they stay as they were."""

    @property
    def saving_usd(self) -> float:
        """Negative: the change would have cost more."""
        return self.base.total_usd - self.changed.total_usd

    @property
    def saving_share(self) -> float:
        return self.saving_usd / self.base.total_usd if self.base.total_usd else 0.0


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
        return abs(self.total_error) <= TOTAL_WITHIN and self.median_task_error <= MEDIAN_WITHIN


class Replay:
    """Replays of one history: what does not depend on the changes is worked out once.

    Args:
        history: what happened.
        prices: the rates of its days.
    """

    def __init__(self, history: History, prices: PriceBook) -> None:
        self.history = history
        self._rates = RateTable(history, prices)
        self._calls = _sequence(history)
        self.habits = prompt_cache.learn(self._calls, _recorded(history), *_groups(history))
        self.predicted = prompt_cache.predict(self._calls, self.habits)
        """What the rules say of the history as it was."""
        self.unexplained: Flags = (
            self.predicted.warm
            & np.isfinite(self._calls.kept)
            & (self.predicted.left <= self._calls.kept)
            & (history.cache_read < FAR_BELOW * self.predicted.read)
        )
        """Breaks that nothing in the record explains: in time, same model, content kept, and yet not read."""

    @cached_property
    def base(self) -> Arm:
        """The history as the rules reproduce it."""
        return self._arm(_Plan.of(self.history, ()))[0]

    @cached_property
    def _by_rules(self) -> Floats:
        """Cost per call if even the unexplained breaks had not been."""
        unbroken = Change(unbroken=self.unexplained)
        return np.where(self.unexplained, self._arm(_Plan.of(self.history, [unbroken]))[0].cost_usd, self.base.cost_usd)

    @cached_property
    def recorded(self) -> Arm:
        """The history as it was, priced at the rates of its days."""
        history = self.history
        buckets = [history.cache_read, history.cache_write_5m, history.cache_write_1h, history.uncached]
        buckets += [history.output_visible, history.output_reasoning]
        plan = _Plan.of(history, ())
        return self._priced([bucket.astype(np.float64) for bucket in buckets], plan)[0]

    def run(self, changes: Sequence[Change]) -> Replayed:
        """The history under all these changes at once."""
        if not changes:
            return Replayed(self.base, self.base)
        changed, unpriced = self._arm(_Plan.of(self.history, changes))
        return Replayed(self.base, changed, unpriced)

    def fidelity(self, calls: Flags | None = None) -> Fidelity:
        """Of all calls, or of some (those of one source)."""
        history = self.history
        told = ~np.isnan(self.recorded.cost_usd)
        chosen = told if calls is None else told & calls
        record, base = self.recorded.cost_usd[chosen], self.base.cost_usd[chosen]
        tasks, of = np.unique(history.task[chosen], return_inverse=True)
        by_task = np.bincount(of, record, len(tasks)), np.bincount(of, base, len(tasks))
        paid = by_task[0] > 0
        errors = np.abs(by_task[1][paid] - by_task[0][paid]) / by_task[0][paid]
        whole = float(record.sum())
        reads = float(history.cache_read[chosen].sum())
        excused = self.unexplained[chosen]
        return Fidelity(
            total_error=(float(base.sum()) - whole) / whole if whole else 0.0,
            median_task_error=float(np.median(errors)) if len(errors) else 0.0,
            unexplained_share=float(record[excused].sum()) / whole if whole else 0.0,
            unexplained_calls=int(excused.sum()),
            calls=int(chosen.sum()),
            tasks=len(tasks),
            total_error_by_rules=(float(self._by_rules[chosen].sum()) - whole) / whole if whole else 0.0,
            read_error=(float(self.base.read[chosen].sum()) - reads) / reads if reads else 0.0,
            unpriced_calls=int((~told if calls is None else ~told & calls).sum()),
        )

    def _arm(self, plan: "_Plan") -> tuple[Arm, int]:
        history, calls = self.history, self._calls
        removed = _Removed.of(history, plan)
        prompt = np.maximum(calls.prompt - removed.tokens, 0)
        kept = np.where(calls.kept > 0, np.maximum(calls.kept - removed.of_kept, 0), calls.kept)
        kept = np.where(plan.unbroken, np.inf, kept)
        minimum, step, implicit = (calls.minimum, calls.step, calls.implicit)
        if plan.swapped:
            minimum, step, implicit = _rules(history, plan.model, plan.models)
        changed = prompt_cache.Sequence(
            calls.conversation,
            calls.asked_s,
            calls.answered_s,
            plan.model,
            prompt,
            kept,
            minimum,
            step,
            implicit,
            ~plan.dropped,
        )
        ttl = np.where(plan.ttl_s > 0, plan.ttl_s, self.habits.ttl_guess_s)
        left = np.where(plan.ttl_s > 0, plan.ttl_s, self.habits.ttl_left_s)
        habits = prompt_cache.changed(self.habits, ttl_guess_s=ttl, ttl_left_s=left, front_removed=removed.of_front)
        found = prompt_cache.predict(changed, habits)
        long = ttl >= 3600
        buckets = [found.read, np.where(long, 0, found.written), np.where(long, found.written, 0), found.uncached]
        self._keep_unexplained(buckets, plan, prompt)
        visible = np.minimum(history.output_visible, plan.most_output)
        reasoning = np.minimum(history.output_reasoning, plan.most_output - visible)
        buckets += [np.where(plan.dropped, 0, visible), np.where(plan.dropped, 0, reasoning)]
        return self._priced(buckets, plan)

    def _keep_unexplained(self, buckets: list[Floats], plan: "_Plan", prompt: Floats) -> None:
        """A break that nothing explains stays a break at the same place of the prompt, unless the change is that it
        would not have been.
        """
        history = self.history
        stays = np.flatnonzero(self.unexplained & ~plan.dropped & ~plan.unbroken)
        if len(stays) == 0:
            return
        read = history.cache_read[stays] - _removed_before(history, plan, stays, history.cache_read[stays])
        read = np.clip(read, 0, prompt[stays])
        uncached = np.minimum(history.uncached[stays], prompt[stays] - read)
        written = prompt[stays] - read - uncached
        wrote = history.cache_write_5m[stays] + history.cache_write_1h[stays]
        long = np.divide(history.cache_write_1h[stays], wrote, out=np.zeros(len(stays)), where=wrote > 0)
        long = np.where(plan.ttl_s[stays] > 0, plan.ttl_s[stays] >= 3600, long)
        for bucket, values in zip(buckets, (read, written * (1 - long), written * long, uncached), strict=True):
            bucket[stays] = values

    def _priced(self, buckets: list[Floats], plan: "_Plan") -> tuple[Arm, int]:
        """The arm with its cost. A call without a known price keeps its recorded cost, if the log told one."""
        history = self.history
        read, short, long, uncached, visible, reasoning = buckets
        prompt = read + short + long + uncached
        rates = self._rates.per_call(plan.model, plan.models, plan.tier, plan.tiers, prompt)
        tokens = np.column_stack((uncached, read, short, long, visible, reasoning))
        requests = np.where(plan.dropped, 0, np.nan_to_num(history.cost_requests_usd))
        cost = np.einsum("ij,ij->i", tokens, rates) + requests
        lost = np.isnan(cost)
        cost = np.where(lost, history.cost_usd, cost)
        return Arm(*buckets, cost), int((lost & (plan.model != history.model)).sum())


def replay(history: History, changes: Sequence[Change], prices: PriceBook) -> Replayed:
    """The history under all changes at once. For several replays of one history make a `Replay`."""
    return Replay(history, prices).run(changes)


def counts_in_joint(finding: Finding) -> bool:
    """Headroom is for an experiment to prove and an upper bound claims no more than that: neither is in a sum."""
    return finding.change is not None and finding.finding_class in {FindingClass.EXACT, FindingClass.REPLAYED}


def joint(replays: Replay, findings: Sequence[Finding]) -> Replayed:
    """All changes of the findings that may be summed, together."""
    return replays.run([finding.change for finding in findings if counts_in_joint(finding) and finding.change])


def marginal(replays: Replay, changes: Sequence[Change]) -> list[float]:
    """What each change saves in dollars on top of those before it; they sum to the saving of all together."""
    savings = [replays.run(changes[:count]).saving_usd for count in range(len(changes) + 1)]
    return [after - before for before, after in zip(savings, savings[1:], strict=False)]


@dataclass(frozen=True)
class _Plan:
    """Changes joined into one value per call and segment."""

    removed_tokens: Floats
    """Per segment."""
    dropped: Flags
    ttl_s: Ints
    """0: as it was."""
    models: list[str]
    model: Ints
    swapped: bool
    tiers: list[str]
    tier: Ints
    unbroken: Flags
    most_output: Floats

    @classmethod
    def of(cls, history: History, changes: Sequence[Change]) -> "_Plan":
        size = history.segment_tokens.astype(np.float64)
        dropped, unbroken = np.zeros(history.calls, dtype=bool), np.zeros(history.calls, dtype=bool)
        ttl = np.zeros(history.calls, dtype=np.int64)
        most = np.full(history.calls, np.inf)
        models, model = list(history.models), history.model
        tiers, tier = list(history.tiers), history.tier
        for change in changes:
            if change.segment_tokens is not None:
                size = np.clip(change.segment_tokens, 0, size)
            if change.dropped_calls is not None:
                dropped = dropped | change.dropped_calls
            if change.ttl_seconds is not None:
                ttl = np.where(change.ttl_seconds > 0, change.ttl_seconds, ttl)
            if change.unbroken is not None:
                unbroken = unbroken | change.unbroken
            if change.max_output_tokens is not None:
                most = np.minimum(most, change.max_output_tokens)
            for old, new in change.models.items():
                model = _swapped(model, models, (old, new), change.model_calls)
            if change.tier:
                tier = _swapped(tier, tiers, ("", change.tier), change.tier_calls)
        if dropped.any():
            size = np.where(_replies_of(history, dropped), 0, size)
        removed = history.segment_tokens - size
        swapped = model is not history.model
        return cls(removed, dropped, ttl, models, model, swapped, tiers, tier, unbroken, most)


def _swapped(codes: Ints, words: list[str], names: tuple[str, str], chosen: Flags | None) -> Ints:
    """The codes with one word in the place of another (empty: of any), for the chosen calls."""
    old, new = names
    if new not in words:
        words.append(new)
    fits = np.ones(len(codes), dtype=bool) if chosen is None else chosen
    if old:
        fits = fits & (codes == words.index(old)) if old in words else np.zeros(len(codes), dtype=bool)
    return np.where(fits, words.index(new), codes)


def _replies_of(history: History, dropped: Flags) -> Flags:
    """For every segment whether it is the reply of a dropped call, or a result that came back for it."""
    before = np.zeros(history.calls + 1, dtype=bool)
    before[1:] = dropped
    born = history.segment_call
    of_reply = np.isin(history.segment_kind, [code for code, kind in enumerate(history.kinds) if kind in REPLY_KINDS])
    found: Flags = before[born] & ~history.first[born] & of_reply
    return found


@dataclass(frozen=True)
class _Removed:
    """Tokens that a plan takes out of each prompt, in the provider's count."""

    tokens: Floats
    of_kept: Floats
    of_front: Floats

    @classmethod
    def of(cls, history: History, plan: _Plan) -> "_Removed":
        removed = plan.removed_tokens
        if not removed.any():
            nothing = np.zeros(history.calls)
            return cls(nothing, nothing, nothing)
        scale = _scale(history)
        tokens = history.carried(removed)
        own = np.bincount(history.segment_call, removed, history.calls)
        front = [code for code, kind in enumerate(history.kinds) if kind in FRONT_KINDS]
        of_front = history.carried(np.where(np.isin(history.segment_kind, front), removed, 0))
        return cls(tokens * scale, (tokens - own) * scale, of_front * scale)


def _scale(history: History) -> Floats:
    """What a token of our count is in the provider's, for each call: 1 where segments were fitted to the prompt."""
    whole = history.context_tokens
    return np.divide(history.prompt, whole, out=np.zeros(history.calls), where=whole > 0)


def _removed_before(history: History, plan: _Plan, calls: Ints, place: Ints) -> Floats:
    """Tokens that a plan takes out of the front of a few prompts, up to a place in each. What is cut off a segment is
    its end.
    """
    found = np.zeros(len(calls))
    if not plan.removed_tokens.any():
        return found
    scale = _scale(history)
    start = np.searchsorted(history.segment_call, history.conversation_start[calls])
    end = np.searchsorted(history.segment_call, calls, side="right")
    for number, (call, low, high) in enumerate(zip(calls, start, end, strict=True)):
        part = slice(low, high)
        cut = np.where(history.segment_died[part] > call, plan.removed_tokens[part], 0)
        cut_from = history.segment_offset[part] + history.segment_tokens[part] - cut
        found[number] = np.clip(place[number] / max(scale[call], 1e-9) - cut_from, 0, cut).sum() * scale[call]
    return found


def _sequence(history: History) -> prompt_cache.Sequence:
    prompt = history.prompt.astype(np.float64)
    kept = history.kept_tokens * _scale(history)
    guessed = [code for code, cause in enumerate(history.break_causes) if cause in GUESSED_CAUSES]
    guessed_cut = np.isin(history.break_cause, guessed) | (history.kept_tokens < 0)
    # Where nothing sure says what stood, a prompt that did not shrink is taken for the one before it and more.
    before = np.zeros(history.calls)
    before[1:] = np.where(history.first[1:], 0, (history.prompt - history.uncached)[:-1])
    grown = np.where(prompt >= before, np.inf, prompt_cache.UNKNOWN_TOKENS)
    kept = np.where(guessed_cut, grown, kept)
    return prompt_cache.Sequence(
        history.conversation,
        _asked_s(history),
        history.started_s,
        history.model,
        prompt,
        kept,
        *_rules(history, history.model, history.models),
        np.ones(history.calls, dtype=bool),
    )


def _asked_s(history: History) -> Floats:
    """When each request came. Some logs have the time of the first block of a reply for the start of a call."""
    late = [code for code, source in enumerate(history.sources) if source in REPLY_TIMED]
    follows = np.isin(history.source, late) & ~history.first
    gap = np.diff(history.started_s, prepend=history.started_s[:1])
    return history.started_s - np.where(follows, np.clip(gap, 0, REPLY_S), 0)


def _rules(history: History, model: Ints, words: list[str]) -> tuple[Floats, Floats, Flags]:
    """Smallest prefix, step of reads and kind of the cache for every call, by its model and the month of the call."""
    minimum, step = np.full(history.calls, np.inf), np.ones(history.calls)
    implicit = np.zeros(history.calls, dtype=bool)
    day = np.floor_divide(history.started_s, 86_400).astype(np.int64)
    days, of_day = np.unique(day, return_inverse=True)
    code = model * max(len(days), 1) + of_day
    for key in np.unique(code):
        mine = code == key
        at = datetime.fromtimestamp(int(days[key % len(days)]) * 86_400, UTC).date()
        rules = prompt_cache.rules_of(words[key // len(days)], at)
        if rules is not None:
            minimum[mine], step[mine], implicit[mine] = rules.minimum, rules.step, rules.is_implicit
    return minimum, step, implicit


def _recorded(history: History) -> prompt_cache.Recorded:
    buckets = (history.cache_read, history.cache_write_5m, history.cache_write_1h, history.uncached)
    return prompt_cache.Recorded(*(bucket.astype(np.float64) for bucket in buckets))


def _groups(history: History) -> tuple[Ints, Ints]:
    """Calls that share the front of their prompts: one model, main agents or subagents; within a project, and in all."""
    main = history.agent == history.word(history.agents, "")
    wide = history.model * 2 + main
    return wide * (len(history.projects) + 1) + history.project, wide


def checked_model(prices: PriceBook, history: History, model: str) -> None:
    """Raises:
    UserError: no price is known for a model that calls are to be moved to.
    """
    at = datetime.fromtimestamp(float(history.started_s.max(initial=0)), UTC)
    if not any(prices.steps(provider, model, at) for provider in history.providers):
        raise UserError(
            f"no price is known for the model '{model}'; write it as the provider does, as claude-haiku-4-5"
        )
