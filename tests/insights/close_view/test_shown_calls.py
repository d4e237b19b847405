from datetime import UTC, datetime, timedelta

import pytest

from modicum.calls import Anatomy, Call, Segment, SegmentKind, Usage, UserError
from modicum.insights.close_view.shown_calls import list_calls, show
from modicum.insights.history import load
from modicum.ledger.booking import book
from modicum.ledger.opening import open_store
from modicum.metering.prices import PriceBook

AT = datetime(2026, 2, 3, 9, tzinfo=UTC)


def call(number, minutes, usage, kept, *added, **fields):
    more = {"call_id": f"msg_{number}", "source": "test", "provider": "anthropic", "model": "claude-opus-4-5"}
    at = AT + timedelta(minutes=minutes)
    anatomy = Anatomy(kept, 0, added)
    fields = {"task": "s-1", "conversation": "s-1", "turn": number, "project": "/home/ann/shop"} | fields
    return Call(**more, started=at, finished=at, usage=usage, anatomy=anatomy, **fields)


PREFIX = Segment(SegmentKind.PREFIX, 4000, b"p" * 17)
QUESTION = Segment(SegmentKind.USER, 1000, b"q" * 17)
RESULT = Segment(SegmentKind.TOOL_RESULT, 2000, b"r" * 17, tool="Read", is_error=True)


@pytest.fixture
def history():
    store, prices = open_store(":memory:"), PriceBook()
    calls = [
        call(1, 0, Usage(cache_write_5m=5000, output_visible=50), 0, PREFIX, QUESTION),
        call(2, 1, Usage(cache_read=5000, cache_write_5m=2000, output_visible=60), 2, RESULT),
        call(3, 21, Usage(cache_write_5m=7000, output_visible=70), 3),
        call(9, 30, Usage(input_uncached=10), 0, task="s-2", conversation="s-2"),
    ]
    store.append([book(one, prices) for one in calls])
    yield load(store, AT - timedelta(days=1), AT + timedelta(days=1))
    store.close()


def test_a_call_stands_between_the_one_before_and_the_one_behind_it(history):
    view = show(history, "msg_2")

    assert (view.what, view.name, view.calls_in_all) == ("call", "msg_2", 1)
    assert [one.call_id for one in view.calls] == ["msg_1", "msg_2", "msg_3"]
    assert [(one.kind, one.tool, one.tokens, one.is_error) for one in view.calls[1].parts] == [
        ("tool_result", "Read", 2000, True)
    ]
    assert [(one.kind, one.tokens) for one in view.carried] == [
        ("prefix", 4000),
        ("tool_result", 2000),
        ("user", 1000),
    ]


def test_a_session_is_its_calls_in_order_with_pauses_and_lost_caches(history):
    view = show(history, "s-1")

    assert (view.what, view.calls_in_all) == ("session", 3)
    assert [one.gap_s for one in view.calls] == [None, 60, 1200]
    assert [one.lost for one in view.calls] == ["", "", "a pause of 20 minutes"]
    assert view.calls[2].lost_tokens == 7000
    assert view.cost_usd == pytest.approx(sum(one.cost_usd for one in view.calls))
    assert [one.call_id for one in show(history, "s-1", most=1).calls] == ["msg_1"]


def test_a_finding_is_named_by_its_id_in_either_case_or_by_its_name(history):
    views = [show(history, name) for name in ("B3", "b3", "ttl_expiry")]

    assert views[0] == views[1] == views[2]
    assert (views[0].what, views[0].calls_in_all) == ("finding", 1)
    assert [one.call_id for one in views[0].calls] == ["msg_3"]


def test_names_may_be_begun_and_must_be_clear(history):
    assert show(history, "s-2").calls[0].call_id == "msg_9"
    with pytest.raises(UserError, match="4 calls begin with 'msg_': msg_"):
        show(history, "msg_")
    with pytest.raises(UserError, match="there is no call, session or finding 'nobody'"):
        show(history, "nobody")
    with pytest.raises(UserError, match="there is no call, session or finding ''"):
        show(history, "")


def test_calls_without_a_price_say_so(history):
    history.cost_usd[0] = float("nan")

    assert list_calls(history, [0])[0].cost_usd is None
