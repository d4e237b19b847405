"""Held to what the released code computed: `fixtures/agentdropout_released.json` says how it was made."""

import json
from pathlib import Path

import numpy as np
import pytest

from agents.simulator import SimulatedTeam, planted
from modicum.agents.graph import TeamGraph
from modicum.agents.learners import LEARNERS, AgentDropoutReleased
from modicum.agents.learners.agentdropout_released import full_edges, lowest_logits, regulariser_gradient
from modicum.agents.learners.edges import EdgeRun
from modicum.agents.plan_rules import Drop
from modicum.agents.team_plan import find_plan_fault
from modicum.agents.trials import TeamRun, Trials
from modicum.calls import UserError

CASES = json.loads((Path(__file__).parent / "fixtures" / "agentdropout_released.json").read_text())["cases"]


class Replayed:
    """The draws that the released code made, in its order."""

    def __init__(self, numbers, picks=()):
        self.numbers, self.picks = iter(numbers), iter(picks)

    def random(self):
        return next(self.numbers)

    def choice(self, count, *, p):
        assert len(p) == count
        assert sum(p) == pytest.approx(1)
        return next(self.picks)

    def is_used_up(self):
        return next(self.numbers, None) is None and next(self.picks, None) is None


def trials_with(graph, rewards):
    given = iter(rewards)
    return Trials(graph, [None], lambda *_: TeamRun("x", 1, 1), lambda *_: next(given))


@pytest.fixture(params=CASES, ids=lambda case: case["team"])
def case(request):
    return request.param


@pytest.fixture
def graph(case):
    return TeamGraph(case["agents"], case["rounds"])


def test_the_full_team_reads_what_it_reads_there(case, graph):
    spatial, temporal = full_edges(graph)

    assert spatial[-1].astype(int).tolist() == case["node"]["full_spatial"]
    assert temporal[-1].astype(int).tolist() == case["node"]["full_temporal"]
    assert temporal.sum() == 10


@pytest.mark.parametrize("batches", [1, 2])
def test_the_node_stage_comes_to_the_same_logits(case, graph, batches):
    there = case["node"]
    rng = Replayed([], [pick for run in there["picks"][: 20 * batches] for pick in run])

    learner = AgentDropoutReleased(node_batches=batches)
    logits, _ = learner.node_stage(graph, trials_with(graph, there["rewards"]), rng)

    assert rng.is_used_up()
    assert logits == pytest.approx(np.array(there["logits"][batches - 1]), abs=2e-5)


def test_the_same_agents_are_dropped_with_the_same_edges(case, graph):
    there = case["node"]
    drop = lowest_logits(graph, np.array(there["logits"][-1]))
    state = EdgeRun.start(graph, drop)

    assert [graph.index(one.agent) for one in drop] == there["dropped"]
    assert state.spatial_mask.astype(int).tolist() == there["spatial_masks"]
    assert state.temporal_mask.astype(int).tolist() == there["temporal_masks"]


@pytest.mark.parametrize("batches", [1, 2, 3, 4])
def test_the_edge_stage_comes_to_the_same_logits_and_masks(case, graph, batches):
    there = case["edge"]
    drop = [Drop(agent=graph.agents[one], round=number + 1) for number, one in enumerate(case["node"]["dropped"])]
    state = EdgeRun.start(graph, drop)
    rng = Replayed([draw for run in there["draws"][: 10 * batches] for draw in run])

    AgentDropoutReleased(edge_batches=batches).edge_stage(state, trials_with(graph, there["rewards"]), rng)

    assert rng.is_used_up()
    assert state.spatial == pytest.approx(np.array(there["spatial"][batches - 1]), abs=2e-5)
    assert state.temporal == pytest.approx(np.array(there["temporal"][batches - 1]), abs=2e-5)
    if batches % 2 == 0:
        assert state.spatial_mask.astype(int).tolist() == there["spatial_masks"][batches // 2 - 1]
        assert state.temporal_mask.astype(int).tolist() == there["temporal_masks"][batches // 2 - 1]


def test_it_learns_a_plan_from_a_team_with_the_released_settings():
    team = SimulatedTeam(planted())
    learned = AgentDropoutReleased(seed=1).learn(
        team.graph, trials=Trials(team.graph, team.tasks(80, 1), team.run, team.score)
    )

    assert learned.trials_count == 80
    assert [one.round for one in learned.plan.drop] == [1, 2]
    assert learned.plan.learned.learner == "agentdropout-released"
    assert find_plan_fault(learned.plan) == ""


def test_what_the_released_code_cannot_do_is_refused():
    graph = TeamGraph(["a", "b"], 2, protect=["a"])
    trials = trials_with(graph, [])

    with pytest.raises(UserError, match="knows no protected agents"):
        AgentDropoutReleased().learn(graph, trials=trials)
    with pytest.raises(UserError, match="needs tasks and a runner"):
        LEARNERS["agentdropout-released"]().learn(TeamGraph(["a", "b"]))


def test_a_small_budget_ends_it_and_one_round_has_no_edges_between_rounds():
    team = SimulatedTeam(planted())
    graph = TeamGraph(team.graph.agents, 1)
    run = lambda *_: TeamRun("x", 10, 10)  # noqa: E731

    learned = AgentDropoutReleased().learn(graph, trials=Trials(graph, [1], run, lambda *_: 1.0, 500))

    assert learned.budget_spent
    assert learned.trials_count == 25
    assert regulariser_gradient(np.zeros((0, 2, 2)), np.zeros((0, 2, 2)), 0.1).shape == (0, 2, 2)
