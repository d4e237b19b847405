from datetime import UTC, datetime, timedelta

from insights.trends.test_running_loops import call
from ledger.samples import START
from ledger_process.watching.test_spend_watch import BY_TEAM
from modicum.ledger_process.watching import loop_watch
from modicum.ledger_process.watching.loop_watch import LoopWatch


def test_loops_of_the_last_hour_are_seen_and_older_ones_forgotten(ledger_in_memory, monkeypatch):
    ledger_in_memory.append([call(n, "ls", "a b") for n in range(8)])
    watch = LoopWatch()
    watch.check(ledger_in_memory, BY_TEAM, 3)
    assert watch.loops == []

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):
            return START.astimezone(tz or UTC) + timedelta(minutes=1)

    monkeypatch.setattr(loop_watch, "datetime", Clock)
    watch.check(ledger_in_memory, BY_TEAM, 3)
    assert watch.loops == []  # not yet time

    monkeypatch.setattr(loop_watch, "EVERY_S", 0.0)
    watch = LoopWatch()
    watch.check(ledger_in_memory, BY_TEAM, 3)
    (loop,) = watch.loops
    assert (loop.owner.text, loop.tool, loop.repeats, loop.usd) == ("search", "Bash", 6, 3.0)

    watch.check(None, BY_TEAM, 0)
    assert watch.loops == ()
