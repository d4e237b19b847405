import pytest

from agents.simulator import SimulatedTeam, planted
from modicum.agents.learners.agentprune import AgentPrune
from modicum.agents.team_plan import find_plan_fault
from modicum.agents.trials import Trials
from modicum.calls import UserError

TEAM = SimulatedTeam(planted())


def test_edges_go_and_agents_stay():
    trials = Trials(TEAM.graph, TEAM.tasks(40, 1), TEAM.run, TEAM.score)

    learned = AgentPrune().learn(TEAM.graph, trials=trials)

    assert learned.plan.drop == ()
    assert find_plan_fault(learned.plan) == ""
    assert learned.trials_count == 40
    spatial, _ = learned.plan.edge_masks(TEAM.graph)
    assert [int(mask.sum()) for mask in spatial] == [12, 12]  # 20, less a quarter, less a quarter
    assert (spatial[0] == spatial[1]).all()
    assert learned.spatial[0] == learned.spatial[1]


def test_a_recording_is_not_enough():
    with pytest.raises(UserError, match="needs tasks and a runner"):
        AgentPrune().learn(TEAM.graph)
