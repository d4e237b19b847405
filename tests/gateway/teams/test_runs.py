from hypothesis import given
from hypothesis import strategies as st

from gateway.team_rig import plan
from modicum.agents.plan_rules import EarlyExit
from modicum.agents.turn import digest_saying
from modicum.gateway.teams.runs import FORGOTTEN_AFTER_S, MOST_SAYINGS, Run, Runs


def run(**fields):
    return Run(plan(**fields).guard("r"))


def test_authors_are_known_by_what_they_said_but_for_white_space():
    one = run()
    one.record_saying("planner", "yes ")
    one.record_saying("critic", "\nyes")
    one.record_saying("critic", "no")
    one.record_saying("critic", "  ")

    assert one.authors_by_digest == {digest_saying(" yes"): {"planner", "critic"}, digest_saying("no"): {"critic"}}


def test_a_run_remembers_so_much_and_no_more():
    one = run()
    for number in range(MOST_SAYINGS + 1):
        one.record_saying("planner", str(number))

    assert one.authors_by_digest[digest_saying("0")] == {"planner"}
    assert digest_saying(str(MOST_SAYINGS)) not in one.authors_by_digest


def test_enough_equal_answers_of_one_round_end_the_run():
    one = run(rounds=2, early_exit=EarlyExit(2, 3), protect=("judge",))
    one.answered("planner", 1, "b")
    one.answered("planner", 1, "b")
    assert not one.agreed
    one.answered("critic", 2, "b")
    assert not one.agreed
    one.answered("judge", 1, "b")
    assert one.agreed == "2 of the first 3 answers of round 1 agree"
    assert (one.stops("planner", 2), one.stops("judge", 2), one.stops("planner", 3), one.stops("x", 1)) == (
        True,
        False,
        False,
        False,
    )


def test_where_the_plan_says_whom_to_ask_first_their_answers_count():
    one = run(early_exit=EarlyExit(2, 2, ("planner", "judge")))
    one.answered("critic", 1, "b")
    one.answered("planner", 1, "b")
    assert not one.agreed
    one.answered("judge", 1, "b")
    assert one.agreed


def test_abstentions_agree_on_nothing():
    one = run(early_exit=EarlyExit(2, 3))
    for agent in ("planner", "critic", "judge"):
        one.answered(agent, 1, None)

    assert not one.agreed


def test_runs_are_forgotten_when_nobody_calls_and_callers_do_not_meet():
    now = [0.0]
    runs = Runs(clock=lambda: now[0])
    first = runs.of("key", "support", "r", run)

    assert runs.of("key", "support", "r", run) is first
    assert runs.of("another key", "support", "r", run) is not first
    now[0] = FORGOTTEN_AFTER_S + 1
    assert runs.of("key", "support", "r", run) is not first
    assert len(runs) == 1


@given(st.lists(st.integers(0, 6), max_size=30))
def test_the_longest_unused_go_first(names):
    runs = Runs(most=3)
    for name in names:
        runs.of("k", "t", str(name), run)

    latest = list(dict.fromkeys(reversed(names)))[:3]
    kept = {name: runs.of("k", "t", str(name), lambda: None) for name in latest}
    assert None not in kept.values()
