from datetime import UTC, datetime, timedelta
from decimal import Decimal

from ledger.samples import entry
from modicum.calls import Basis, Usage
from modicum.insights.plan_usage.sessions import view_sessions

NOW = datetime(2026, 2, 3, 12, 0, tzinfo=UTC)
MIDNIGHT = datetime(2026, 2, 3, tzinfo=UTC)
HOUR = timedelta(hours=1)


def call(name, minutes_ago, task="s", usd="1", **fields):
    fields = {"usage": Usage(10, 200, 30, 0, 5), "source": "claude-code", **fields}
    return entry(name, usd, task=task, started=NOW - timedelta(minutes=minutes_ago), **fields)


def view(*entries, active=HOUR):
    return view_sessions(entries, NOW, MIDNIGHT, active)


def test_sessions_that_called_lately_stand_with_the_last_first():
    found = view(call("c1", 50, "old"), call("c2", 3), call("c3", 1, "new"), call("c4", 61, "gone"))

    assert [one.session for one in found.sessions] == ["new", "s", "old"]
    assert (found.calls, found.cost_usd) == (4, 4)


def test_today_begins_at_midnight_and_a_block_may_begin_before():
    found = view(call("c1", 13 * 60), call("c2", 2, usd="0.5"), active=timedelta(days=1))

    (session,) = found.sessions
    assert (session.calls, session.cost_usd, found.cost_usd) == (1, Decimal("0.5"), Decimal("0.5"))
    assert [one.cost_usd for one in found.blocks] == [Decimal("0.5")]


def test_a_cache_is_warm_as_long_as_the_conversation_asks_for():
    (short,) = view(call("c1", 3)).sessions
    (long,) = view(call("c1", 9, usage=Usage(10, 200, 0, 30, 5)), call("c2", 3)).sessions
    (other,) = view(call("c1", 3, provider="openai")).sessions
    (nothing,) = view(call("c1", 3, usage=Usage(10))).sessions

    assert short.warm_until == NOW + timedelta(minutes=2)
    assert long.warm_until == NOW + timedelta(minutes=57)
    assert other.warm_until is nothing.warm_until is None


def test_the_context_is_that_of_the_main_agent():
    (session,) = view(call("c1", 3), call("c2", 1, agent="a1", model="small", usage=Usage(7))).sessions

    assert (session.context_tokens, session.model) == (240, "opus")
    assert session.last_call == NOW - timedelta(minutes=1)


def test_what_has_no_price_is_counted_and_reports_are_left_out():
    found = view(call("c1", 3, usd=None), call("c2", 3, source="anthropic-usage"))

    assert (found.calls, found.calls_unpriced, found.cost_usd, found.basis) == (1, 1, None, Basis.UNKNOWN)
    assert view().sessions == []
