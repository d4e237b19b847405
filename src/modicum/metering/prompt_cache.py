"""Prompt caches as providers run them: their rules by model and day, and what a sequence of calls would have read.

A cache remembers prefixes. What a call leaves behind is its prompt up to the last breakpoint; the next call of the same
conversation and model reads as much of that as still stands at the front of its own prompt, if it comes before the time
to live is over. So the state is the call before, and a million calls are predicted by shifting arrays. A conversation
that starts, or comes back too late, can only read what other conversations keep warm: the part of the prompt that they
share (system prompt and tools).

The prediction for a call never sees the buckets of that call. It sees its size, its time, what of its content stood
before, and the buckets of earlier calls.

Arrays are one value per call (C,), sorted by conversation and time as `CallSequence` has them, unless a function says
that it works along an `order`: then they are one value per place in that order. Sizes are tokens as floats, because
scaled counts have fractions; times are seconds since 1970.
"""

import re
import tomllib
from dataclasses import dataclass, replace
from datetime import date
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files

import msgspec
import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]

AGREED = 0.02
"""Reads of two first calls that differ by no more than this share are of one front."""
UNKNOWN_TOKENS = -1.0
"""Stands for `kept` where nothing says what of a prompt stood before."""


class CacheRules(msgspec.Struct, frozen=True):
    """The rules of one family of models from one day on; see `prompt_cache.toml` for the meaning of each."""

    models: tuple[str, ...]
    start: date = msgspec.field(name="from")
    kind: str
    minimum: int
    ttl_s: tuple[int, ...]
    step: int
    breakpoints: int
    look_back: int
    source: str
    automatic: bool = False
    whole_units: bool = False
    messages_lost_by: tuple[str, ...] = ()
    """Events (as `PromptEvent` names them) behind which only system prompt and tools are still read."""

    @property
    def is_implicit(self) -> bool:
        return self.kind == "implicit"

    @property
    def longer_s(self) -> int:
        """The longest time to live that can be had; the default where there is no other."""
        return self.ttl_s[-1]

    @property
    def can_be_off(self) -> bool:
        """Whether a caller can do without the cache; nobody can where the provider caches by itself."""
        return self.kind == "explicit"


@cache
def load_rules() -> tuple[CacheRules, ...]:
    """The rules of all families of models, from `prompt_cache.toml`: the first that fits a model and day counts."""
    text = (files("modicum.metering") / "prompt_cache.toml").read_text(encoding="utf-8")
    return msgspec.convert(tomllib.loads(text)["rules"], tuple[CacheRules, ...])


_FRONT = re.compile(r"^(?:.*/)?(?:(?:us|eu|apac|jp|au|us-gov|global)\.)?(?:(?:anthropic|deepseek|mistral)\.)?")


@cache
def find_rules(model: str, day: date) -> CacheRules | None:
    """The rules for a model by its name as logs have it; None where no caching of it is known."""
    name = _FRONT.sub("", model.lower())
    for rules in load_rules():
        if rules.start <= day and any(fnmatchcase(name, pattern) for pattern in rules.models):
            return rules
    return None


@dataclass(frozen=True)
class CallSequence:
    """Calls sorted by conversation and their order in it, as a cache sees them. One value per call."""

    conversation: Ints
    asked_s: Floats
    """When the request came: the cache is asked then."""
    answered_s: Floats
    """When the reply began: what was written can be read from then on, and its time to live runs."""
    model: Ints
    prompt: Floats
    kept: Floats
    """Tokens at the front that stood in the call before; UNKNOWN_TOKENS where nothing says so."""
    minimum: Floats
    step: Floats
    implicit: Flags
    ttl_s: Floats
    """Time to live where the caller names none."""
    made: Flags
    """False: the call is not made; it leaves nothing in the cache."""
    longer_s: Floats | None = None
    """The longer time to live that a caller can name; an hour where it is None."""
    whole: Flags | None = None
    """Implicit caches that are read up to where an earlier call ended, or not at all; None: as far as prompts agree."""
    sure: Flags | None = None
    """Calls whose `kept` holds whatever was sent between them and the one before in their conversation."""


@dataclass(frozen=True)
class CacheHabits:
    """How the caller uses the cache, learnt from earlier calls only (see `learn`). One value per call."""

    tail_left: Floats
    """Tokens at the end of its prompt that the call left out of the cache: used for calls after it, never for its own
    prediction."""
    tail_guess: Floats
    """The same, guessed from the call before it."""
    caches: Flags
    """Whether it used the cache at all: used for calls after it."""
    caches_guess: Flags
    ttl_left_s: Floats
    """Time to live of what it wrote: used for calls after it."""
    ttl_guess_s: Floats
    group: Ints
    """Calls with one number share the front of their prompts, and keep it warm for each other."""
    front: Floats
    """Length of that front as earlier cold starts showed it, where the group keeps it warm."""
    stood_guess: Floats
    """Of a prompt of which nothing says what stood (a client had cut or edited it), the share that can be expected to
    have stood: the mean over earlier such calls. 0 before there was one."""
    front_alone: Floats
    """Length of the front where no call in sight keeps it warm: what earlier cold starts read all the same, because
    others that are in no record (the provider's other customers with the same client) keep it so. Mostly 0."""


def change_habits(
    habits: CacheHabits, ttl_s: Ints, front_removed: Floats, unmarked: Floats | float = 0.0
) -> CacheHabits:
    """The same caller with other times to live (-1: as it was, 0: nothing is cached), or a shorter front.

    Args:
        habits: the caller's.
        ttl_s: seconds, for each call.
        front_removed: tokens that each call's front loses.
        unmarked: what each call leaves behind its last breakpoint if it begins to use the cache: nothing, unless all
            that is ever sent again is its beginning.
    """
    is_set, off = ttl_s > 0, ttl_s == 0
    switched_on = is_set & ~habits.caches
    return replace(
        habits,
        ttl_left_s=np.where(is_set, ttl_s, habits.ttl_left_s),
        ttl_guess_s=np.where(is_set, ttl_s, habits.ttl_guess_s),
        caches=(habits.caches | is_set) & ~off,
        caches_guess=(habits.caches_guess | is_set) & ~off,
        tail_left=np.where(switched_on, unmarked, habits.tail_left),
        tail_guess=np.where(switched_on | (is_set & ~habits.caches_guess), unmarked, habits.tail_guess),
        front=np.maximum(habits.front - front_removed, 0),
        front_alone=np.maximum(habits.front_alone - front_removed, 0),
    )


def move_habits(habits: CacheHabits, calls: CallSequence, moved: CallSequence) -> CacheHabits:
    """The same caller at other models: it asks for their usual time to live; for the longer one if it did before."""

    def move(ttl_s: Floats) -> Floats:
        if calls.longer_s is None or moved.longer_s is None:
            return ttl_s
        was_long = (ttl_s >= calls.longer_s) & (calls.longer_s > calls.ttl_s)
        return np.where(calls.model == moved.model, ttl_s, np.where(was_long, moved.longer_s, moved.ttl_s))

    return replace(habits, ttl_left_s=move(habits.ttl_left_s), ttl_guess_s=move(habits.ttl_guess_s))


@dataclass(frozen=True)
class CachePrediction:
    """What each call reads, writes and sends past the cache. The first three sum to its prompt, if it is made."""

    read: Floats
    written: Floats
    uncached: Floats
    left: Floats
    """Tokens that the call before it left in the cache; 0 if it was not in time."""
    warm: Flags
    """Whether the call came in time for what the call before it left, on the same model."""


@dataclass(frozen=True)
class CallOrders:
    """In which order calls meet their caches. It depends on times, models and which calls are made: not on sizes, so
    that changes of sizes share it.
    """

    chains: Ints
    """Numbers of the calls that are made, by conversation and model: caches belong to a model, so the calls of a
    conversation to one model are a chain of their own."""
    groups: Ints
    """Numbers of the calls that are made, by group and model, in order of time."""

    @classmethod
    def sort(cls, calls: CallSequence, group: Ints) -> "CallOrders":
        made = np.flatnonzero(calls.made)
        chains = made[np.lexsort((made, calls.model[made], calls.conversation[made]))]
        return cls(chains, made[np.lexsort((made, calls.asked_s[made], calls.model[made], group[made]))])


def predict(
    calls: CallSequence, habits: CacheHabits, orders: CallOrders | None = None, alike: Floats | None = None
) -> CachePrediction:
    """What each call reads from the cache, writes to it, and sends past it. Calls that are not made have zeros.

    Args:
        calls: what is known of each call beforehand.
        habits: how the caller uses the cache.
        orders: those of another sequence of the same calls, times and models, if there is one: sorting is slow.
        alike: for each call how much of its beginning other conversations keep in the cache, where their digests show
            it; NaN where the habits have to do.
    """
    # All arrays up to `read` are along the chains: the place before is the call whose cache a call finds.
    orders = orders or CallOrders.sort(calls, habits.group)
    order, (first, kept) = orders.chains, _find_chains(calls, orders.chains)
    prompt, asked_s, answered = calls.prompt[order], calls.asked_s[order], calls.answered_s[order]
    ttl, minimum, step = habits.ttl_left_s[order], calls.minimum[order], calls.step[order]
    # What each call leaves behind: its prompt without the tail, if it caches and that is long enough to be kept.
    own_left = np.where(habits.caches[order], np.maximum(prompt - habits.tail_left[order], 0), 0)
    own_left = np.where(own_left >= minimum, own_left, 0)

    # What each call finds: what the one before it left, if it asks before that one's time to live is over.
    left, gap = np.zeros(len(order)), np.full(len(order), np.inf)
    left[1:], gap[1:] = own_left[:-1], asked_s[1:] - answered[:-1]
    in_time = np.zeros(len(order), dtype=bool)
    in_time[1:] = ~first[1:] & (gap[1:] <= ttl[:-1])
    left = np.where(in_time, left, 0)
    warm = is_group_warm(calls, habits.group, np.where(habits.caches, habits.ttl_left_s, -np.inf), orders.groups)
    by_habit = np.where(warm, habits.front, habits.front_alone)
    by_digest = np.full(len(warm), np.nan) if alike is None else alike
    shared = np.minimum(np.where(np.isnan(by_digest), by_habit, by_digest)[order], prompt)

    # An explicit cache is read up to a breakpoint or not at all: if the prompt was cut below what the call before left,
    # only an older breakpoint can be read (below). An implicit one is read as far as the prompts agree.
    unknown = kept == UNKNOWN_TOKENS
    stood = np.where(unknown, habits.stood_guess[order] * np.minimum(left, prompt), kept)
    read = np.where((left <= stood) | unknown, np.minimum(left, stood), 0)
    broken = in_time & (left > stood) & ~unknown
    implicit = calls.implicit[order]
    partly = implicit if calls.whole is None else implicit & ~calls.whole[order]
    read = np.where(broken & partly, stood, read)
    _read_older_entries(read, np.flatnonzero(broken & ~partly & (stood > 0)), (first, own_left, kept))
    # The shared front stands even where what stood behind it is not known; where it is known, it bounds it.
    front = np.where(in_time & ~unknown, np.minimum(shared, stood), shared)
    read = np.minimum(np.maximum(read, front), prompt)
    # Providers read in steps (OpenAI: 128 tokens) and cache nothing below a smallest prefix.
    read = np.floor(read / step) * step
    read = np.where((read >= minimum) & (prompt >= minimum), read, 0)

    # What is not read is written, except for the tail. It is uncached where nothing is cached, and where the cache is
    # implicit: such a cache bills no writes.
    caches = habits.caches_guess[order] & (prompt - habits.tail_guess[order] >= minimum)
    read = np.where(habits.caches_guess[order], read, 0)
    tail = np.minimum(habits.tail_guess[order], prompt - read)
    uncached = np.where(caches & ~implicit, tail, prompt - read)
    # Back from the order of the chains to the order of the calls; those that are not made stay 0.
    by_call = np.zeros((5, len(calls.prompt)))
    by_call[:, order] = read, prompt - read - uncached, uncached, left, in_time
    return CachePrediction(by_call[0], by_call[1], by_call[2], by_call[3], by_call[4] > 0)


def _find_chains(calls: CallSequence, order: Ints) -> tuple[Flags, Floats]:
    """Which of the calls in that order begin a chain; and how much of each one's prompt stood in the call before it in
    its chain, whatever was sent in between.
    """
    first = np.ones(len(order), dtype=bool)
    first[1:] = (calls.conversation[order][1:] != calls.conversation[order][:-1]) | (
        calls.model[order][1:] != calls.model[order][:-1]
    )
    kept = calls.kept[order]
    # Where other calls lie between two of a chain (to another model, or not made), the front that stood through all of
    # them is the least of theirs. `reduceat` takes the minimum from each index to the next: pairs of begin and end give
    # the span of one call at even places, and what lies between two spans at odd places, which is thrown away.
    apart = np.flatnonzero(~first[1:] & (np.diff(order) > 1)) + 1
    if len(apart):
        spans = np.column_stack((order[apart - 1] + 1, order[apart] + 1)).ravel()
        kept = kept.copy()
        least = np.minimum.reduceat(np.append(calls.kept, np.inf), spans)[::2]
        kept[apart] = least if calls.sure is None else np.where(calls.sure[order[apart]], kept[apart], least)
    return first, kept


def is_group_warm(calls: CallSequence, group: Ints, ttl_s: Floats, order: Ints) -> Flags:
    """For every call whether the call of its group and model before it (in that order) was answered so short a time ago
    that what it left is still in the cache. (C,)
    """
    warm = np.zeros(len(calls.prompt), dtype=bool)
    same = (group[order][1:] == group[order][:-1]) & (calls.model[order][1:] == calls.model[order][:-1])
    warm[order[1:]] = same & (calls.answered_s[order][:-1] + ttl_s[order][:-1] >= calls.asked_s[order][1:])
    return warm


def _read_older_entries(read: Floats, broken: Ints, chain: tuple[Flags, Floats, Floats]) -> None:
    """After a cut a call can still read up to the breakpoint of an earlier call, if all up to there has stood since.
    Changes `read` at the places in `broken`; breaks are few, so these are gone through one by one.
    """
    first, left, kept = chain
    begins = np.maximum.accumulate(np.where(first, np.arange(len(first)), 0))
    for at in broken:
        start = begins[at]
        # Backwards from the call before: how much of its own front each earlier call left, and the least that stood
        # from there on to this one.
        stood = np.minimum.accumulate(kept[start + 1 : at + 1][::-1])
        entries = left[start:at][::-1]
        fits = entries[entries <= stood]
        read[at] = fits.max(initial=0)


@dataclass(frozen=True)
class RecordedBuckets:
    """The buckets that the provider counted. One value per call."""

    read: Floats
    written_5m: Floats
    written_1h: Floats
    uncached: Floats


def learn_habits(
    calls: CallSequence, recorded: RecordedBuckets, group: Ints, wide_group: Ints, front_shown: Floats | None = None
) -> CacheHabits:
    """How the caller uses the cache. Guesses for a call rest on calls that began before it: the one before it in its
    conversation, else the last one of its group. Only whether a group's first call uses the cache is guessed from the
    call behind it. No guess rests on the call itself.

    Args:
        calls: the history as it was.
        recorded: what the provider counted.
        group: calls that share a front and are in this history, as one project's.
        wide_group: calls whose front others share too, as all those of one client.
        front_shown: for every call how long its system prompt and tools are, where the log holds them; else 0.
    """
    begins = _find_run_starts(calls.conversation)
    uses = (recorded.read + recorded.written_5m + recorded.written_1h > 0) | calls.implicit
    ttl, shows_ttl = _read_ttl(calls, recorded, 0.0 if front_shown is None else front_shown)

    def guess(values: Floats, is_known: Flags, otherwise: Floats | float) -> tuple[Floats, Floats]:
        """What is known after each call, and before it. `is_known`: calls that show the value."""
        after, before = _fill_forward(values, is_known, begins)
        before = np.where(np.isnan(before), _last_in_group(values, is_known, group, calls.asked_s), before)
        before = np.where(np.isnan(before), otherwise, before)
        return np.where(np.isnan(after), before, after), before

    ttl_left, ttl_guess = guess(ttl, shows_ttl, calls.ttl_s)
    # Without the cache all of a prompt is uncached: only calls that use it show how long the tail is.
    _, tail_guess = guess(recorded.uncached, uses, 0.0)
    # A prompt that is too short to be cached tells nothing of what the caller wants.
    shows_use = uses | (calls.prompt >= calls.minimum)
    # The first of a group has nobody before it: then the one behind it shows whether the caller uses the cache.
    used_after = _last_in_group(uses.astype(np.float64), shows_use, group, -calls.asked_s)
    _, caches_guess = guess(uses.astype(np.float64), shows_use, np.where(np.isnan(used_after), 1.0, used_after))
    # An implicit cache bills no writes, so all that was not read looks uncached; yet it keeps the whole prompt.
    tail_left = np.where(calls.implicit, 0, recorded.uncached)
    left = np.zeros(len(group))
    left[1:] = np.where(begins[1:] | ~uses[:-1], 0, (calls.prompt - tail_left)[:-1])
    # The front shows where a call read only that: at the start of a conversation, or where its own cache was lost.
    # A first call that read nearly all of its prompt may go on with a conversation whose beginning is not on record:
    # its read is taken for a front only if it ends within system prompt and tools, or another one had read as much.
    before = _last_in_group(recorded.read, begins & (recorded.read > 0), group, calls.asked_s)
    agreed = np.abs(recorded.read - before) <= AGREED * recorded.read
    if front_shown is not None:
        agreed |= recorded.read <= (1 + AGREED) * front_shown
    # 0.9: a read that falls short by less is the tail, the provider's steps or our counts, and shows no lost cache.
    cold = np.where(begins, (recorded.read < 0.9 * calls.prompt) | agreed, recorded.read < 0.9 * left) & uses
    kept_warm = is_group_warm(calls, group, np.where(uses, ttl_left, -np.inf), CallOrders.sort(calls, group).groups)
    # Reads of 0 count here, and not for the front below: where nobody kept it warm, 0 says that it was gone.
    alone = _last_in_group(recorded.read, cold & ~kept_warm, wide_group, calls.asked_s)
    front = _last_in_group(recorded.read, cold & (recorded.read > 0), group, calls.asked_s)
    alone = np.nan_to_num(alone)
    front = np.where(np.isnan(front), alone, front)
    stood_guess = _mean_share_read(calls, recorded.read, left, ttl_left, wide_group)
    return CacheHabits(
        tail_left, tail_guess, uses, caches_guess > 0, ttl_left, ttl_guess, group, front, stood_guess, alone
    )


LONGEST_USUAL_S = 3600.0
"""An implicit cache is never kept longer than this, unless the caller asked for more."""


def _read_ttl(calls: CallSequence, recorded: RecordedBuckets, front: Floats | float) -> tuple[Floats, Flags]:
    """The time to live that each call asked for, and which calls show it."""
    longer_s = np.full(len(calls.prompt), 3600.0) if calls.longer_s is None else calls.longer_s
    # A call that wrote for both times is taken for the one with more tokens: a call has one time to live here.
    ttl = np.where(recorded.written_1h > recorded.written_5m, longer_s, calls.ttl_s)
    # A cache that bills no writes shows its time to live by what is read after a long pause.
    paused, was_read = _find_long_pauses(calls, recorded, longer_s, front)
    shows = (recorded.written_5m + recorded.written_1h > 0) | paused
    return np.where(paused & was_read, longer_s, ttl), shows


def _find_long_pauses(
    calls: CallSequence, recorded: RecordedBuckets, longer_s: Floats, front: Floats | float
) -> tuple[Flags, Flags]:
    """Calls to an implicit cache that came too late for the usual time to live and in time for the longer one, and
    whether they still read most of what the call before could have left. Where that is little more than the front, it
    shows nothing: others may have kept it.
    """
    gap, left = np.zeros(len(longer_s)), np.zeros(len(longer_s))
    same = ~_find_run_starts(calls.conversation)[1:] & (calls.model[1:] == calls.model[:-1])
    gap[1:] = np.where(same, calls.asked_s[1:] - calls.answered_s[:-1], 0)
    left[1:] = np.minimum(calls.prompt[:-1], calls.prompt[1:])
    shows = (left >= calls.minimum) & (0.9 * left > (1 + AGREED) * front)
    paused = calls.implicit & (gap > LONGEST_USUAL_S) & (gap <= longer_s) & shows
    return paused, recorded.read >= 0.9 * left


def _mean_share_read(calls: CallSequence, read: Floats, left: Floats, ttl_s: Floats, group: Ints) -> Floats:
    """The mean share that was read of prompts of which nothing says what stood, over the earlier ones of the group.

    Clients cut at the very end or near the front, so that there is no usual place; but costs are linear in what is
    read, and the mean is what they come to in the sum.
    """
    in_time = np.zeros(len(read), dtype=bool)
    in_time[1:] = calls.asked_s[1:] - calls.answered_s[:-1] <= ttl_s[:-1]
    could = np.minimum(left, calls.prompt)
    is_shown = (calls.kept == UNKNOWN_TOKENS) & in_time & (could > 0)
    share = np.divide(np.minimum(read, could), could, out=np.zeros(len(read)), where=is_shown)
    # Along groups in order of time: the mean over the earlier ones of a group is the difference of two running sums,
    # up to this place (without it: sums begin with 0) and up to where the group starts.
    order = np.lexsort((np.arange(len(read)), calls.asked_s, group))
    places = np.arange(len(read))
    start = np.maximum.accumulate(np.where(_find_run_starts(group[order]), places, 0))
    sums = np.concatenate(([0.0], np.cumsum(share[order])))
    counts = np.concatenate(([0.0], np.cumsum(is_shown[order].astype(np.float64))))
    earlier = counts[places] - counts[start]
    means = np.empty(len(read))
    means[order] = np.divide(sums[places] - sums[start], earlier, out=np.zeros(len(read)), where=earlier > 0)
    return means


def _find_run_starts(group: Ints) -> Flags:
    """Where another group begins than at the place before."""
    begins = np.ones(len(group), dtype=bool)
    begins[1:] = group[1:] != group[:-1]
    return begins


def _last_in_group(values: Floats, is_known: Flags, group: Ints, asked_s: Floats) -> Floats:
    """For every call the last known value among those of its group that began before it; NaN: there is none. (C,)"""
    order = np.lexsort((np.arange(len(group)), asked_s, group))
    latest = np.empty(len(group))
    latest[order] = _fill_forward(values[order], is_known[order], _find_run_starts(group[order]))[1]
    return latest


def _fill_forward(values: Floats, is_known: Flags, begins: Flags) -> tuple[Floats, Floats]:
    """The last known value up to each place of its run, with and without that place itself; NaN where there is none.

    Args:
        values: in an order in which runs (conversations, groups) stand together.
        is_known: at which places the value is known.
        begins: at which places a run begins.
    """
    places = np.arange(len(values))
    start = np.maximum.accumulate(np.where(begins, places, 0))
    # The last known place so far; before the start of the run it belongs to another one and does not count.
    last = np.maximum.accumulate(np.where(is_known, places, -1))
    # Where there is none yet `last` is -1, which picks the last value of all; `start` is 0 or more, so it never counts.
    after = np.where(last >= start, values[last], np.nan)
    before = np.full(len(values), np.nan)
    before[1:] = np.where(begins[1:], np.nan, after[:-1])
    return after, before
