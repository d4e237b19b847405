"""The whole history as arrays: every call and every segment once, numbered, so that findings and replays need no loops.

Calls stand sorted by conversation and their place in it; segments by the call that bore them and their position. A
segment is carried by all calls of its conversation from the one that bore it until before the one at which it died, so
contexts that hold 100 million segments take 5 million rows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from functools import cached_property, wraps
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from modicum.ledger.store import Arrays, Store

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
    kinds: list[str]
    tools: list[str]

    conversation: Ints
    first: Flags
    """Whether it is the first call of its conversation in this history."""
    started_s: Floats
    """Seconds since 1970, UTC."""
    finished_s: Floats
    """NaN where not known."""
    task: Ints
    agent: Ints
    project: Ints
    model: Ints
    provider: Ints
    source: Ints
    tier: Ints
    status: Ints
    finish_reason: Ints
    break_cause: Ints
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
    task_values: Floats | None = None
    """For every task the largest value among its outcomes; NaN where it has none."""
    memory: dict[str, Any] = field(init=False, repr=False, compare=False, default_factory=dict)
    """What `once` has worked out already."""

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
        """For every call the first call of its conversation."""
        return np.maximum.accumulate(np.where(self.first, np.arange(self.calls), 0))

    @cached_property
    def conversation_end(self) -> Ints:
        """For every call one past the last call of its conversation."""
        starts = np.flatnonzero(self.first)
        ends = np.append(starts[1:], self.calls)
        return np.repeat(ends, ends - starts)

    def code_of(self, words: Sequence[str], name: str) -> int:
        """The code of a word, or -1 where this history has none such."""
        return words.index(name) if name in words else -1

    def sum_carried(self, per_segment: npt.NDArray[np.int64] | npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """For every call the sum of a quantity of the segments that it carried."""
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
        found: Worked = history.memory[name]
        return found

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
        segment_read_share=align_read_shares(history, store.ask_columns("history_reuse", since=since, until=until)),
        task_values=np.array([values.get(task, np.nan) for task in history.tasks], np.float64),
    )


def align_read_shares(history: History, reuse: Arrays) -> Floats:
    """For every segment the share that later calls referred to, from the columns of `history_reuse`."""
    found = np.full(history.segments, np.nan)
    numbers = {name: number for number, name in enumerate(history.entry_ids)} if len(reuse["digest"]) else {}
    calls = np.array([numbers.get(name, -1) for name in reuse["entry_id"]], np.int64)
    digests = np.unique(reuse["digest"])
    told = calls * len(digests) + np.searchsorted(digests, reuse["digest"])
    order = np.argsort(told)[np.searchsorted(np.sort(calls), 0) :]  # without calls that are in no array
    asked = np.flatnonzero(np.isin(history.segment_digest, digests))
    wanted = history.segment_call[asked] * len(digests) + np.searchsorted(digests, history.segment_digest[asked])
    if len(order) and len(asked):
        at = np.minimum(np.searchsorted(told[order], wanted), len(order) - 1)
        fits = told[order][at] == wanted
        found[asked[fits]] = reuse["read_share"][order[at[fits]]]
    return found


def build(calls: Arrays, segments: Arrays, words: Sequence[tuple[str, str]]) -> History:
    """A history from the columns of `history_calls` and `history_segments`."""
    alone = (calls["calls_count"] == 1) & (calls["usage_unknown"] == 0)
    apart_usd = float(np.nansum(calls["cost_usd"][~alone]))
    apart_calls = int(calls["calls_count"][~alone].sum())
    numbers = np.cumsum(alone) - 1
    calls = {name: values[alone] for name, values in calls.items()}
    borne = alone[segments["call_number"]]
    segments = {name: values[borne] for name, values in segments.items()}
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
    """Where the context of each call ends by the places of its segments, also of those born before this history begins;
    0 where no segment tells.
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
}
"""Column of the ledger, the list of its words, and the array of codes."""


def _encode(values: npt.NDArray[np.object_]) -> tuple[list[str], Ints]:
    """The words in order of appearance, and for every value the place of its word."""
    listed = values.tolist()
    places = {word: place for place, word in enumerate(dict.fromkeys(listed))}
    return list(places), np.fromiter(map(places.__getitem__, listed), np.int64, len(listed))


def find_deaths(first: Flags, kept: Ints, born: Ints, position: Ints) -> Ints:
    """For every segment the first later call of its conversation that kept no more than its position."""
    calls = len(first)
    starts = np.flatnonzero(first)
    ends = np.append(starts[1:], calls)
    conversation = np.cumsum(first) - 1
    added = np.bincount(born, minlength=calls)
    held = np.maximum(kept, 0) + added
    before = np.zeros(calls, dtype=np.int64)
    before[1:] = held[:-1]
    breaks = np.flatnonzero((kept >= 0) & ~first & (kept < before))
    lesser = _find_next_smaller(breaks, kept, conversation)
    # Walk from break to the next one that kept less, until one kept no more than the position.
    at = np.searchsorted(breaks, born, side="right")
    last = len(breaks)
    padded_kept = np.append(kept[breaks], -1)
    padded_calls = np.append(breaks, calls)
    padded_owner = np.append(conversation[breaks], -1)
    owner = conversation[born]
    at = np.where(padded_owner[at] == owner, at, last)
    walking = np.flatnonzero(padded_kept[at] > position)
    while len(walking):
        at[walking] = lesser[at[walking]]
        walking = walking[padded_kept[at[walking]] > position[walking]]
    return np.where(at == last, ends[owner], padded_calls[at])


def _find_next_smaller(breaks: Ints, kept: Ints, conversation: Ints) -> Ints:
    """For every break the place of the next one in its conversation that kept less; one past the end where none did."""
    none = len(breaks)
    found = np.full(none + 1, none, dtype=np.int64)
    open_breaks: list[int] = []
    owner = -1
    for place, call in enumerate(breaks.tolist()):
        if conversation[call] != owner:
            owner, open_breaks = conversation[call], []
        while open_breaks and kept[breaks[open_breaks[-1]]] > kept[call]:
            found[open_breaks.pop()] = place
        open_breaks.append(place)
    return found


def count_kept_tokens(first: Flags, kept: Ints, parts: Arrays) -> Ints:
    """Tokens of the segments that each call kept: the end of the last kept segment, the one born latest there."""
    tokens = np.full(len(first), -1, dtype=np.int64)
    tokens[kept == 0] = 0
    born, position = parts["segment_call"], parts["segment_position"]
    end = parts["segment_offset"] + parts["segment_tokens"]
    # The usual case: what the call added begins where the kept part ends.
    adds = np.flatnonzero(np.diff(born, prepend=-1))
    known = adds[position[adds] == kept[born[adds]]]
    tokens[born[known]] = parts["segment_offset"][known]
    asked = np.flatnonzero((kept > 0) & (tokens < 0))
    if len(asked) == 0 or len(born) == 0:
        return tokens
    conversation = np.cumsum(first) - 1
    width = int(max(position.max(), kept.max())) + 2
    key = conversation[born] * width + position
    order = np.lexsort((born, key))
    wanted = conversation[asked] * width + kept[asked] - 1
    # Both keys with the birth behind them: the last segment at that position that was born before the call.
    count = len(first) + 1
    at = np.searchsorted(key[order] * count + born[order], wanted * count + asked) - 1
    there = order[np.maximum(at, 0)]
    fits = (at >= 0) & (key[there] == wanted)
    tokens[asked[fits]] = end[there[fits]]
    return tokens
