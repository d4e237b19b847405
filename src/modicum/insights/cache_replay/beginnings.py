"""Which conversations of a history begin alike, by the digests of their first segments."""

import numpy as np

from modicum.insights.cache_replay.logged_share import LoggedShare
from modicum.insights.history import Flags, Floats, History, Ints, once_per_history
from modicum.metering.shared_beginnings import SharedBeginnings

MOST_SEGMENTS = 400
"""Leading segments that are compared; a longer beginning counts up to here."""

SAME_LENGTH = 0.1
"""Beginnings that no log holds are taken for equal if their lengths differ by no more than this share."""


@once_per_history
def find_shared(history: History) -> SharedBeginnings:
    """The beginnings that calls share, of one provider and model each. `caching` judges whether they are read."""
    if not history.segments:
        nothing, none = np.zeros(0, dtype=np.int64), np.full(history.calls, -1, dtype=np.int64)
        zeros, flags = np.zeros(history.calls), np.zeros(history.calls, dtype=bool)
        return SharedBeginnings(nothing, nothing, np.zeros(0), none, zeros, flags, np.full(history.calls, np.nan))
    first_calls = np.flatnonzero(history.first)
    conversation, beginning, depth, tokens = _share_chains(history, first_calls)
    call, row = _spread_over_calls(history, first_calls, conversation, depth)
    logged = LoggedShare.fit(history)
    root, root_tokens = np.full(history.calls, -1, dtype=np.int64), np.zeros(history.calls)
    length = logged.unlogged[history.conversation_start[call]] + tokens[row] * logged.scale[call]
    # Rows come from the shortest beginning to the longest, so the first one that a call meets is its root.
    places = np.unique(call, return_index=True)
    root[places[0]], root_tokens[places[0]] = beginning[row][places[1]], length[places[1]]
    return SharedBeginnings(
        call, beginning[row], length, root, root_tokens, _find_lone(history, root), np.full(history.calls, np.nan)
    )


def _share_chains(history: History, first_calls: Ints) -> tuple[Ints, Ints, Ints, Floats]:
    """Rows of conversation (place in `first_calls`), beginning, segments in it and tokens by our count; the shortest
    come first. Of beginnings that the same conversations share, only the longest is there.
    """
    start = np.searchsorted(history.segment_call, first_calls)
    end = np.searchsorted(history.segment_call, first_calls, side="right")
    at_front = np.append(history.segment_position, 1)[start] == 0
    alive = np.flatnonzero(at_front & (end > start))
    chain, hidden = _start_chains(history, first_calls[alive])
    rows: list[tuple[Ints, Ints, Ints, Floats]] = [(alive[:0], chain[:0], chain[:0], np.zeros(0))]
    used = 0
    for depth in range(MOST_SEGMENTS):
        if not len(alive):
            break
        place = start[alive] + depth
        digest = np.where(place < end[alive], np.append(history.segment_digest, 0)[place], 0)
        deeper = _number(chain, digest)
        goes_on = (digest != 0) & (np.bincount(deeper)[deeper] > 1)
        # A beginning ends where not all that share it go on alike.
        ends = np.bincount(deeper, goes_on)[deeper] < np.bincount(chain)[chain]
        ends &= (hidden & (np.bincount(chain)[chain] > 1)) | (depth > 0)
        if ends.any():
            last = place[ends] - 1
            tokens = (history.segment_offset[last] + history.segment_tokens[last]).astype(np.float64)
            tokens = tokens if depth else np.zeros(len(last))
            rows.append((alive[ends], used + chain[ends], np.full(len(last), depth), tokens))
        used += int(chain.max()) + 1
        alive, chain, hidden = alive[goes_on], deeper[goes_on], hidden[goes_on]
    conversation, beginning, depths, lengths = (np.concatenate(column) for column in zip(*rows, strict=True))
    return conversation, beginning, depths, lengths


def _start_chains(history: History, calls: Ints) -> tuple[Ints, Flags]:
    """Which of these first calls can share anything: equal numbers for those of one provider and model. And which of
    them begin with something that was not logged: it is taken for the same text where it is as long, in one project.
    """
    chain = _number(history.provider[calls], history.model[calls])
    unlogged = LoggedShare.fit(history).unlogged[calls]
    hidden = unlogged > 0
    if not hidden.any():
        return chain, hidden
    main = history.agent[calls] == history.code_of(history.agents, "")
    place = _number(history.project[calls] * 2 + main, hidden.astype(np.int64))
    chain = _number(chain, np.where(hidden, place, -1))
    for one in np.unique(chain[hidden]):
        lot = chain == one
        alike = np.abs(unlogged - np.median(unlogged[lot])) <= SAME_LENGTH * np.median(unlogged[lot])
        apart = np.flatnonzero(lot & ~alike)
        chain[apart] = chain.max() + 1 + np.arange(len(apart))
    return _number(chain, np.zeros(len(chain), dtype=np.int64)), hidden


def _number(first: Ints, second: Ints) -> Ints:
    """Equal numbers for equal pairs."""
    _, low = np.unique(second, return_inverse=True)
    numbers: Ints = np.unique(first * (int(low.max(initial=0)) + 1) + low, return_inverse=True)[1]
    return numbers


def _spread_over_calls(history: History, first_calls: Ints, conversation: Ints, depth: Ints) -> tuple[Ints, Ints]:
    """Each row for every call of its conversation that still has the beginning: call, and number of the row."""
    if not len(conversation):
        return conversation, conversation
    begins = first_calls[conversation]
    counts = history.conversation_end[begins] - begins
    row = np.repeat(np.arange(len(conversation)), counts)
    call = begins[row] + np.arange(len(row)) - np.repeat(np.cumsum(counts) - counts, counts)
    # The fewest leading segments that stood in every call since the first. Conversations are taken apart by an offset,
    # so that one running minimum serves all of them.
    number = np.cumsum(history.first) - 1
    far = max(int(history.kept_segments.max(initial=0)), MOST_SEGMENTS) + 2
    kept = np.where(history.first, far - 1, np.maximum(history.kept_segments, 0)) - number * far
    stood = np.minimum.accumulate(kept) + number * far
    still: Flags = stood[call] >= depth[row]
    return call[still], row[still]


def _find_lone(history: History, root: Ints) -> Flags:
    """Calls that are alone in their conversation, as all are that begin as they do."""
    alone = history.conversation_end - history.conversation_start == 1
    group = np.maximum(root, 0)
    goes_on = np.bincount(group, ~alone & (root >= 0))[group] > 0
    lone: Flags = alone & ~goes_on & (root >= 0)
    return lone
