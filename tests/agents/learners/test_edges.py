import msgspec
import numpy as np
import pytest

from modicum.agents.graph import TeamGraph, find_cycle
from modicum.agents.learners import AgentDropout, AgentPrune
from modicum.agents.learners.edges import (
    EdgeRun,
    EdgeSettings,
    compute_batch_gradient,
    compute_penalty_gradient,
    cut_lowest,
    list_mutes,
    train_edges,
)
from modicum.agents.plan_rules import Decision, Drop, EdgeKind
from modicum.agents.sampling import anchor_penalty, nuclear_norm
from modicum.agents.team_plan import make_plan
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

    plain = compute_batch_gradient([1.0, 0.0], [(one, one), (other, other)], baseline=False)[0]
    with_baseline = compute_batch_gradient([1.0, 0.0], [(one, one), (other, other)], baseline=True)[0]

    assert plain[0].tolist() == [[0, -0.25], [0, 0]]
    assert with_baseline[0].tolist() == [[0, -0.25], [0.0625, 0]]


def test_the_penalty_pulls_the_logits_along_the_chain_rule():
    state = EdgeRun.start(TeamGraph(["a", "b"], 1))
    settings = changed(nuclear_weight=1.0)

    within, _ = compute_penalty_gradient(
        state, settings, (state.spatial_mask.astype(float), state.temporal_mask.astype(float))
    )

    # A = [[0, 1/2], [1/2, 0]]: the slope of the nuclear norm is [[0, 1], [1, 0]], times A (1 - A)
    assert within[0] == pytest.approx(np.array([[0.0, 0.25], [0.25, 0.0]]))


def test_the_anchor_pulls_the_logits_back_along_the_chain_rule():
    state = EdgeRun.start(TeamGraph(["a", "b"], 1))
    first = state.spatial_mask.astype(float), state.temporal_mask.astype(float)

    within, _ = compute_penalty_gradient(state, changed(anchor_weight=1.0), first)

    # A0 - A = 1/2 on two edges, so its norm is sqrt(1/2), beyond the slack: slope -1/2 / sqrt(1/2), times A (1 - A)
    assert within[0] == pytest.approx(np.array([[0.0, 1.0], [1.0, 0.0]]) * -(0.5**0.5) / 4)


def test_both_penalties_against_differences_of_the_loss():
    """Through the mask, the temperature and the sigmoid, for logits that are nowhere special."""
    graph = TeamGraph(["a", "b", "c", "d"], 2)
    state = EdgeRun.start(graph, [Drop("d", 1)])
    state.spatial = np.random.default_rng(5).normal(size=state.spatial.shape)
    first = state.spatial_mask.astype(float), state.temporal_mask.astype(float)
    settings = changed(nuclear_weight=0.7, anchor_weight=0.4, temperature=2.0)

    def loss():
        weights = state.weights(2.0)[0]
        return sum(
            0.7 * nuclear_norm(one)[0] + 0.4 * anchor_penalty(one, start, 0.1)[0]
            for one, start in zip(weights, first[0], strict=True)
        )

    within, _ = compute_penalty_gradient(state, settings, first)
    for place in [(0, 0, 1), (0, 2, 1), (1, 3, 0)]:
        state.spatial[place] += 1e-6
        ahead = loss()
        state.spatial[place] -= 2e-6
        change = (ahead - loss()) / 2e-6
        state.spatial[place] += 1e-6
        assert within[place] == pytest.approx(change, abs=1e-5)
    assert not within[0, 3].any()


def test_one_step_of_the_edge_stage_by_hand():
    """Reward 1, no penalty: a drawn edge goes up by the rate, one that was left out down, a closed one stays."""
    graph = TeamGraph(["a", "b"], 1)
    state = EdgeRun.start(graph)
    drawn = {}

    def run(_task, guard):
        drawn["edges"] = guard.plan.edge_masks(graph)[0][0]
        return TeamRun("x", 1, 1)

    trials = Trials(graph, ["task"], run, lambda *_: 1.0)
    train_edges(state, changed(batches=1, batch_size=1, baseline=False), trials, np.random.default_rng(1))

    ab, ba = drawn["edges"][0, 1], drawn["edges"][1, 0]
    assert state.spatial[0, 0, 1] == pytest.approx(0.1 if ab else -0.1, abs=1e-6)
    assert state.spatial[0, 1, 0] == pytest.approx(0.0 if ab else 0.1 if ba else -0.1, abs=1e-6)


def test_a_protected_agents_words_are_neither_drawn_nor_cut():
    graph = TeamGraph(["judge", "a", "b"], 2, protect=["judge"])
    state = EdgeRun.start(graph)
    trials = Trials(graph, ["task"], lambda *_: TeamRun("x", 1, 1), lambda *_: 1.0)

    train_edges(
        state, changed(batches=4, prune_after=(1, 2, 3, 4), edge_drop_rate=0.5), trials, np.random.default_rng(0)
    )

    spatial, temporal = state.weights()
    assert (spatial[:, 0, 1:] == 1).all()
    assert (temporal[:, 0] == 1).all()
    assert not state.spatial[:, 0].any()
    assert spatial[:, 1:].sum() < 1


def test_edges_that_do_harm_lose_weight():
    graph = TeamGraph(["good", "bad", "fine"], 2)
    state = EdgeRun.start(graph)

    assert not train_edges(state, SETTINGS, harmed_by("bad", graph), np.random.default_rng(0))

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
    lines = list_mutes(graph, (Drop("a", 1),), *none)
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

    lines = list_mutes(graph, (), np.zeros((1, 2, 2), dtype=bool), np.zeros((0, 2, 2), dtype=bool))

    assert {line.source for line in lines} == {"b"}


def test_a_spent_budget_is_told():
    graph = TeamGraph(["a", "b"], 1)
    trials = Trials(graph, ["task"], lambda *_: TeamRun("x", 10, 1), lambda *_: 1.0, budget_tokens=50)

    assert train_edges(EdgeRun.start(graph), SETTINGS, trials, np.random.default_rng(0))
    assert make_plan(graph).canary_share == 0


@pytest.mark.parametrize("learner", [AgentDropout(), AgentPrune()])
@pytest.mark.parametrize(("agents", "protect"), [(["a"], []), (["a", "b"], ["a", "b"])])
def test_where_nobody_may_go_no_token_is_spent(learner, agents, protect):
    graph = TeamGraph(agents, 2, protect=protect)
    trials = Trials(graph, ["task"], lambda *_: TeamRun("x", 10, 1), lambda *_: 1.0)

    plan = learner.learn(graph, trials=trials).plan

    assert plan.decision == Decision.KEEP_ALL
    assert trials.trials_count == 0


@pytest.mark.parametrize("learner", [AgentDropout(), AgentPrune()])
def test_one_round_has_no_edges_between_rounds(learner):
    graph = TeamGraph(["a", "b", "c"], 1)
    trials = Trials(graph, ["task"], lambda *_: TeamRun("x", 10, 1), lambda *_: 1.0)

    learned = learner.learn(graph, trials=trials)

    assert learned.temporal == []
    assert learned.plan.mute


@pytest.mark.parametrize("setting", [{"temperature": 0}, {"edge_drop_rate": 1.5}, {"learning_rate": -1}])
@pytest.mark.parametrize("kind", [AgentDropout, AgentPrune])
def test_impossible_settings_are_refused(kind, setting):
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(setting, kind)


def test_a_drawn_plan_realises_the_drawn_graph_beside_a_protected_agent():
    """The judge, listed first, cannot be muted; yet who is drawn to speak to it speaks before it."""
    graph = TeamGraph(["judge", "a", "b", "c"], 2, protect=["judge"])
    state = EdgeRun.start(graph)

    for seed in range(20):
        drawn, within, _ = state.sample(np.random.default_rng(seed))
        spatial, _ = drawn.edge_masks(graph)
        for number in range(2):
            assert find_cycle(spatial[number]) == []
            assert (within[number] > 0)[1:].tolist() == spatial[number, 1:].tolist()
            assert spatial[number, 0].tolist() == [False, *(~reaches(spatial[number])[1:, 0]).tolist()]


def reaches(edges):
    """bool[n, n]: whether words of one come to the other, over any way."""
    found = edges.copy()
    for _ in edges:
        found |= found @ edges
    return found
