"""AgentDropout (arXiv 2503.18891, ACL 2025), as its paper describes it.

Node dropout: REINFORCE on the edges within each round (edges between rounds stay as they are), then in every round the
agents with the lowest weighted degree go, so that the team differs from round to round. Edge dropout: logits begin
anew, both kinds of edges are optimised with the nuclear norm and the anchor term, and the edges with the lowest weights
are removed on schedule. Where the released code departs from this, the paper is followed; docs/agentdropout.md lists
the differences.
"""

import msgspec
import numpy as np
from numpy.typing import NDArray

from modicum.agents.graph import TeamGraph
from modicum.agents.learners.edges import (
    EdgeLearner,
    EdgeRun,
    compute_batch_gradient,
    has_nothing_to_learn,
    make_edge_plan,
    train_edges,
)
from modicum.agents.plan_rules import Drop
from modicum.agents.recordings import RecordedTeam
from modicum.agents.sampling import Adam, weighted_degree
from modicum.agents.trials import AtLeastOne, BudgetSpent, Count, LearnedTeam, Share, Trials, Weight
from modicum.calls import UserError

Floats = NDArray[np.float64]


class AgentDropout(EdgeLearner, frozen=True, kw_only=True):
    """The defaults are the paper's."""

    node_batches: Count = 2
    node_batch_size: AtLeastOne = 20
    node_drop_rate: Share = 0.2
    """alpha: share of the agents that goes in each round (1 of 5); rounded, 0 drops none."""
    edge_batches: Count = 4
    edge_batch_size: AtLeastOne = 10
    prune_after: tuple[int, ...] = (2, 4)
    edge_drop_rate: Share = 0.1
    """beta: share of a round's edges then left that is removed each time."""
    anchor_weight: Weight = 1.0

    def learn(
        self, graph: TeamGraph, *, recorded: RecordedTeam | None = None, trials: Trials | None = None
    ) -> LearnedTeam:
        if trials is None:
            raise UserError("the learner 'agentdropout' needs tasks and a runner: recorded runs are not enough")
        if has_nothing_to_learn(graph):
            return make_edge_plan("agentdropout", self, EdgeRun.start(graph), trials, recorded, spent=False)
        rng = np.random.default_rng(self.seed)
        degrees, spent = self.node_stage(graph, trials, rng)
        drop = lowest_degree(graph, degrees, self.node_drop_rate, rng)
        state = EdgeRun.start(graph, drop)
        settings = self.edge_settings(self.edge_batches, self.edge_batch_size, shared=False)
        spent = spent or train_edges(state, settings, trials, rng)
        learned = make_edge_plan("agentdropout", self, state, trials, recorded, spent=spent)
        return msgspec.structs.replace(learned, weights=degrees.tolist())

    def node_stage(self, graph: TeamGraph, trials: Trials, rng: np.random.Generator) -> tuple[Floats, bool]:
        """Weighted degrees [rounds, agents] after the node stage, and whether the budget ended it."""
        state = EdgeRun.start(graph)
        adam = Adam(state.spatial.shape, self.learning_rate)
        spent = False
        for _ in range(self.node_batches):
            rewards, gradients = [], []
            try:
                for _ in range(self.node_batch_size):
                    plan, within, across = state.sample(
                        rng, self.temperature, draw_temporal=False, shuffled=self.shuffled
                    )
                    _, reward = trials.next(plan)
                    rewards.append(reward)
                    gradients.append((within, across))
            except BudgetSpent:
                spent = True
                break
            state.spatial = adam.step(
                state.spatial, compute_batch_gradient(rewards, gradients, baseline=self.baseline)[0]
            )
        weights, _ = state.weights(self.temperature)
        return np.array([weighted_degree(matrix) for matrix in weights]), spent


def lowest_degree(graph: TeamGraph, degrees: Floats, rate: float, rng: np.random.Generator) -> list[Drop]:
    """In every round the round(rate * agents) with the lowest weighted degree; ties by lot; protected agents stay."""
    count = min(round(rate * len(graph.agents)), len(graph.agents) - 1)
    drop = []
    for number, row in enumerate(degrees, start=1):
        ties = rng.permutation(len(row))
        ranked = sorted(
            (round(float(degree), 12), int(tie), index)
            for index, (degree, tie) in enumerate(zip(row, ties, strict=True))
        )
        order = [index for _, _, index in ranked if graph.agents[index] not in graph.protect]
        drop += [
            Drop(agent=graph.agents[index], round=number, why=f"weighted degree {row[index]:.3f}, the lowest")
            for index in order[:count]
        ]
    return drop
