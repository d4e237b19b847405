import pytest

from agents.teams import plan
from modicum.agents.headers import TurnQuestion, answer_question, parse_turn_question
from modicum.agents.plan_rules import EdgeKind, Mute, Substitute

HEADERS = {"X-Modicum-Run": "run-7", "x-modicum-agent": "a", "X-MODICUM-PARENT": " b ", "x-modicum-round": "2"}


def test_headers_in_any_case_ask_one_question():
    assert parse_turn_question(HEADERS) == TurnQuestion("run-7", "a", "b", 2)


@pytest.mark.parametrize("missing", ["X-Modicum-Run", "x-modicum-agent"])
def test_a_call_without_run_or_agent_is_no_turn(missing):
    assert parse_turn_question({name: value for name, value in HEADERS.items() if name != missing}) is None


@pytest.mark.parametrize("text", ["0", "-1", "two", "1.5", "²"])
def test_a_round_that_is_none_is_refused(text):
    with pytest.raises(ValueError, match="x-modicum-round"):
        parse_turn_question(HEADERS | {"x-modicum-round": text})


def test_the_guard_answers():
    guard = plan(rounds=2, drop=[("a", 2)]).guard()

    assert not answer_question(guard, TurnQuestion("run-7", "a", round=2)).speaks
    assert answer_question(guard, TurnQuestion("run-7", "b", round=2)).speaks


def test_without_a_round_each_call_is_the_next_one():
    guard = plan(rounds=2, drop=[("a", 2)]).guard()

    verdicts = [answer_question(guard, TurnQuestion("run-7", "a")) for _ in range(2)]

    assert [(one.speaks, one.round) for one in verdicts] == [(True, 1), (False, 2)]


def test_a_cheaper_model_is_named():
    guard = plan(substitute=(Substitute("a", "small"),)).guard()

    assert answer_question(guard, TurnQuestion("r", "a", round=1)).model == "small"
    assert answer_question(guard, TurnQuestion("r", "b", round=1)).model == ""


def test_a_muted_parent_does_not_hand_over():
    guard = plan(mute=(Mute("b", "a", EdgeKind.SPATIAL),)).guard()

    assert not answer_question(guard, TurnQuestion("r", "a", parent="b", round=1)).hand_over
    assert answer_question(guard, TurnQuestion("r", "a", parent="c", round=1)).hand_over
    assert answer_question(guard, TurnQuestion("r", "a", round=1)).hand_over
