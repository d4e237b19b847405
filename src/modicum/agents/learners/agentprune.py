"""AgentPrune (arXiv 2410.02506): one spatial and one temporal matrix for all rounds, pruned by magnitude.

REINFORCE on sampled graphs with the nuclear norm as a pull towards low rank; after each phase a share of the edges with
the lowest weights is removed. No agent is dropped as such. Batch sizes and rates are those of the released experiments.
"""

import numpy as np

from modicum.agents.graph import TeamGraph
from modicum.agents.learners.edges import EdgeLearner, EdgeRun, has_nothing_to_learn, make_edge_plan, train_edges
from modicum.agents.recordings import RecordedTeam
from modicum.agents.trials import AtLeastOne, Count, LearnedTeam, Share, Trials, Weight
from modicum.calls import UserError


class AgentPrune(EdgeLearner, frozen=True, kw_only=True):
    batches: Count = 10
    batch_size: AtLeastOne = 4
    prune_after: tuple[int, ...] = (5, 10)
    edge_drop_rate: Share = 0.25
    anchor_weight: Weight = 0.0

    def learn(
        self, graph: TeamGraph, *, recorded: RecordedTeam | None = None, trials: Trials | None = None
    ) -> LearnedTeam:
        if trials is None:
            raise UserError("the learner 'agentprune' needs tasks and a runner: recorded runs are not enough")
        rng = np.random.default_rng(self.seed)
        settings = self.edge_settings(self.batches, self.batch_size, shared=True)
        state = EdgeRun.start(graph)
        spent = not has_nothing_to_learn(graph) and train_edges(state, settings, trials, rng)
        return make_edge_plan("agentprune", self, state, trials, recorded, spent=spent)
