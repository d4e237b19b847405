from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from modicum.calls import Anatomy, Basis, Call, Segment, SegmentKind, Usage
from modicum.insights.rent import compute_rent
from modicum.ledger.booking import book
from modicum.metering.prices import PriceBook

PRICES = PriceBook()
START = datetime(2026, 2, 3, tzinfo=UTC)
EVER = datetime(1990, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
READ, WRITE, PLAIN, OUT = (Decimal(per_million) / 1_000_000 for per_million in ("0.5", "6.25", "5", "25"))


def sent(turn, usage, kept=0, kept_tokens=0, *added, **fields):
    anatomy = Anatomy(kept, kept_tokens, tuple(Segment(kind, tokens, tool=tool) for kind, tokens, tool in added))
    told = {
        "call_id": f"c{turn}",
        "source": "test",
        "provider": "anthropic",
        "model": "claude-opus-4-5",
        "started": START + timedelta(seconds=turn),
        "usage": usage,
        "turn": turn,
        "conversation": "t",
        "anatomy": anatomy,
    }
    return book(Call(**(told | fields)), PRICES)


def test_a_segment_pays_its_write_once_and_a_read_on_every_later_call(store):
    prefix, question, result = (
        (SegmentKind.PREFIX, 1000, ""),
        (SegmentKind.USER, 100, ""),
        (SegmentKind.TOOL_RESULT, 500, "Read"),
    )
    store.append(
        [
            sent(0, Usage(0, 0, 1100, 0, 10), 0, 0, prefix, question),
            sent(1, Usage(0, 1100, 500, 0, 10), 2, 1100, result),
            sent(2, Usage(20, 1600, 0, 0, 10), 3, 1600, (SegmentKind.USER, 20, "")),
            # compaction: only the prefix is kept
            sent(3, Usage(0, 1000, 50, 0, 10), 1, 1000, (SegmentKind.SUMMARY, 50, "")),
        ]
    )

    parts = {part.name: part for part in compute_rent(store, "tool", *EVER).parts}

    assert parts["prefix"].cost_usd == pytest.approx(float(1000 * WRITE + 3000 * READ))
    assert parts["tool_result Read"].cost_usd == pytest.approx(float(500 * WRITE + 500 * READ))
    assert (parts["tool_result Read"].tokens, parts["tool_result Read"].tokens_carried) == (500, 1000)
    assert parts["user"].cost_usd == pytest.approx(float(100 * WRITE + 200 * READ + 20 * PLAIN))
    assert parts["(completions)"].cost_usd == pytest.approx(float(40 * OUT))


def test_a_segment_that_lies_across_the_end_of_the_cached_prefix_is_divided(store):
    store.append([sent(0, Usage(300, 600, 0, 100, 0), 0, 0, (SegmentKind.USER, 1000, ""))])

    (part,) = compute_rent(store, "kind", *EVER).parts

    assert part.read_usd == pytest.approx(float(600 * READ))
    assert part.written_usd == pytest.approx(float(100 * 2 * PLAIN))
    assert part.uncached_usd == pytest.approx(float(300 * PLAIN))


def test_the_parts_sum_to_the_bill_and_calls_without_anatomy_are_a_part(store):
    bare = sent(1, Usage(500, 0, 0, 0, 5), anatomy=None)
    full = sent(0, Usage(0, 0, 1000, 0, 10), 0, 0, (SegmentKind.PREFIX, 1000, ""))
    store.append([bare, full])

    found = compute_rent(store, "kind", *EVER)

    assert found.cost_usd == bare.cost.usd + full.cost.usd
    assert sum(part.cost_usd for part in found.parts) == pytest.approx(float(found.cost_usd))
    assert found.rest_usd == pytest.approx(0)
    assert {part.name for part in found.parts} == {"prefix", "(completions)", "(prompts without anatomy)"}


def test_parts_are_never_more_than_the_bill_where_our_count_is(store):
    store.append([sent(0, Usage(100, 0, 0, 0, 10), 0, 0, (SegmentKind.USER, 900, ""), (SegmentKind.USER, 50, ""))])

    for by in ("kind", "segment"):
        found = compute_rent(store, by, *EVER)
        assert sum(part.cost_usd for part in found.parts) == pytest.approx(float(found.cost_usd))


def test_a_rest_is_worth_a_line_from_half_a_percent_on(store):
    store.append([sent(0, Usage(100, 0, 0, 0, 0), 0, 0, (SegmentKind.USER, 90, ""))])
    assert compute_rent(store, "kind", *EVER).has_rest
    store.append([sent(1, Usage(100_000, 0, 0, 0, 0), 0, 0, (SegmentKind.USER, 100_000, ""), conversation="u")])
    assert not compute_rent(store, "kind", *EVER).has_rest


def test_what_a_log_told_as_a_total_is_a_part(store):
    store.append([sent(0, Usage(100, 0, 0, 0, 10), anatomy=None, model="mystery", reported_cost_usd=Decimal("0.5"))])

    (part,) = (part for part in compute_rent(store, "kind", *EVER).parts if part.cost_usd)

    assert (part.name, part.cost_usd, part.basis) == ("(told as a total only)", 0.5, Basis.EXACT)


def test_what_only_unpriced_calls_carried_has_an_unknown_cost(store):
    store.append([sent(0, Usage(10, 0, 0, 0, 1), 0, 0, (SegmentKind.USER, 10, ""), model="mystery", provider="")])

    found = compute_rent(store, "kind", *EVER)

    assert [(part.name, part.cost_usd, part.basis) for part in found.parts if part.name == "user"] == [
        ("user", None, Basis.UNKNOWN)
    ]
    assert (found.cost_usd, found.calls_unpriced) == (None, 1)


def test_only_calls_in_the_span_pay(store):
    store.append(
        [
            sent(0, Usage(0, 0, 1000, 0, 0), 0, 0, (SegmentKind.PREFIX, 1000, "")),
            sent(100, Usage(0, 1000, 0, 0, 0), 1, 1000),
        ]
    )

    (part,) = compute_rent(store, "kind", START + timedelta(seconds=50), EVER[1]).parts

    assert part.cost_usd == pytest.approx(float(1000 * READ))


def grown(store):
    prefix, question, result = (
        (SegmentKind.PREFIX, 1000, ""),
        (SegmentKind.USER, 100, ""),
        (SegmentKind.TOOL_RESULT, 500, "Read"),
    )
    store.append(
        [
            sent(0, Usage(0, 0, 1100, 0, 10), 0, 0, prefix, question, task="a task"),
            sent(1, Usage(0, 1100, 500, 0, 10), 2, 1100, result, task="a task"),
            sent(2, Usage(20, 1600, 0, 0, 10), 3, 1600, (SegmentKind.USER, 20, ""), task="a task"),
            sent(3, Usage(7, 0, 0, 0, 1), anatomy=None),
        ]
    )


def test_the_dearest_segments_stand_on_their_own_and_the_others_are_one_part(store):
    grown(store)

    found = compute_rent(store, "segment", *EVER, most=2)

    first, second, *others = found.parts
    assert first.cost_usd == pytest.approx(float(1000 * WRITE + 2000 * READ))
    assert (second.kind, second.tool, second.position, second.calls_carried) == ("tool_result", "Read", 2, 2)
    assert (second.tokens, second.tokens_carried) == (500, 1000)
    assert (second.task, second.call_id, second.born) == ("a task", "c1", START + timedelta(seconds=1))
    assert second.written_usd == pytest.approx(float(500 * WRITE))
    assert second.read_usd == pytest.approx(float(500 * READ))
    assert [(part.name, part.segments) for part in others if part.segments] == [("(other segments)", 2)]


@pytest.mark.parametrize("most", [1, 3, 4, 100])
def test_segments_sum_to_the_bill_however_many_are_listed(store, most):
    grown(store)

    found = compute_rent(store, "segment", *EVER, most=most)

    assert sum(part.cost_usd for part in found.parts) == pytest.approx(float(found.cost_usd))
    assert found.rest_usd == pytest.approx(0)
    assert sum(part.segments for part in found.parts) == 4


def test_a_segment_without_a_known_price_has_an_unknown_cost_and_a_ledger_without_anatomy_has_no_segments(store):
    assert compute_rent(store, "segment", *EVER).parts == []
    store.append([sent(0, Usage(10, 0, 0, 0, 1), 0, 0, (SegmentKind.USER, 10, ""), model="mystery", provider="")])

    assert [part.cost_usd for part in compute_rent(store, "segment", *EVER).parts if part.name == "user"] == [None]
