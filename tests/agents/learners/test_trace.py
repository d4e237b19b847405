import pytest

from agents.simulator import SimulatedTeam, planted
from agents.teams import rows, team
from modicum.agents.graph import TeamGraph
from modicum.agents.learners.trace import Trace
from modicum.agents.plan_rules import Decision
from modicum.agents.trials import TeamRun, Trials
from modicum.calls import UserError

TEAM = SimulatedTeam(planted())


def test_recorded_runs_cost_nothing():
    learned = Trace(drop_count=1).learn(TEAM.graph, recorded=TEAM.record(TEAM.tasks(60, 4)))

    assert [line.agent for line in learned.plan.drop] == ["bad"]
    assert learned.plan.learned.tokens_spent == 0
    assert learned.plan.learned.runs_count == 60
    assert learned.weights[0].index(min(learned.weights[0])) == TEAM.graph.index("bad")


def test_without_a_record_the_full_team_is_run_and_counted():
    trials = Trials(TEAM.graph, TEAM.tasks(30, 4), TEAM.run, TEAM.score, budget_tokens=150_000)

    learned = Trace(drop_count=1).learn(TEAM.graph, trials=trials)

    assert learned.budget_spent
    assert learned.plan.learned.tokens_spent >= 150_000
    assert learned.plan.learned.runs_count == learned.trials_count


def test_with_neither_it_says_what_it_needs():
    with pytest.raises(UserError, match="needs recorded runs"):
        Trace().learn(TEAM.graph)


def test_runs_without_turns_teach_nothing_and_cost_one():
    trials = Trials(TEAM.graph, ["task"] * 9, lambda *_: TeamRun("x", 10, 1), lambda *_: 1.0)

    with pytest.raises(UserError, match="without turns"):
        Trace().learn(TEAM.graph, trials=trials)
    assert trials.trials_count == 1


@pytest.mark.parametrize(
    ("agents", "protect", "says"), [(["a"], [], "a team of one"), (["a", "b"], ["a", "b"], "every agent is protected")]
)
def test_where_nobody_may_go_nobody_is_dropped(agents, protect, says):
    graph = TeamGraph(agents, protect=protect)
    recorded = team(*(rows(str(n), dict.fromkeys(agents, "x"), answer="x", gold="x") for n in range(5)), graph=graph)

    for plan in (
        Trace(drop_count=1).learn(graph, recorded=recorded).plan,
        Trace().learn(graph, recorded=recorded).plan,
    ):
        assert plan.decision == Decision.KEEP_ALL
        assert says in plan.why
        assert plan.drop == ()


def test_dropping_more_than_there_are_is_told():
    recorded = team(rows("1", {"a": "x", "b": "x"}, answer="x", gold="x"))

    plan = Trace(drop_count=9).learn(recorded.graph, recorded=recorded).plan

    assert len(plan.drop) == 1
    assert "the worst 1 of 2 agents (9 were asked for)" in plan.why
