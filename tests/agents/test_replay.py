import pytest

from agents.teams import plan, rows, team
from modicum.agents.plan_rules import EarlyExit
from modicum.agents.replay import replay, replay_run
from modicum.calls import UserError

STOP = EarlyExit(agree=2, of=3)


def test_stopping_early_takes_the_agreed_answer_and_saves_the_rest():
    recorded = team(rows("1", {"a": "x", "b": "x", "c": "y"}, {"a": "y", "b": "y", "c": "y"}, answer="y", gold="x"))

    found = replay(plan(rounds=2, early_exit=STOP), recorded)

    assert found.score_full.tolist() == [0.0]
    assert found.score_plan.tolist() == [1.0]
    assert found.calls_saved_share == pytest.approx(4 / 6)
    assert found.tokens_saved_share == pytest.approx(4 / 6)
    assert found.exact
    assert found.stopped_share == 1.0


def test_without_agreement_everything_is_as_it_was():
    recorded = team(rows("1", {"a": "x", "b": "y", "c": "z"}, answer="x", gold="x"))

    found = replay(plan(early_exit=STOP), recorded)

    assert found.calls_saved_share == 0
    assert found.score_plan.tolist() == [1.0]


def test_another_order_is_exact_only_where_nobody_had_read():
    said = {"a": "x", "b": "y", "c": "y"}
    first = plan(early_exit=EarlyExit(agree=2, of=3, first=("b", "c")))

    blind = replay(first, team(rows("1", said, answer="y", gold="y", reads=())))
    unknown = replay(first, team(rows("1", said, answer="y", gold="y")))

    assert blind.exact
    assert blind.calls_saved_share == pytest.approx(1 / 3)
    assert not unknown.exact


def test_a_drop_whose_words_were_read_is_a_bound():
    recorded = team(rows("1", {"a": "x", "b": "x", "c": "y"}, answer="x", gold="x"))

    assert not replay(plan(drop=["a"]), recorded).exact
    assert replay(plan(drop=["c"]), recorded).exact


def test_a_drop_is_voted_anew():
    recorded = team(rows("1", {"a": "x", "b": "y", "c": "y"}, answer="y", gold="x", reads=()))

    found = replay(plan(drop=["b", "c"]), recorded)

    assert found.score_plan.tolist() == [1.0]


def test_who_was_to_be_asked_first_and_is_not_in_the_record_counts_as_asked():
    recorded = team(rows("1", {"b": "x", "c": "x"}, answer="x", gold="x", reads=()))
    run = recorded.runs[0]

    found = replay_run(plan(early_exit=EarlyExit(agree=2, of=3, first=("a", "b", "c"))), run)

    assert found.calls_count == 3
    assert found.answer == "x"


def test_what_cannot_be_graded_counts_as_wrong_and_is_counted():
    recorded = team(rows("1", {"a": "x", "b": "x", "c": "y"}, {"a": "y", "b": "y", "c": "y"}, answer="y", outcome=0.0))

    found = replay(plan(rounds=2, early_exit=STOP), recorded)

    assert found.unknown_count == 1
    assert found.score_plan.tolist() == [0.0]
    assert "could not be graded" in found.evidence(0.02).note


def test_a_protected_agent_has_its_last_word():
    recorded = team(rows("1", {"a": "x", "b": "x", "c": "y"}, answer="y", gold="x"))

    assert replay(plan(early_exit=STOP, protect=("c",)), recorded).calls_saved_share == 0


def test_runs_without_an_outcome_are_left_out():
    recorded = team(rows("1", {"a": "x"}), rows("2", {"a": "x"}, answer="x", outcome=1.0))

    assert replay(plan(), recorded).score_full.tolist() == [1.0]


def test_tokens_that_were_not_counted_are_unknown():
    recorded = team(rows("1", {"a": "x", "b": "x"}, answer="x", gold="x", tokens=None))

    assert replay(plan(), recorded).tokens_saved_share is None


def test_who_speaks_twice_agrees_with_nobody_by_that():
    twice = rows("1", {"a": "y", "b": "x"}, answer="x", gold="x")
    twice = [twice[0], twice[0], *twice[1:]]

    found = replay(plan(("a", "b"), early_exit=EarlyExit(agree=2, of=2)), team(twice))

    assert found.stopped_share == 0
    assert not found.changed


def test_a_plan_for_other_agents_is_refused():
    with pytest.raises(UserError, match="in these runs d spoke too"):
        replay(plan(), team(rows("1", {"a": "x", "d": "x"}, gold="x")))
    assert replay(plan(), team(rows("1", {"a": "x", "b": "x"}, gold="x"))).exact
