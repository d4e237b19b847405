import pytest

from agents.simulator import SimulatedTeam, equal, panel, persuasive, planted
from agents.teams import rows, team
from modicum.agents.attribution import attribute
from modicum.agents.graph import TeamGraph
from modicum.agents.plan_rules import Decision
from modicum.agents.proposal import (
    choose_safest,
    find_worst_agent,
    is_harmful,
    list_candidates,
    list_proposals,
    make_shortlist,
    propose,
    propose_and_check,
    rank_agents,
    split_in_halves,
)
from modicum.agents.team_plan import find_plan_fault


def test_the_planted_bad_agent_is_ranked_worst():
    simulated = SimulatedTeam(planted())
    report = attribute(simulated.record(simulated.tasks(60, seed=4)))

    assert rank_agents(report)[0] == "bad"


def test_without_grades_the_vote_ranks():
    runs = [rows(str(n), {"a": "y", "b": "x", "c": "x"}, answer="x", outcome=1.0) for n in range(20)]
    report = attribute(team(*runs))

    assert rank_agents(report, "without")[0] in {"a", "b", "c"}
    assert rank_agents(report)[0] == "a"


def test_all_agreeing_runs_stop_early():
    runs = [
        rows(str(n), {"a": "x", "b": "x", "c": "x"}, {"a": "x", "b": "x"}, answer="x", gold="x") for n in range(800)
    ]

    found = propose_and_check(team(*runs), max_loss=0.02)

    assert found.decision == Decision.REDUCE
    assert found.verified.change_low >= -0.02
    assert found.verified.calls_saved_share >= 0.5
    assert find_plan_fault(found) == ""


def test_one_agent_that_is_always_right_is_a_team_of_one():
    def run(number):
        others = "x" if number % 2 else "y"
        return rows(str(number), {"a": others, "b": others, "c": "x"}, answer="x", gold="x", reads=())

    found = propose_and_check(team(*(run(number) for number in range(800))))

    assert found.decision == Decision.TEAM_OF_ONE
    assert [name for name in found.agents if found.keeps(name, 1)] == ["c"]
    assert found.verified.calls_saved_share == pytest.approx(2 / 3)


def test_of_safe_plans_that_save_nearly_as_much_the_one_with_most_room_is_taken():
    """Two agree at once in most runs; in a few the first two are wrong together, and three are not."""

    def run(number):
        first = "yy" if number % 20 == 0 else "xz" if number % 20 == 1 else "xx"
        return rows(str(number), {"a": first[0], "b": first[1], "c": "x", "d": "x", "e": "x"}, answer="x", gold="x")

    recorded = team(*(run(number) for number in range(500)))
    found = make_shortlist(recorded, attribute(recorded), max_loss=0.1)

    greediest = choose_safest(found.safe, found.confidence, nearly_as_much=1.0)
    chosen = choose_safest(found.safe, found.confidence, nearly_as_much=0.5)

    assert greediest.replayed.change().mean < 0 == chosen.replayed.change().mean
    assert greediest.replayed.saved_share > chosen.replayed.saved_share >= 0.5 * greediest.replayed.saved_share


@pytest.mark.parametrize(("scenario", "agent", "count"), [(planted(), "bad", 200), (persuasive(), "loud", 300)])
def test_a_trial_is_named_for_an_agent_that_no_replay_can_judge(scenario, agent, count):
    simulated = SimulatedTeam(scenario)
    recorded = simulated.record(simulated.tasks(count, seed=1))

    assert find_worst_agent(recorded).agent == agent
    found = propose_and_check(recorded)
    assert any(one.agent == agent for one in found.drop) or f"worth a trial: without {agent} (" in found.why


def test_no_trial_is_named_without_a_clear_worst_agent():
    simulated = SimulatedTeam(equal())
    protected = TeamGraph(["bad", "a", "b"], 1, protect=["bad"])
    runs = [rows(str(n), {"bad": "y", "a": "x", "b": "x"}, answer="x", gold="x", reads=()) for n in range(50)]

    assert find_worst_agent(simulated.record(simulated.tasks(100, seed=1))) is None
    assert find_worst_agent(team(*runs)).agent == "bad"
    assert find_worst_agent(team(*runs, graph=protected)) is None
    assert find_worst_agent(team(*(rows(str(n), {"bad": "y", "a": "x"}, gold="x") for n in range(50)))) is None
    assert find_worst_agent(team(*(rows(str(n), {"bad": "y", "a": "x", "b": "x"}) for n in range(50)))) is None


def test_few_runs_are_not_enough_evidence():
    found = propose_and_check(team(*(rows(str(n), {"a": "x", "b": "x"}, answer="x", gold="x") for n in range(10))))

    assert found.decision == Decision.NOT_ENOUGH_EVIDENCE
    assert "graded runs" in found.why


def test_runs_without_outcomes_are_not_enough_evidence():
    found = propose_and_check(team(*(rows(str(n), {"a": "x", "b": "x"}) for n in range(100))))

    assert found.decision == Decision.NOT_ENOUGH_EVIDENCE


def test_a_team_of_one_has_nobody_to_drop():
    found = propose_and_check(team(*(rows(str(n), {"a": "x"}, answer="x", gold="x") for n in range(100))))

    assert found.decision == Decision.KEEP_ALL


def test_no_candidate_touches_a_protected_agent():
    graph = TeamGraph(["a", "b", "c"], 1, protect=["c"])
    recorded = team(
        *(rows(str(n), {"a": "x", "b": "x", "c": "x"}, answer="x", gold="x") for n in range(5)), graph=graph
    )

    found = list(list_candidates(recorded, attribute(recorded)))

    assert found
    assert all(one.plan.keeps("c", 1) for one in found)
    assert all(find_plan_fault(one.plan) == "" for one in found)


def test_a_choice_that_fails_on_the_other_half_is_no_plan():
    good = [rows(f"a{n:03}", {"a": "x", "b": "x"}, {"a": "x"}, answer="x", gold="x", group="1") for n in range(400)]
    bad = [rows(f"b{n:03}", {"a": "y", "b": "y"}, {"a": "x"}, answer="x", gold="x", group="2") for n in range(400)]
    recorded = team(*good, *bad)

    learn, _ = split_in_halves(recorded)

    assert propose(learn, attribute(learn)).decision == Decision.REDUCE
    found = propose_and_check(recorded)
    assert found.decision == Decision.NOT_ENOUGH_EVIDENCE
    assert "other half" in found.why


def test_halves_share_no_group():
    recorded = team(*(rows(str(n), {"a": "x"}, group=str(n % 5)) for n in range(20)))

    one, other = split_in_halves(recorded)

    assert not {run.group for run in one.runs} & {run.group for run in other.runs}
    assert len(one.runs) + len(other.runs) == 20


@pytest.mark.parametrize("seed", range(5))
def test_equal_agents_are_not_called_harmful(seed):
    simulated = SimulatedTeam(equal())
    report = attribute(simulated.record(simulated.tasks(40, seed)))

    assert not any(is_harmful(name, report) for name in report.agents)


def test_an_agent_that_spoils_the_vote_is_called_harmful():
    runs = [rows(str(n), {"bad": "y", "good": "x"}, answer="y", gold="x") for n in range(60)]
    report = attribute(team(*runs))

    assert is_harmful("bad", report)
    assert not is_harmful("good", report)


def test_where_the_bold_choice_fails_on_the_other_half_a_more_careful_one_is_delivered():
    """The first two are wrong together in one task of 40, and in the other half of the tasks in one of 8."""

    def run(number, group):
        first = "yy" if number % {"1": 40, "2": 8}[group] == 0 else "xx"
        said = {"a": first[0], "b": first[1], "c": "x", "d": "x", "e": "x"}
        return rows(f"{group}{number:03}", said, answer="x", gold="x", group=group)

    recorded = team(*(run(number, group) for group in ("1", "2") for number in range(300)))
    learn, _ = split_in_halves(recorded)

    bold = propose(learn, attribute(learn), max_loss=0.1)
    found = propose_and_check(recorded, max_loss=0.1)

    assert (bold.early_exit.agree, found.early_exit.agree) == (2, 3)
    assert 0 < found.verified.calls_saved_share < bold.evidence.calls_saved_share
    assert "(not: stop when 2 of 5 agree" in found.why
    assert "points are possible on the other half)" in found.why


def test_what_goes_to_the_check_is_ordered_from_careful_to_bold():
    simulated = SimulatedTeam(panel())
    recorded = simulated.record(simulated.tasks(150, seed=3))
    report = attribute(recorded)

    plans = list_proposals(recorded, report, max_loss=0.1)
    saved = [one.evidence.calls_saved_share for one in plans]
    room = [one.evidence.change_low - max(0.0, one.evidence.change) for one in plans]

    assert len(plans) > 1
    assert saved == sorted(saved)
    assert room == sorted(room, reverse=True)
    assert len(plans) == len(set(saved))


def test_a_plan_that_the_other_half_can_only_bound_is_not_delivered_unasked():
    """One half of the recording says that nobody had read anybody, the other does not say."""

    def run(number, group):
        others = "x" if number % 2 else "y"
        reads = () if group == "1" else None
        said = {"a": others, "b": others, "c": "x"}
        return rows(f"{group}{number:03}", said, answer="x", gold="x", reads=reads, group=group)

    recorded = team(*(run(number, group) for group in ("1", "2") for number in range(400)))

    found = propose_and_check(recorded)
    allowed = propose_and_check(recorded, allow_bounds=True)

    assert found.decision == Decision.NOT_ENOUGH_EVIDENCE
    assert "only be bounded" in found.why
    assert allowed.decision == Decision.TEAM_OF_ONE
    assert not allowed.verified.exact


def test_answers_that_cannot_be_graded_are_no_evidence_of_a_loss():
    """The outcome is known, and not which answer it was for."""
    recorded = team(*(rows(str(n), {"a": "x", "b": "x", "c": "y"}, outcome=1.0) for n in range(100)))

    found = propose_and_check(recorded)

    assert found.decision == Decision.NOT_ENOUGH_EVIDENCE
    assert "50 of them cannot be graded" in found.why
