import pytest

from modicum.agents.learners.trace import Trace
from modicum.agents.simulator import SimulatedTeam, planted
from modicum.agents.trials import Trials
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
