"""The whole history as arrays: every call and every segment once, numbered, so that findings and replays need no loops.

Calls are sorted by conversation and their place in it; segments by the call that added them ("bore" them) and their
position in the context. A segment is carried by all calls of its conversation from the one that added it until before
the one at which it "died", that is, the first one without it. So contexts that hold 100 million segments take 5 million
rows.

Shapes are noted as (C,): one value per call, and (S,): one value per segment.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from functools import cached_property, wraps
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from modicum.ledger.rows import Arrays
from modicum.ledger.store import Store

NO_CALLS = "no single calls in that time: neither ledger nor logs hold any; name other logs, or another time"
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class History:
    """Arrays named `segment_*` have one value per segment, all others one per call. Tokens are whole; money is dollars
    as floats, NaN where no price is known.
    """

    entry_ids: Sequence[str]
    """Id of each call."""

    # Words; the arrays of the same stem hold places in these lists.
    conversations: list[str]
    tasks: list[str]
    agents: list[str]
    """Empty: the main agent of its task."""
    projects: list[str]
    models: list[str]
    providers: list[str]
    sources: list[str]
    tiers: list[str]
    statuses: list[str]
    finish_reasons: list[str]
    break_causes: list[str]
    event_lists: list[str]
    """Lists of `PromptEvent`s as the ledger writes them (JSON)."""
    client_versions: list[str]
    cache_misses: list[str]
    """Why a cache was missed, in the words of providers."""
    kinds: list[str]
    tools: list[str]

    conversation: Ints
    first: Flags
    """Whether it is the first call of its conversation in this history."""
    started_s: Floats
    """Seconds since 1970, UTC."""
    finished_s: Floats
    """NaN where not known."""
    first_token_s: Floats
    """NaN where not known."""
    task: Ints
    agent: Ints
    project: Ints
    model: Ints
    provider: Ints
    source: Ints
    tier: Ints
    status: Ints
    is_ping: Ints
    """1: a call that renewed a cache and was of no conversation's own making."""
    finish_reason: Ints
    break_cause: Ints
    events: Ints
    """What happened between the call before and this one; codes into `event_lists`."""
    client_version: Ints
    cache_miss: Ints
    prompt: Ints
    """All input tokens."""
    kept_segments: Ints
    """Leading segments kept from the call before; -1 where the call has no anatomy."""
    kept_tokens: Ints
    """Tokens of the kept segments; -1 where the call has no anatomy, or they were born before this history begins."""
    context_tokens: Ints
    """Tokens of all segments that the call carried, by our count or fitted to the provider's, those born before this
    history begins included; 0 without anatomy."""
    cache_read: Ints
    cache_write_5m: Ints
    cache_write_1h: Ints
    uncached: Ints
    output_visible: Ints
    output_reasoning: Ints
    cost_usd: Floats
    cost_uncached_usd: Floats
    cost_cache_read_usd: Floats
    cost_cache_write_5m_usd: Floats
    cost_cache_write_1h_usd: Floats
    cost_output_visible_usd: Floats
    cost_output_reasoning_usd: Floats
    cost_requests_usd: Floats

    segment_call: Ints
    """The call that bore it."""
    segment_died: Ints
    """The first call of that conversation that no longer carried it; one past its last call if it lived on."""
    segment_position: Ints
    segment_offset: Ints
    """Tokens before it in the context."""
    segment_tokens: Ints
    segment_kind: Ints
    segment_tool: Ints
    segment_digest: Ints
    """The same for the same text; 0 where none was seen."""
    segment_detail: Ints
    """The same for the same arguments of a tool call; 0 where there are none."""
    segment_error: Flags

    apart_calls: int = 0
    """Calls of aggregated reports, and calls whose usage is not known: in no array."""
    apart_cost_usd: float = 0.0
    segment_read_share: Floats | None = None
    """Of each tool result the share that later calls referred to; NaN where nobody looked."""
    shortened_shares: dict[str, Floats] = field(default_factory=dict)
    """Of each segment the share that rules would have sent, by set of rules; 1 where they would have sent all. (S,)"""
    task_values: Floats | None = None
    """For every task the largest value among its outcomes; NaN where it has none."""
    memory: dict[str, Any] = field(init=False, repr=False, compare=False, default_factory=dict)
    """What `once_per_history` has worked out already."""

    @property
    def calls(self) -> int:
        return len(self.prompt)

    @property
    def segments(self) -> int:
        return len(self.segment_call)

    @cached_property
    def has_anatomy(self) -> Flags:
        return self.kept_segments >= 0

    @cached_property
    def conversation_start(self) -> Ints:
        """For every call the first call of its conversation. (C,)"""
        return np.maximum.accumulate(np.where(self.first, np.arange(self.calls), 0))

    @cached_property
    def conversation_end(self) -> Ints:
        """For every call one past the last call of its conversation. (C,)"""
        starts = np.flatnonzero(self.first)
        ends = np.append(starts[1:], self.calls)
        return np.repeat(ends, ends - starts)

    def code_of(self, words: Sequence[str], name: str) -> int:
        """The code of a word, or -1 where this history has none such."""
        return words.index(name) if name in words else -1

    def sum_carried(self, per_segment: npt.NDArray[np.int64] | npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """For every call the sum of a quantity (S,) of the segments that it carried. (C,)

        The quantity is added at a segment's birth and taken off at its death; the running sum is what is carried. One
        place more than there are calls, because segments of the last conversation die behind the last call.
        """
        change = np.zeros(self.calls + 1)
        change += np.bincount(self.segment_call, per_segment, self.calls + 1)
        change -= np.bincount(self.segment_died, per_segment, self.calls + 1)
        return np.asarray(np.cumsum(change)[: self.calls], dtype=np.float64)


Worked = TypeVar("Worked")


def once_per_history(work: Callable[[History], Worked]) -> Callable[[History], Worked]:
    """A function of the whole history that is worked out once for each: several findings ask for it."""
    name = f"{work.__module__}.{work.__qualname__}"

    @wraps(work)
    def cached(history: History) -> Worked:
        if name not in history.memory:
            history.memory[name] = work(history)
        result: Worked = history.memory[name]
        return result

    return cached


def load(store: Store, since: datetime, until: datetime) -> History:
    """The calls that began in that time, with the segments that they bore."""
    calls = store.ask_columns("history_calls", since=since, until=until)
    segments = store.ask_columns("history_segments", since=since, until=until)
    words = store.ask("history_words")
    history = build(calls, segments, [(row["kind"], row["tool"]) for row in words])
    values = {row["task"]: row["value"] for row in store.ask("task_values") if row["task"]}
    return replace(
        history,
        segment_read_share=align_shares(
            history, store.ask_columns("history_reuse", since=since, until=until), "read_share"
        ),
        shortened_shares=_load_shortened_shares(history, store, since, until),
        task_values=np.array([values.get(task, np.nan) for task in history.tasks], np.float64),
    )


def _load_shortened_shares(history: History, store: Store, since: datetime, until: datetime) -> dict[str, Floats]:
    rows = store.ask_columns("history_shortenings", since=since, until=until)
    return {
        name: np.nan_to_num(
            align_shares(history, {column: values[rows["rules"] == name] for column, values in rows.items()}, "share"),
            nan=1.0,
        )
        for name in dict.fromkeys(rows["rules"].tolist())
    }


def align_shares(history: History, rows: Arrays, column: str) -> Floats:
    """For every segment a share that is known of it by its call and its digest; NaN where none is. (S,)

    A row belongs to the segment of the same call and the same digest. The two lists are joined by one number made of
    both: call times the number of digests, plus the place of the digest.
    """
    reuse = rows
    shares = np.full(history.segments, np.nan)
    call_numbers = {name: number for number, name in enumerate(history.entry_ids)} if len(reuse["digest"]) else {}
    calls = np.array([call_numbers.get(name, -1) for name in reuse["entry_id"]], np.int64)
    digests = np.unique(reuse["digest"])
    row_keys = calls * len(digests) + np.searchsorted(digests, reuse["digest"])
    # Rows of calls that this history does not have (number -1) have negative keys and stand first: they are cut off.
    order = np.argsort(row_keys)[np.searchsorted(np.sort(calls), 0) :]
    segments = np.flatnonzero(np.isin(history.segment_digest, digests))
    segment_keys = history.segment_call[segments] * len(digests) + np.searchsorted(
        digests, history.segment_digest[segments]
    )
    if len(order) and len(segments):
        place = np.minimum(np.searchsorted(row_keys[order], segment_keys), len(order) - 1)
        fits = row_keys[order][place] == segment_keys
        shares[segments[fits]] = reuse[column][order[place[fits]]]
    return shares


def build(calls: Arrays, segments: Arrays, words: Sequence[tuple[str, str]]) -> History:
    """A history from the columns of `history_calls` and `history_segments`."""
    # Rows that stand for many calls, and calls without usage, cannot be replayed: they are counted, and then left out.
    single = (calls["calls_count"] == 1) & (calls["usage_unknown"] == 0)
    apart_usd = float(np.nansum(calls["cost_usd"][~single]))
    apart_calls = int(calls["calls_count"][~single].sum())
    numbers = np.cumsum(single) - 1
    calls = {name: values[single] for name, values in calls.items()}
    of_single = single[segments["call_number"]]
    segments = {name: values[of_single] for name, values in segments.items()}
    coded = {name: _encode(calls[name]) for name in _WORDS}
    conversation = coded["conversation_name"][1]
    first = np.ones(len(conversation), dtype=bool)
    first[1:] = conversation[1:] != conversation[:-1]
    born = numbers[segments["call_number"]]
    kept = calls["kept_segments"]
    kinds, kind_of = _encode(np.array([kind for kind, _ in words], dtype=object))
    tools, tool_of = _encode(np.array([tool for _, tool in words], dtype=object))
    parts: dict[str, Any] = {
        "segment_call": born,
        "segment_died": find_deaths(first, kept, born, segments["position"]),
        "segment_position": segments["position"],
        "segment_offset": segments["offset_tokens"],
        "segment_tokens": segments["tokens"],
        "segment_kind": kind_of[segments["word"]],
        "segment_tool": tool_of[segments["word"]],
        "segment_digest": segments["digest"],
        "segment_detail": segments["detail"],
        "segment_error": segments["is_error"].astype(bool),
    }
    uncached, writes = calls["input_uncached"], calls["cache_write_5m"] + calls["cache_write_1h"]
    own: dict[str, Any] = {plural: coded[column][0] for column, (plural, _) in _WORDS.items()}
    own |= {single: coded[column][1] for column, (_, single) in _WORDS.items()}
    own |= {part.name: calls[part.name] for part in fields(History) if part.name in calls and part.name not in own}
    history = History(
        **own,
        **parts,
        entry_ids=calls["entry_id"].tolist(),
        kinds=kinds,
        tools=tools,
        first=first,
        prompt=uncached + calls["cache_read"] + writes,
        kept_tokens=count_kept_tokens(first, kept, parts),
        context_tokens=np.zeros(len(first), dtype=np.int64),
        uncached=uncached,
        cost_uncached_usd=calls["cost_input_uncached_usd"],
        apart_calls=apart_calls,
        apart_cost_usd=apart_usd,
    )
    history.context_tokens[:] = np.maximum(np.rint(history.sum_carried(history.segment_tokens)), _context_ends(history))
    return history


def _context_ends(history: History) -> Ints:
    """Where the context of each call ends by the places of its segments, in tokens; 0 where no segment says so. (C,)

    The sum of the carried segments is too small where some were added before this history begins: the offset of the
    last segment counts those, too.
    """
    ends = np.maximum(history.kept_tokens, 0)
    last = np.flatnonzero(np.diff(history.segment_call, append=history.calls))
    ends[history.segment_call[last]] = history.segment_offset[last] + history.segment_tokens[last]
    return ends


_WORDS = {
    "conversation_name": ("conversations", "conversation"),
    "task": ("tasks", "task"),
    "agent": ("agents", "agent"),
    "project": ("projects", "project"),
    "model": ("models", "model"),
    "provider": ("providers", "provider"),
    "source": ("sources", "source"),
    "tier": ("tiers", "tier"),
    "status": ("statuses", "status"),
    "finish_reason": ("finish_reasons", "finish_reason"),
    "break_cause": ("break_causes", "break_cause"),
    "prompt_events": ("event_lists", "events"),
    "client_version": ("client_versions", "client_version"),
    "cache_miss": ("cache_misses", "cache_miss"),
}
"""Column of the ledger, the list of its words, and the array of codes."""


def _encode(values: npt.NDArray[np.object_]) -> tuple[list[str], Ints]:
    """The words in order of appearance, and for every value the code (the place) of its word."""
    values_listed = values.tolist()
    codes = {word: code for code, word in enumerate(dict.fromkeys(values_listed))}
    return list(codes), np.fromiter(map(codes.__getitem__, values_listed), np.int64, len(values_listed))


def find_deaths(first: Flags, kept: Ints, born: Ints, position: Ints) -> Ints:
    """For every segment the first later call of its conversation that kept no more than its position; one past the
    last call of the conversation where none did. (S,)

    A call that kept `n` segments has lost all at positions `n` and above. Only breaks (calls that kept less than the
    call before them held) can end a life, and they are few. So each segment starts at the first break behind its birth
    and jumps on from break to break, until one kept few enough. A break that kept as much as the one before it, or
    more, cannot end what that one spared, so the jumps go to the next one that kept less.

    Args:
        first: whether each call is the first of its conversation. (C,)
        kept: leading segments that each call kept. (C,)
        born: the call that added each segment. (S,)
        position: of each segment in its context. (S,)
    """
    calls = len(first)
    starts = np.flatnonzero(first)
    ends = np.append(starts[1:], calls)
    conversation = np.cumsum(first) - 1
    added = np.bincount(born, minlength=calls)
    held = np.maximum(kept, 0) + added
    held_before = np.zeros(calls, dtype=np.int64)
    held_before[1:] = held[:-1]
    breaks = np.flatnonzero((kept >= 0) & ~first & (kept < held_before))
    next_smaller = _find_next_smaller(breaks, kept, conversation)
    # One break more than there are, at the end, which kept -1: every walk ends there at the latest.
    no_break = len(breaks)
    padded_kept = np.append(kept[breaks], -1)
    padded_calls = np.append(breaks, calls)
    padded_conversation = np.append(conversation[breaks], -1)
    own_conversation = conversation[born]
    at_break = np.searchsorted(breaks, born, side="right")
    at_break = np.where(padded_conversation[at_break] == own_conversation, at_break, no_break)
    walking = np.flatnonzero(padded_kept[at_break] > position)
    while len(walking):
        at_break[walking] = next_smaller[at_break[walking]]
        walking = walking[padded_kept[at_break[walking]] > position[walking]]
    return np.where(at_break == no_break, ends[own_conversation], padded_calls[at_break])


def _find_next_smaller(breaks: Ints, kept: Ints, conversation: Ints) -> Ints:
    """For every break the place of the next one in its conversation that kept less; one past the end where none did.

    The usual stack for "next smaller value": on it are the breaks that still wait for one, each keeping no more than
    the one above it.
    """
    count = len(breaks)
    next_smaller = np.full(count + 1, count, dtype=np.int64)
    waiting: list[int] = []
    current = -1
    for place, call in enumerate(breaks.tolist()):
        if conversation[call] != current:
            current, waiting = conversation[call], []
        while waiting and kept[breaks[waiting[-1]]] > kept[call]:
            next_smaller[waiting.pop()] = place
        waiting.append(place)
    return next_smaller


def count_kept_tokens(first: Flags, kept: Ints, parts: Arrays) -> Ints:
    """Tokens of the segments that each call kept: where the last kept segment ends; -1 where that is not known. (C,)

    Positions are used again after a break: the segment that a call kept at a position is the one that was added there
    latest, before that call.
    """
    tokens = np.full(len(first), -1, dtype=np.int64)
    tokens[kept == 0] = 0
    born, position = parts["segment_call"], parts["segment_position"]
    end = parts["segment_offset"] + parts["segment_tokens"]
    # The usual case: what the call added begins where the kept part ends.
    first_added = np.flatnonzero(np.diff(born, prepend=-1))
    joined = first_added[position[first_added] == kept[born[first_added]]]
    tokens[born[joined]] = parts["segment_offset"][joined]
    # What is left are calls that added nothing, or whose first segment does not follow on what they kept.
    open_calls = np.flatnonzero((kept > 0) & (tokens < 0))
    if len(open_calls) == 0 or len(born) == 0:
        return tokens
    conversation = np.cumsum(first) - 1
    # One number for conversation and position, and one more for these and the birth, so that one search finds the last
    # segment at that position that was born before the call.
    width = int(max(position.max(), kept.max())) + 2
    key = conversation[born] * width + position
    order = np.lexsort((born, key))
    wanted_key = conversation[open_calls] * width + kept[open_calls] - 1
    count = len(first) + 1
    place = np.searchsorted(key[order] * count + born[order], wanted_key * count + open_calls) - 1
    segment = order[np.maximum(place, 0)]
    fits = (place >= 0) & (key[segment] == wanted_key)
    tokens[open_calls[fits]] = end[segment[fits]]
    return tokens
