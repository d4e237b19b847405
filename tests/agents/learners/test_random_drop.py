from collections import Counter

from modicum.agents.graph import TeamGraph
from modicum.agents.learners.random_drop import RandomDrop
from modicum.agents.team_plan import find_plan_fault

GRAPH = TeamGraph(["a", "b", "c", "d"], 2, protect=["d"])


def test_every_unprotected_agent_is_drawn_alike():
    drawn = Counter(RandomDrop(seed=seed).learn(GRAPH).plan.drop[0].agent for seed in range(300))

    assert set(drawn) == {"a", "b", "c"}
    assert min(drawn.values()) > 60


def test_per_round_and_never_everybody():
    learned = RandomDrop(seed=1, per_round=True, drop_count=9).learn(GRAPH)

    assert [line.round for line in learned.plan.drop].count(1) == 3
    assert find_plan_fault(learned.plan) == ""
    assert learned.trials_count == 0
