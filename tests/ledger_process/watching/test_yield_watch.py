from datetime import UTC, datetime, timedelta

from insights.trends.test_fallen_yields import book
from ledger.samples import START
from ledger_process.watching.test_spend_watch import BY_TEAM
from modicum.ledger_process.watching import yield_watch
from modicum.ledger_process.watching.yield_watch import YieldWatch


def test_a_yield_that_fell_is_seen_with_the_days_that_show_it(ledger_in_memory, monkeypatch):
    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return START.astimezone(tz or UTC)

    monkeypatch.setattr(yield_watch, "datetime", Clock)
    book(ledger_in_memory, recent_passed=4)
    watch = YieldWatch()
    watch.check(ledger_in_memory, BY_TEAM, (), 0.25, 20, "")

    (fallen,) = watch.fallen
    assert (fallen.owner.text, fallen.outcome, fallen.since) == ("search", "resolved", START.date() - timedelta(days=7))
    watch.check(None, BY_TEAM, (), 0.25, 20, "")  # not yet time
    assert len(watch.fallen) == 1
    watch.check(None, BY_TEAM, (), 0, 20, "")
    assert watch.fallen == ()
