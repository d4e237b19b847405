import numpy as np
import pytest

from agents.simulator import SimulatedTeam, planted
from modicum.agents.graph import TeamGraph
from modicum.agents.learners.agentdropout import AgentDropout, lowest_degree
from modicum.agents.team_plan import find_plan_fault
from modicum.agents.trials import TeamRun, Trials
from modicum.calls import UserError

TEAM = SimulatedTeam(planted())


def trials(budget=None):
    return Trials(TEAM.graph, TEAM.tasks(80, 1), TEAM.run, TEAM.score, budget)


def test_one_of_five_goes_in_every_round_and_edges_go_on_schedule():
    learned = AgentDropout().learn(TEAM.graph, trials=trials())

    assert [line.round for line in learned.plan.drop] == [1, 2]
    assert find_plan_fault(learned.plan) == ""
    assert learned.trials_count == 2 * 20 + 4 * 10
    spatial, temporal = learned.plan.edge_masks(TEAM.graph)
    # 4 agents left: 12 edges, then two cuts of a tenth, at least one each
    assert [int(mask.sum()) for mask in spatial] == [10, 10]
    assert int(temporal[0].sum()) == 16 - 1 - 1


def test_the_same_seed_learns_the_same_and_everything_is_counted():
    one, other = (AgentDropout(seed=3).learn(TEAM.graph, trials=trials()) for _ in range(2))

    assert one == other
    assert one.plan.learned.tokens_spent == one.prompt_tokens + one.completion_tokens > 0
    assert one.plan.learned.parameters["node_drop_rate"] == 0.2


def test_the_degree_rule_by_hand():
    graph = TeamGraph(["a", "b", "c", "d", "e"], 2)
    degrees = np.array([[3.0, 1.0, 2.0, 4.0, 5.0], [1.0, 3.0, 2.0, 4.0, 5.0]])
    rng = np.random.default_rng(0)

    assert [(line.round, line.agent) for line in lowest_degree(graph, degrees, 0.2, rng)] == [(1, "b"), (2, "a")]
    assert len(lowest_degree(graph, degrees, 0.4, rng)) == 4
    assert lowest_degree(graph, degrees, 0.0, rng) == []
    assert len(lowest_degree(graph, degrees, 1.0, rng)) == 8


def test_the_node_stage_by_hand():
    """One graph of two agents, reward 1: Adam's first step moves each logit that was chosen about by the rate."""
    graph = TeamGraph(["a", "b"], 1)
    drawn = {}

    def run(_task, guard):
        drawn["edges"] = guard.plan.edge_masks(graph)[0][0]
        return TeamRun("x", 1, 1)

    learner = AgentDropout(node_batches=1, node_batch_size=1)
    [degrees], _ = learner.node_stage(graph, Trials(graph, ["task"], run, lambda *_: 1.0), np.random.default_rng(1))

    ab, ba = drawn["edges"][0, 1], drawn["edges"][1, 0]
    moved = [0.1 if ab else -0.1, 0.0 if ab else 0.1 if ba else -0.1]
    assert degrees == pytest.approx(sum(1 / (1 + np.exp(-x)) for x in moved), abs=1e-6)


def test_ties_are_broken_by_lot_and_protected_agents_stay():
    graph = TeamGraph(["a", "b", "c"], 1, protect=["a"])
    picked = {lowest_degree(graph, np.ones((1, 3)), 0.34, np.random.default_rng(seed))[0].agent for seed in range(20)}

    assert picked == {"b", "c"}


def test_a_small_budget_ends_it_with_a_plan():
    learned = AgentDropout().learn(TEAM.graph, trials=trials(budget=100_000))

    assert learned.budget_spent
    assert learned.trials_count < 80
    assert find_plan_fault(learned.plan) == ""


def test_a_recording_is_not_enough():
    with pytest.raises(UserError, match="needs tasks and a runner"):
        AgentDropout().learn(TEAM.graph)
