"""The control: drops agents by lot. What a learner finds is worth what it adds to this."""

import msgspec
import numpy as np

from modicum.agents.graph import TeamGraph
from modicum.agents.plan_rules import Decision, Drop, Learned
from modicum.agents.recordings import RecordedTeam
from modicum.agents.team_plan import SCHEMA, TeamPlan
from modicum.agents.trials import AtLeastOne, LearnedTeam, Trials


class RandomDrop(msgspec.Struct, frozen=True, kw_only=True):
    seed: int = 0
    drop_count: AtLeastOne = 1
    per_round: bool = False
    """Another agent in each round, as AgentDropout does; otherwise the same one in all."""

    def learn(
        self, graph: TeamGraph, *, recorded: RecordedTeam | None = None, trials: Trials | None = None
    ) -> LearnedTeam:
        """Costs nothing and looks at nothing."""
        del trials
        rng = np.random.default_rng(self.seed)
        open_to_chance = [agent for agent in graph.agents if agent not in graph.protect]
        count = min(self.drop_count, len(open_to_chance), len(graph.agents) - 1)
        rounds = range(1, graph.rounds + 1) if self.per_round else [None]
        drop = [
            Drop(agent=str(agent), round=number, why="by lot")
            for number in rounds
            for agent in rng.choice(open_to_chance, size=count, replace=False)
        ]
        plan = TeamPlan(
            schema=SCHEMA,
            team=recorded.name if recorded else "",
            decision=Decision.REDUCE if drop else Decision.KEEP_ALL,
            why="the control: dropped at random" if drop else "nobody may be dropped",
            agents=graph.agents,
            rounds=graph.rounds,
            protect=tuple(sorted(graph.protect)),
            drop=tuple(drop),
            learned=Learned(learner="random", seed=self.seed, parameters=msgspec.to_builtins(self)),
        )
        weights = [[float(plan.keeps(agent, number + 1)) for agent in graph.agents] for number in range(graph.rounds)]
        return LearnedTeam(plan=plan, weights=weights)
