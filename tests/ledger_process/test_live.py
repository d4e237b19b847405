from datetime import UTC, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest

from modicum.calls import Basis, Call, CallStatus, Cost, Entry, Owner, Usage
from modicum.ledger_process.live import LiveWindow

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def entry(number, *, ago_s=1, usd="0.5", team="a", status=CallStatus.OK, first_s=None, calls=1):
    ended = NOW - timedelta(seconds=ago_s)
    call = Call(
        call_id=f"{number}",
        source="gateway",
        provider="openai",
        model="gpt-4o-mini",
        started=ended - timedelta(seconds=2),
        first_token=None if first_s is None else ended - timedelta(seconds=2 - first_s),
        finished=ended,
        status=status,
        usage=Usage(input_uncached=100, cache_read=300, output_visible=10),
        owner=Owner(team=team),
        calls_count=calls,
    )
    return Entry(call, Cost(Decimal(usd), Basis.EXACT) if usd else Cost.unknown())


@pytest.fixture
def window():
    return LiveWindow()


def test_rows_by_owner_sum_to_the_total(window):
    window.add(
        [entry(1), entry(2, team="b", usd="2", first_s=0.5), entry(3, team="b", usd="", status=CallStatus.ERROR)]
    )

    live = window.live("team", 60, NOW)

    assert [(row.name, row.calls, row.cost_usd, row.calls_unpriced, row.calls_failed) for row in live.rows] == [
        ("b", 2, Decimal(2), 1, 1),
        ("a", 1, Decimal("0.5"), 0, 0),
    ]
    assert (live.total.calls, live.total.cost_usd, live.total.prompt_tokens) == (3, Decimal("2.5"), 1200)
    assert live.total.first_token_seconds == 0.5


def test_a_cost_that_nobody_knows_is_none(window):
    window.add([entry(1, usd="")])

    live = window.live("team", 60, NOW)

    assert (live.total.cost_usd, live.total.calls_unpriced) == (None, 1)


def test_what_ended_before_the_window_is_not_in_it(window):
    window.add([entry(1, ago_s=600), entry(2)])

    assert window.live("model", 60, NOW).total.calls == 1
    assert window.live("model", 900, NOW).total.calls == 2


def test_an_entry_that_comes_again_counts_once(window):
    window.add([entry(1)])
    window.add([entry(1)])

    assert window.live("model", 60, NOW).total.calls == 1


def test_what_was_answered_from_memory_is_no_call_as_in_the_bill(window):
    remembered = entry(2, usd="0")
    call = msgspec.structs.replace(remembered.call, provider="modicum", usage=Usage(), calls_count=0)
    window.add([entry(1), msgspec.structs.replace(remembered, call=call)])

    live = window.live("team", 60, NOW)

    assert (live.total.calls, live.total.cost_usd, live.total.prompt_tokens) == (1, Decimal("0.5"), 400)


def test_an_attempt_that_failed_is_paid_and_no_call(window):
    call = entry(1).call
    tags = {"attempt.failed": "timeout"}
    attempt = msgspec.structs.replace(call, call_id="a", status=CallStatus.ERROR, calls_count=0, tags=tags)
    window.add([entry(1), Entry(attempt, Cost(Decimal("0.25"), Basis.ESTIMATED))])
    total = window.live("team", 60, NOW).total
    assert (total.calls, total.calls_failed, total.cost_usd) == (1, 0, Decimal("0.75"))


def test_an_answer_from_memory_makes_no_model_faster(window):
    window.add([entry(1, first_s=0.5), entry(2, first_s=0.001, calls=0)])
    live = window.live("team", 60, NOW)

    assert live.total.first_token_seconds == 0.5
    assert live.rows[0].first_token_seconds == 0.5
