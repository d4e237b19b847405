import pytest

from insights.planted import OUT, START, WRITE, Conversation, history_of, user
from modicum.calls import Outcome
from modicum.insights.findings.cost_of_failure import find


def outcome(task, value, name="resolved"):
    return Outcome(outcome_id=f"{task} {name}", task=task, name=name, value=value, time=START)


def test_a_task_failed_if_all_its_outcomes_are_nothing():
    talks = [Conversation(name).call(user("do", 1000)) for name in "abcd"]
    told = [outcome("a", 0), outcome("b", 0), outcome("b", 1, "partly"), outcome("c", 1)]

    found = find(history_of(*talks, outcomes=told))

    assert found.gross_usd == pytest.approx(1000 * WRITE + 30 * OUT)
    assert found.details == {
        "tasks_failed": 1,
        "tasks_with_outcome": 3,
        "share_of_cost_with_outcome": pytest.approx(1 / 3),
    }


def test_without_outcomes_it_says_how_to_tell_them():
    assert "modicum outcome" in find(history_of(Conversation().call(user("do", 1000)))).lacks
