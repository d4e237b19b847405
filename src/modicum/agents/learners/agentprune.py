"""AgentPrune (arXiv 2410.02506): one spatial and one temporal matrix for all rounds, pruned by magnitude.

REINFORCE on sampled graphs with the nuclear norm as a pull towards low rank; after each phase a share of the edges with
the lowest weights is removed. No agent is dropped as such. Batch sizes and rates are those of the released experiments.
"""

import msgspec
import numpy as np

from modicum.agents.graph import TeamGraph
from modicum.agents.learners.edges import EdgeRun, EdgeSettings, has_nothing_to_learn, make_edge_plan, train_edges
from modicum.agents.recordings import RecordedTeam
from modicum.agents.trials import AtLeastOne, Count, LearnedTeam, Positive, Share, Trials, Weight
from modicum.calls import UserError


class AgentPrune(msgspec.Struct, frozen=True, kw_only=True):
    seed: int = 0
    batches: Count = 10
    batch_size: AtLeastOne = 4
    prune_after: tuple[int, ...] = (5, 10)
    """After which batches edges are removed."""
    edge_drop_rate: Share = 0.25
    """Share of the edges then left that is removed each time, at least one."""
    learning_rate: Positive = 0.1
    temperature: Positive = 1.0
    nuclear_weight: Weight = 1.0
    anchor_weight: Weight = 0.0
    anchor_slack: Weight = 0.1
    baseline: bool = False
    """Subtract the batch's mean reward. The paper does not; without it every drawn edge is pushed up by success."""

    shuffled: bool = False
    """Try edges in an order drawn by lot. The paper goes row by row, which favours who is listed first."""

    def learn(
        self, graph: TeamGraph, *, recorded: RecordedTeam | None = None, trials: Trials | None = None
    ) -> LearnedTeam:
        if trials is None:
            raise UserError("the learner 'agentprune' needs tasks and a runner: recorded runs are not enough")
        rng = np.random.default_rng(self.seed)
        settings = EdgeSettings(
            batches=self.batches,
            batch_size=self.batch_size,
            prune_after=self.prune_after,
            edge_drop_rate=self.edge_drop_rate,
            learning_rate=self.learning_rate,
            temperature=self.temperature,
            nuclear_weight=self.nuclear_weight,
            anchor_weight=self.anchor_weight,
            anchor_slack=self.anchor_slack,
            baseline=self.baseline,
            shared=True,
            shuffled=self.shuffled,
        )
        state = EdgeRun.start(graph)
        spent = not has_nothing_to_learn(graph) and train_edges(state, settings, trials, rng)
        return make_edge_plan("agentprune", self, state, trials, recorded, spent=spent)
