import numpy as np
import pytest

from modicum.agents.graph import TeamGraph
from modicum.agents.learners.edges import (
    EdgeRun,
    EdgeSettings,
    batch_gradient,
    cut_lowest,
    edge_stage,
    mutes,
    penalty_gradient,
)
from modicum.agents.plan import Drop, EdgeKind, plain_plan
from modicum.agents.trials import TeamRun, Trials

SETTINGS = EdgeSettings(
    batches=20,
    batch_size=10,
    prune_after=(),
    edge_drop_rate=0.0,
    learning_rate=0.1,
    temperature=1.0,
    nuclear_weight=0.0,
    anchor_weight=0.0,
    anchor_slack=0.1,
    baseline=True,
    shared=False,
)


def changed(**fields):
    return EdgeSettings(**{name: getattr(SETTINGS, name) for name in SETTINGS.__dataclass_fields__} | fields)


def harmed_by(source, graph):
    """A team that fails whenever somebody reads `source`."""

    def run(_task, guard):
        spatial, temporal = guard.plan.edge_masks(graph)
        read = spatial[:, graph.index(source)].any() or temporal[:, graph.index(source)].any()
        return TeamRun("wrong" if read else "right", 10, 1)

    return Trials(graph, ["task"], run, lambda _task, done: float(done.answer == "right"))


def test_the_gradient_of_a_batch_by_hand():
    one, other = np.array([[[0.0, 0.5], [0.0, 0.0]]]), np.array([[[0.0, -0.5], [0.25, 0.0]]])

    plain = batch_gradient([1.0, 0.0], [(one, one), (other, other)], baseline=False)[0]
    with_baseline = batch_gradient([1.0, 0.0], [(one, one), (other, other)], baseline=True)[0]

    assert plain[0].tolist() == [[0, -0.25], [0, 0]]
    assert with_baseline[0].tolist() == [[0, -0.25], [0.0625, 0]]


def test_the_penalty_pulls_the_logits_along_the_chain_rule():
    state = EdgeRun.start(TeamGraph(["a", "b"], 1))
    settings = changed(nuclear_weight=1.0)

    within, _ = penalty_gradient(state, settings, (state.spatial_mask.astype(float), state.temporal_mask.astype(float)))

    # A = [[0, 1/2], [1/2, 0]]: the slope of the nuclear norm is [[0, 1], [1, 0]], times A (1 - A)
    assert within[0] == pytest.approx(np.array([[0.0, 0.25], [0.25, 0.0]]))


def test_edges_that_do_harm_lose_weight():
    graph = TeamGraph(["good", "bad", "fine"], 2)
    state = EdgeRun.start(graph)

    assert not edge_stage(state, SETTINGS, harmed_by("bad", graph), np.random.default_rng(0))

    _, temporal = state.weights()
    outgoing = temporal[0].sum(axis=1)
    assert outgoing.argmin() == 1


def test_the_lowest_edges_go_in_every_round():
    logits = np.arange(8.0).reshape(2, 2, 2)
    masks = np.ones((2, 2, 2), dtype=bool)

    cut_lowest(logits, masks, 0.5)

    assert masks.tolist() == [[[False, False], [True, True]]] * 2
    cut_lowest(logits, masks, 0.1)
    assert masks.sum() == 2


def test_a_shared_matrix_is_cut_the_same_in_all_rounds():
    logits, masks = np.zeros((2, 2, 2)), np.ones((2, 2, 2), dtype=bool)
    logits[:, 1, 0] = -1

    cut_lowest(logits, masks, 0.25, shared=True)

    assert not masks[:, 1, 0].any()
    assert masks.sum() == 6


def test_dropped_agents_have_no_edges_to_mute():
    graph = TeamGraph(["a", "b", "c"], 2)
    state = EdgeRun.start(graph, [Drop("a", 1)])

    assert not state.spatial_mask[0, 0].any()
    assert state.spatial_mask[1, 0].any()
    none = np.zeros_like(state.spatial_mask), np.zeros_like(state.temporal_mask)
    lines = mutes(graph, (Drop("a", 1),), *none)
    assert not any(line.round == 1 and "a" in {line.source, line.reader} for line in lines)
    assert any(line.kind == EdgeKind.TEMPORAL and line.round == 2 for line in lines)


def test_a_drawn_plan_realises_the_drawn_graph():
    graph = TeamGraph(["a", "b", "c"], 2)
    state = EdgeRun.start(graph)

    for seed in range(20):
        drawn, within, _ = state.sample(np.random.default_rng(seed))
        spatial, _ = drawn.edge_masks(graph)
        # The gradient is positive exactly where an edge was taken.
        assert ((within > 0) == spatial).all()


def test_protected_agents_are_not_muted():
    graph = TeamGraph(["a", "b"], 1, protect=["a"])

    lines = mutes(graph, (), np.zeros((1, 2, 2), dtype=bool), np.zeros((0, 2, 2), dtype=bool))

    assert {line.source for line in lines} == {"b"}


def test_a_spent_budget_is_told():
    graph = TeamGraph(["a", "b"], 1)
    trials = Trials(graph, ["task"], lambda *_: TeamRun("x", 10, 1), lambda *_: 1.0, budget_tokens=50)

    assert edge_stage(EdgeRun.start(graph), SETTINGS, trials, np.random.default_rng(0))
    assert plain_plan(graph).canary_share == 0
