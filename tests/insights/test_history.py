from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modicum.calls import Anatomy, Basis, Call, Reuse, Segment, SegmentKind, Usage
from modicum.insights.history import load, once_per_history
from modicum.ledger.booking import book
from modicum.ledger.opening import open_store
from modicum.metering.prices import PriceBook

START = datetime(2026, 2, 3, tzinfo=UTC)
EVER = datetime(1990, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
PRICES = PriceBook()


def sent(turn, anatomy, conversation="t", **fields):
    tokens = anatomy.kept_tokens + sum(part.tokens for part in anatomy.added) if anatomy else 0
    told = {
        "call_id": f"{conversation}{turn}",
        "source": "test",
        "provider": "anthropic",
        "model": "claude-opus-4-5",
        "started": START + timedelta(seconds=turn),
        "usage": Usage(0, 0, tokens, 0, 10),
        "turn": turn,
        "conversation": conversation,
        "anatomy": anatomy,
    }
    return book(Call(**(told | fields)), PRICES)


def part(tokens, kind=SegmentKind.USER, **fields):
    return Segment(kind, tokens, **fields)


def test_segments_live_until_the_call_that_kept_less(store):
    read = part(500, SegmentKind.TOOL_RESULT, tool="Read", digest=bytes(range(16)), is_error=True)
    store.append(
        [
            sent(0, Anatomy(0, 0, (part(1000, SegmentKind.PREFIX), part(100)))),
            sent(1, Anatomy(2, 1100, (read,))),
            sent(2, Anatomy(3, 1600)),
            sent(3, Anatomy(1, 1000, (part(50, SegmentKind.SUMMARY),), "compaction")),
            sent(0, Anatomy(0, 0, (part(7),)), "u"),
        ]
    )

    history = load(store, *EVER)

    assert history.first.tolist() == [True, False, False, False, True]
    assert history.prompt.tolist() == history.context_tokens.tolist() == [1100, 1600, 1600, 1050, 7]
    assert history.kept_tokens.tolist() == [0, 1100, 1600, 1000, 0]
    lives = zip(history.segment_call, history.segment_died, history.segment_tokens, strict=True)
    assert [tuple(map(int, life)) for life in lives] == [(0, 4, 1000), (0, 3, 100), (1, 3, 500), (3, 4, 50), (4, 5, 7)]
    assert history.tools[history.segment_tool[2]] == "Read"
    assert history.segment_error.tolist() == [False, False, True, False, False]
    assert history.segment_digest[2] == int(bytes(range(16)).hex()[:15], 16)
    assert [history.break_causes[code] for code in history.break_cause] == ["", "", "", "compaction", ""]


def test_calls_without_anatomy_price_or_end_are_loaded_as_unknown(store):
    store.append([sent(0, None, usage=Usage(5), model="mystery", provider="")])

    history = load(store, *EVER)

    assert (history.kept_segments[0], history.kept_tokens[0], history.segments) == (-1, -1, 0)
    assert np.isnan(history.cost_usd[0])
    assert np.isnan(history.finished_s[0])


def test_aggregated_reports_and_unknown_usage_stand_apart_with_their_cost(store):
    store.append(
        [
            sent(0, None, "report", usage=Usage(1_000_000), calls_count=50),
            sent(0, None, "lost", usage_basis=Basis.UNKNOWN),
            sent(0, Anatomy(0, 0, (part(3),))),
        ]
    )

    history = load(store, *EVER)

    assert (history.calls, history.apart_calls, history.apart_cost_usd) == (1, 51, pytest.approx(5.0))
    assert history.segment_call.tolist() == [0]


def test_calls_without_conversation_are_each_their_own(store):
    store.append([sent(turn, None, "", call_id=f"c{turn}", usage=Usage(5)) for turn in range(3)])

    assert load(store, *EVER).first.tolist() == [True, True, True]


def test_an_empty_ledger_is_an_empty_history(store):
    history = load(store, *EVER)

    assert (history.calls, history.segments) == (0, 0)


def test_what_was_born_before_the_span_is_unknown(store):
    store.append([sent(0, Anatomy(0, 0, (part(9),))), sent(100, Anatomy(1, 9)), sent(101, Anatomy(1, 9, (part(1),)))])

    history = load(store, START + timedelta(seconds=50), EVER[1])

    assert history.kept_tokens.tolist() == [-1, 9]


turns = st.lists(st.tuples(st.integers(0, 6), st.integers(0, 3)), min_size=1, max_size=12)


@given(st.lists(turns, min_size=1, max_size=3))
@settings(max_examples=settings.default.max_examples // 4)
def test_lives_are_those_of_the_ledgers_view(conversations):
    entries = []
    for number, shape in enumerate(conversations):
        held = 0
        for turn, (kept, added) in enumerate(shape):
            kept = min(kept, held)  # noqa: PLW2901 - no more can be kept than there was
            held = kept + added
            entries.append(sent(turn, Anatomy(kept, kept * 10, tuple(part(10) for _ in range(added))), f"t{number}"))
    store = open_store(":memory:")
    store.append(entries)

    history = load(store, *EVER)

    found = {
        (row["entry_id"], row["position"]): row["died"] - 1
        for row in store._rows("SELECT entry_id, position, died FROM lives", {})
    }
    for call, died, position in zip(history.segment_call, history.segment_died, history.segment_position, strict=True):
        told = found[history.entry_ids[call], position]
        start, end = history.conversation_start[call], history.conversation_end[call]
        assert died == min(start + told, end)
    assert (history.kept_tokens == 10 * history.kept_segments).all()
    store.close()


def test_the_shares_that_were_read_stand_beside_their_segments(store):
    def result(digest, share=None):
        reuse = None if share is None else Reuse(share, 9)
        return part(900, SegmentKind.TOOL_RESULT, digest=digest, reuse=reuse)

    one, two, nobody_looked = b"\x11" * 16, b"\x22" * 16, b"\x33" * 16
    store.append(
        [
            sent(0, Anatomy(0, 0, (part(100), result(two, 0.25), result(one, 1.0)))),
            sent(1, Anatomy(3, 1900, (result(nobody_looked), result(one)))),
            sent(0, Anatomy(0, 0, (result(one, 0.5), result(one, 0.5))), conversation="s"),
        ]
    )

    shares = load(store, *EVER).segment_read_share

    np.testing.assert_array_equal(shares, [0.5, 0.5, np.nan, 0.25, 1.0, np.nan, np.nan])


def test_what_is_worked_out_once_is_kept_with_its_history_and_not_with_a_copy(store):
    asked = []

    @once_per_history
    def counted(history):
        asked.append(history)
        return history.calls

    history = load(store, *EVER)

    assert (counted(history), counted(history), len(asked)) == (0, 0, 1)
    assert counted(replace(history)) == 0
    assert len(asked) == 2
