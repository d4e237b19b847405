from datetime import timedelta

import pytest

from ledger.samples import START, entry
from modicum.calls import Anatomy, Basis, Segment, SegmentKind, Usage, UserError
from modicum.experiments.builds.traced_tasks import pairing_of, trace_tasks

SYSTEM = Segment(SegmentKind.SYSTEM, 100)
RESULT = Segment(SegmentKind.TOOL_RESULT, 40, tool="Bash")


def call(name, minute=0, usd="0.5", task="s1", anatomy=None, **fields):
    started = START + timedelta(minutes=minute)
    return entry(name, usd, task=task, started=started, anatomy=anatomy, usage=Usage(10, 0, 0, 0, 5, 0), **fields)


def test_a_task_of_the_trace_is_a_run_with_all_its_calls():
    side = trace_tasks([call("a"), call("b", 1), call("c", task="s2"), call("d", task="")], "task", {"s1": 1.0})

    first, second = side.results
    assert (first.task, first.run_id, first.total_tokens, first.cost_usd, first.outcome) == ("s1", "s1", 30, 1.0, 1.0)
    assert second.outcome is None
    assert (side.calls_per_task, side.calls_without_task) == (1.5, 1)


def test_what_one_call_does_not_tell_the_task_does_not_know():
    side = trace_tasks([call("a"), call("b", usd=None), call("c", task="s2", usage_basis=Basis.UNKNOWN)], "task", {})

    assert [(one.total_tokens, one.cost_usd) for one in side.results] == [(30, None), (None, 0.5)]


def test_tasks_are_matched_by_what_is_asked_for():
    calls = [call("a", tags={"case": "x"}), call("b", task="s2", tags={"case": "x"})]

    side = trace_tasks(calls, "tag:case", {})
    assert [(one.task, one.run_id) for one in side.results] == [("x", "s1"), ("x", "s2")]
    for pair in ("colour", "tag:", ""):
        with pytest.raises(UserError, match=r"--pair .* is not known; accepted are task"):
            pairing_of(pair)


def test_a_segment_counts_in_every_call_that_carried_it():
    calls = [
        call("b", 1, anatomy=Anatomy(1, 100, (RESULT,))),
        call("a", anatomy=Anatomy(added=(SYSTEM,))),
        call("c", 2, anatomy=Anatomy(2, 140)),
    ]

    assert trace_tasks(calls, "task", {}).parts == {"system prompt": 300, "results of Bash": 80}
