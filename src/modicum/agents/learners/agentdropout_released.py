"""AgentDropout as its released code computes it (wangzx1219/AgentDropout at 9e781c10, run_gsm8k.py with --diff --dec).

It stands beside `agentdropout.py`, which follows the paper. tests/agents/learners/test_agentdropout_released.py holds
it to what that code printed for simulated teams: every draw, logit, dropped agent and mask. Where the code knows one
size only (five agents), the same equations are used for any.

Node stage: nothing is sampled but who is skipped. The team runs on all edges that close no cycle, tried row by row;
edges between rounds pass the same check, so of 25 there are 10. In each round one agent is skipped by a softmax of the
logits of its edges: the more its edges weigh, the likelier. An edge counts once for each of its two ends:
    log p = 4 sum log(1 - sigmoid(x)) over the edges of the skipped agent + sum log sigmoid(x) over those of each other
    loss = -mean(log p * reward)
Then the agent whose row and column of logits sum to least, over the edges that it may have, is dropped in each round.

Edge stage: both kinds of edges are drawn, round by round, those between rounds without a check for cycles.
    loss = -mean(log p * reward) + N(X) + N(Y) + relu(D(X) - slack) + relu(D(Y) - slack)
with N the nuclear norm and D the distance from the mask of all edges, each of the *logits*, each the mean over rounds.
"""

import msgspec
import numpy as np
from numpy.typing import NDArray

from modicum.agents.graph import Mask, TeamGraph, find_cycle
from modicum.agents.learners.edges import EdgeRun, compute_batch_gradient, cut_lowest, list_mutes, make_edge_plan
from modicum.agents.plan_rules import Drop
from modicum.agents.recordings import RecordedTeam
from modicum.agents.sampling import Adam, sample_dag, sigmoid
from modicum.agents.team_plan import TeamPlan, make_plan
from modicum.agents.trials import AtLeastOne, BudgetSpent, Count, LearnedTeam, Positive, Share, Trials, Weight
from modicum.calls import UserError

Floats = NDArray[np.float64]

SKIPPED_WEIGHT = 4.0
"""Of the log-probabilities of a skipped agent's edges."""
MOST_ROUNDS_WITH_SKIP = 6
"""In later rounds nobody is skipped while learning."""


class AgentDropoutReleased(msgspec.Struct, frozen=True, kw_only=True):
    """The defaults are those of the code, and of the command in its README."""

    seed: int = 0
    node_batches: Count = 2
    node_batch_size: AtLeastOne = 20
    edge_batches: Count = 4
    edge_batch_size: AtLeastOne = 10
    prune_after: tuple[int, ...] = (2, 4)
    edge_drop_rate: Share = 0.1
    """Share of a round's edges then left that is removed each time: rounded, at least one."""
    learning_rate: Positive = 0.1
    anchor_slack: Weight = 0.1

    def learn(
        self, graph: TeamGraph, *, recorded: RecordedTeam | None = None, trials: Trials | None = None
    ) -> LearnedTeam:
        if trials is None:
            raise UserError(
                "the learner 'agentdropout-released' needs tasks and a runner: recorded runs are not enough"
            )
        if graph.protect:
            raise UserError(
                "the released code knows no protected agents: use --learner agentdropout, or none to protect"
            )
        if len(graph.agents) == 1:
            return make_edge_plan("agentdropout-released", self, EdgeRun.start(graph), trials, recorded, spent=False)
        rng = np.random.default_rng(self.seed)
        logits, spent = self.node_stage(graph, trials, rng)
        state = EdgeRun.start(graph, lowest_logits(graph, logits))
        spent = spent or self.edge_stage(state, trials, rng)
        learned = make_edge_plan("agentdropout-released", self, state, trials, recorded, spent=spent)
        return msgspec.structs.replace(learned, weights=(logits.sum(axis=2) + logits.sum(axis=1)).tolist())

    def node_stage(self, graph: TeamGraph, trials: Trials, rng: np.random.Generator) -> tuple[Floats, bool]:
        """Logits [rounds, source, reader] after the node stage, and whether the budget ended it."""
        logits = np.zeros(graph.spatial.shape)
        adam = Adam(logits.shape, self.learning_rate)
        spatial, temporal = full_edges(graph)
        for _ in range(self.node_batches):
            rewards, gradients = [], []
            try:
                for _ in range(self.node_batch_size):
                    drop, gradient = draw_skipped(graph, logits, spatial, rng)
                    _, reward = trials.next(plan_with(graph, drop, spatial, temporal))
                    rewards.append(reward)
                    gradients.append((gradient, np.zeros(0)))
            except BudgetSpent:
                return logits, True
            logits = adam.step(logits, compute_batch_gradient(rewards, gradients, baseline=False)[0])
        return logits, False

    def edge_stage(self, state: EdgeRun, trials: Trials, rng: np.random.Generator) -> bool:
        """Optimises the logits in place and removes edges on schedule. True where the budget ended it."""
        adams = [Adam(logits.shape, self.learning_rate) for logits in (state.spatial, state.temporal)]
        graph = state.graph
        for batch in range(1, self.edge_batches + 1):
            rewards, gradients = [], []
            try:
                for _ in range(self.edge_batch_size):
                    spatial, temporal, gradient = draw_edges(state, rng)
                    _, reward = trials.next(plan_with(graph, state.drop, spatial, temporal))
                    rewards.append(reward)
                    gradients.append(gradient)
            except BudgetSpent:
                return True
            losses = compute_batch_gradient(rewards, gradients, baseline=False)
            pulls = [
                regulariser_gradient(logits, fixed.astype(float), self.anchor_slack)
                for logits, fixed in ((state.spatial, graph.spatial), (state.temporal, graph.temporal))
            ]
            state.spatial = adams[0].step(state.spatial, losses[0] + pulls[0])
            state.temporal = adams[1].step(state.temporal, losses[1] + pulls[1])
            if batch in self.prune_after:
                cut_lowest(state.spatial, state.spatial_mask, self.edge_drop_rate, to_count=round)
                cut_lowest(state.temporal, state.temporal_mask, self.edge_drop_rate, to_count=round)
        return False


def full_edges(graph: TeamGraph) -> tuple[Mask, Mask]:
    """What the full team reads: of the edges that there may be, tried row by row, those that close no cycle. Those
    between rounds are held to the cycles that they would close within a round, an agent's own words included.
    """
    spatial, temporal = np.zeros_like(graph.spatial), np.zeros_like(graph.temporal)
    for number, allowed in enumerate(graph.spatial):
        spatial[number] = _without_cycles(np.zeros_like(allowed), allowed)
    for number, allowed in enumerate(graph.temporal):
        within = spatial[number + 1]
        for source, reader in np.argwhere(allowed):
            temporal[number, source, reader] = not _closes_cycle(within, source, reader)
    return spatial, temporal


def _without_cycles(edges: Mask, more: Mask) -> Mask:
    for source, reader in np.argwhere(more):
        edges[source, reader] = not _closes_cycle(edges, source, reader)
    return edges


def _closes_cycle(edges: Mask, source: int, reader: int) -> bool:
    tried = edges.copy()
    tried[source, reader] = True
    return source == reader or bool(find_cycle(tried))


def draw_skipped(graph: TeamGraph, logits: Floats, edges: Mask, rng: np.random.Generator) -> tuple[list[Drop], Floats]:
    """Who is skipped in each round, and the gradient of what the code takes for its log-probability."""
    drop, gradient = [], np.zeros(logits.shape)
    for number in range(min(len(logits), MOST_ROUNDS_WITH_SKIP)):
        there = edges[number]
        weights = (logits[number] * there).sum(axis=1) + (logits[number] * there).sum(axis=0)
        odds = np.exp(weights - weights.max())
        skipped = int(rng.choice(len(graph.agents), p=odds / odds.sum()))
        p = sigmoid(logits[number])
        is_skipped = np.arange(len(graph.agents)) == skipped
        of_end = np.where(is_skipped[:, None], -SKIPPED_WEIGHT * p, 1 - p)
        of_other_end = np.where(is_skipped[None, :], -SKIPPED_WEIGHT * p, 1 - p)
        gradient[number] = (of_end + of_other_end) * there
        drop.append(Drop(agent=graph.agents[skipped], round=number + 1, why="skipped by lot"))
    return drop, gradient


def lowest_logits(graph: TeamGraph, logits: Floats) -> list[Drop]:
    """In every round the agent whose logits sum to least, over the edges that it may have; of equals the first."""
    allowed = graph.spatial[0].sum(axis=0) + graph.spatial[0].sum(axis=1)
    lines = []
    for number, matrix in enumerate(logits, start=1):
        means = (matrix.sum(axis=1) + matrix.sum(axis=0)) / np.maximum(allowed, 1)
        lowest = int(np.argmin(means))
        why = f"mean logit {means[lowest]:.3f}, the lowest"
        lines.append(Drop(agent=graph.agents[lowest], round=number, why=why))
    return lines


def draw_edges(state: EdgeRun, rng: np.random.Generator) -> tuple[Mask, Mask, tuple[Floats, Floats]]:
    """The edges of one run, round by round, and the gradient of their log-probability."""
    spatial, temporal = np.zeros_like(state.spatial_mask), np.zeros_like(state.temporal_mask)
    slopes = np.zeros(state.spatial.shape), np.zeros(state.temporal.shape)
    for number in range(len(spatial)):
        within = sample_dag(state.spatial[number], state.spatial_mask[number], rng)
        spatial[number], slopes[0][number] = within.edges, within.gradient
        if number:
            mask = state.temporal_mask[number - 1]
            across = sample_dag(state.temporal[number - 1], mask, rng, acyclic=False)
            temporal[number - 1], slopes[1][number - 1] = across.edges, across.gradient
    return spatial, temporal, slopes


def plan_with(graph: TeamGraph, drop: list[Drop], spatial: Mask, temporal: Mask) -> TeamPlan:
    return make_plan(graph, tuple(drop), list_mutes(graph, tuple(drop), spatial, temporal))


def regulariser_gradient(logits: Floats, fixed: Floats, slack: float) -> Floats:
    """Of the mean nuclear norm of the logits, and of relu(mean distance from the mask - slack)."""
    rounds = len(logits)
    gradient = np.zeros(logits.shape)
    if rounds == 0:
        return gradient
    away = logits - fixed
    distances = np.sqrt((away**2).sum(axis=(1, 2)))
    for number, matrix in enumerate(logits):
        u, _, v = np.linalg.svd(matrix)
        gradient[number] = u @ v / rounds
        if distances.mean() > slack and distances[number] > 0:
            gradient[number] += away[number] / distances[number] / rounds
    return gradient
