"""Learning edges by REINFORCE: what AgentPrune is, and what AgentDropout does after it has dropped nodes.

Loss of a batch of M sampled graphs G_m with rewards mu_m:
    -1/M sum_m (mu_m - b) log p(G_m) + w_n sum ||A||_* + w_a sum relu(||A0 - A||_F - slack)
with A = sigmoid(x / temperature) on the edges that are left, A0 the matrix of all edges that there were.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
import numpy as np
from numpy.typing import NDArray

from modicum.agents.graph import Mask, TeamGraph
from modicum.agents.plan_rules import Decision, Drop, EdgeKind, Learned, Mute
from modicum.agents.recordings import RecordedTeam
from modicum.agents.sampling import Adam, anchor_penalty, nuclear_norm, sample_dag, sigmoid
from modicum.agents.team_plan import TeamPlan, make_plan
from modicum.agents.trials import BudgetSpent, LearnedTeam, Positive, Share, Trials, Weight

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class EdgeSettings:
    batches: int
    batch_size: int
    prune_after: tuple[int, ...]
    edge_drop_rate: float
    learning_rate: float
    temperature: float
    nuclear_weight: float
    anchor_weight: float
    anchor_slack: float
    baseline: bool
    shared: bool
    """One matrix for all rounds (AgentPrune) instead of one a round (AgentDropout)."""
    shuffled: bool = False
    """Edges are tried in an order drawn by lot; see `sample_dag`."""


class EdgeLearner(msgspec.Struct, frozen=True, kw_only=True):
    """What learners of edges have in common; where their papers differ, they set defaults of their own."""

    seed: int = 0
    prune_after: tuple[int, ...]
    """After which batches edges are removed."""
    edge_drop_rate: Share
    """Share of the edges then left that is removed each time, at least one."""
    learning_rate: Positive = 0.1
    temperature: Positive = 1.0
    nuclear_weight: Weight = 1.0
    anchor_weight: Weight
    anchor_slack: Weight = 0.1
    baseline: bool = False
    """Subtract the batch's mean reward. The papers do not; without it every drawn edge is pushed up by success."""
    shuffled: bool = False
    """Try edges in an order drawn by lot. The papers go row by row, which favours who is listed first."""

    def edge_settings(self, batches: int, batch_size: int, *, shared: bool) -> EdgeSettings:
        """These fields for `train_edges`."""
        return EdgeSettings(
            batches=batches,
            batch_size=batch_size,
            prune_after=self.prune_after,
            edge_drop_rate=self.edge_drop_rate,
            learning_rate=self.learning_rate,
            temperature=self.temperature,
            nuclear_weight=self.nuclear_weight,
            anchor_weight=self.anchor_weight,
            anchor_slack=self.anchor_slack,
            baseline=self.baseline,
            shared=shared,
            shuffled=self.shuffled,
        )


@dataclass
class EdgeRun:
    """Logits and the edges that are left, per round; with the agents dropped before."""

    graph: TeamGraph
    spatial_mask: Mask
    temporal_mask: Mask
    spatial: Floats
    temporal: Floats
    drop: list[Drop] = field(default_factory=list)

    @classmethod
    def start(cls, graph: TeamGraph, drop: list[Drop] | None = None) -> "EdgeRun":
        """All logits 0 (p = 0.5), on the edges of the agents that are left."""
        dropped = list(drop or [])
        plan = make_plan(graph, drop=tuple(dropped))
        spatial, temporal = plan.edge_masks(graph)
        return cls(graph, spatial, temporal, np.zeros(spatial.shape), np.zeros(temporal.shape), dropped)

    @property
    def open_to_choice(self) -> Mask:
        """bool[agents, 1]: whose words may be kept from others; those of protected agents never."""
        return np.array([[agent not in self.graph.protect] for agent in self.graph.agents], dtype=bool)

    def weights(self, temperature: float = 1.0) -> tuple[Floats, Floats]:
        """Edge probabilities, 0 where there is no edge, 1 where there always is."""
        found = []
        for logits, mask in ((self.spatial, self.spatial_mask), (self.temporal, self.temporal_mask)):
            found.append(np.where(self.open_to_choice, sigmoid(logits / temperature), 1.0) * mask)
        return found[0], found[1]

    def sample(
        self,
        rng: np.random.Generator,
        temperature: float = 1.0,
        *,
        draw_temporal: bool = True,
        shuffled: bool = False,
    ) -> tuple[TeamPlan, Floats, Floats]:
        """A plan with one drawn graph, and the gradients of its log-probability."""
        within = [
            sample_dag(logits, mask & self.open_to_choice, rng, temperature=temperature, shuffled=shuffled)
            for logits, mask in zip(self.spatial, self.spatial_mask, strict=True)
        ]
        across = [
            sample_dag(logits, mask & self.open_to_choice, rng, temperature=temperature, acyclic=False)
            for logits, mask in zip(self.temporal, self.temporal_mask, strict=True)
        ]
        edges = np.array([one.edges for one in across], dtype=bool).reshape(self.temporal.shape)
        gradient = np.array([one.gradient for one in across]).reshape(self.temporal.shape)
        if not draw_temporal:
            edges, gradient = self.temporal_mask, np.zeros(self.temporal.shape)
        drawn = np.array([one.edges for one in within], dtype=bool)
        plan = make_plan(self.graph, drop=tuple(self.drop), mute=list_mutes(self.graph, tuple(self.drop), drawn, edges))
        return plan, np.array([one.gradient for one in within]), gradient


def list_mutes(graph: TeamGraph, drop: tuple[Drop, ...], spatial: Mask, temporal: Mask) -> tuple[Mute, ...]:
    """Lines for every edge between agents that are left and that is not in the masks; none for protected agents."""
    lines = []
    between = make_plan(graph, drop).edge_masks(graph)
    for kind, left, all_edges, ahead in (
        (EdgeKind.SPATIAL, spatial, between[0], 1),
        (EdgeKind.TEMPORAL, temporal, between[1], 2),
    ):
        for number, source, reader in zip(*np.nonzero(all_edges & ~left), strict=True):
            names = graph.agents[source], graph.agents[reader]
            if names[0] not in graph.protect:
                lines.append(Mute(source=names[0], reader=names[1], kind=kind, round=int(number) + ahead))
    return tuple(lines)


def has_nothing_to_learn(graph: TeamGraph) -> bool:
    """Whether there is nobody to drop and nobody to mute: one agent, or all of them protected."""
    return len(graph.agents) == 1 or graph.protect.issuperset(graph.agents)


def train_edges(state: EdgeRun, settings: EdgeSettings, trials: Trials, rng: np.random.Generator) -> bool:
    """Optimises the logits in place and removes edges on schedule. True where the budget ended it."""
    first = state.spatial_mask.astype(float), state.temporal_mask.astype(float)
    adams = Adam(state.spatial.shape, settings.learning_rate), Adam(state.temporal.shape, settings.learning_rate)
    for batch in range(1, settings.batches + 1):
        rewards, gradients = [], []
        try:
            for _ in range(settings.batch_size):
                plan, within, across = state.sample(rng, settings.temperature, shuffled=settings.shuffled)
                _, reward = trials.next(plan)
                rewards.append(reward)
                gradients.append((within, across))
        except BudgetSpent:
            return True
        losses = compute_batch_gradient(rewards, gradients, baseline=settings.baseline)
        penalties = compute_penalty_gradient(state, settings, first)
        steps = [loss + penalty for loss, penalty in zip(losses, penalties, strict=True)]
        if settings.shared:
            steps = [np.broadcast_to(step.sum(axis=0, keepdims=True), step.shape) for step in steps]
        state.spatial = adams[0].step(state.spatial, steps[0])
        state.temporal = adams[1].step(state.temporal, steps[1])
        if batch in settings.prune_after:
            for logits, mask in ((state.spatial, state.spatial_mask), (state.temporal, state.temporal_mask)):
                open_edges = mask & state.open_to_choice
                cut_lowest(logits, open_edges, settings.edge_drop_rate, shared=settings.shared)
                mask[...] = open_edges | (mask & ~state.open_to_choice)
    return False


def compute_batch_gradient(
    rewards: list[float], gradients: list[tuple[Floats, Floats]], *, baseline: bool
) -> tuple[Floats, Floats]:
    """Gradient of -mean((reward - b) log p) for both matrices."""
    scale = np.array(rewards) - (float(np.mean(rewards)) if baseline else 0.0)
    within = sum((-weight * one for weight, (one, _) in zip(scale, gradients, strict=True)), start=np.zeros(()))
    across = sum((-weight * one for weight, (_, one) in zip(scale, gradients, strict=True)), start=np.zeros(()))
    return within / len(rewards), across / len(rewards)


def compute_penalty_gradient(
    state: EdgeRun, settings: EdgeSettings, first: tuple[Floats, Floats]
) -> tuple[Floats, Floats]:
    """Gradient of the nuclear norm and the anchor term with respect to the logits."""
    found = []
    for weights, mask, start in zip(
        state.weights(settings.temperature), (state.spatial_mask, state.temporal_mask), first, strict=True
    ):
        gradient = np.zeros(weights.shape)
        for number, matrix in enumerate(weights[:1] if settings.shared else weights):
            slope = settings.nuclear_weight * nuclear_norm(matrix)[1]
            slope = slope + settings.anchor_weight * anchor_penalty(matrix, start[number], settings.anchor_slack)[1]
            gradient[number] = slope * matrix * (1 - matrix) / settings.temperature * mask[number]
        found.append(gradient)
    return found[0], found[1]


def cut_lowest(
    logits: Floats, masks: Mask, rate: float, *, shared: bool = False, to_count: Callable[[float], int] = int
) -> None:
    """Removes, in each round, the share of its remaining edges with the lowest weight: at least one if any is left.

    Args:
        logits: by round.
        masks: by round; changed in place.
        rate: the share.
        shared: one matrix for all rounds.
        to_count: how a share of edges becomes a number: int follows the paper's floor, round the released code.
    """
    for number in range(min(1, len(masks)) if shared else len(masks)):
        left = np.flatnonzero(masks[number])
        if len(left) == 0 or rate <= 0:
            continue
        count = max(1, to_count(len(left) * rate))
        lowest = left[np.argsort(logits[number].ravel()[left], kind="stable")[:count]]
        for mask in masks if shared else masks[number : number + 1]:
            mask.ravel()[lowest] = False


def make_edge_plan(
    name: str,
    learner: msgspec.Struct,
    state: EdgeRun,
    trials: Trials,
    recorded: RecordedTeam | None,
    *,
    spent: bool,
) -> LearnedTeam:
    """The result, with everything that it took."""
    spatial, temporal = state.weights()
    drop = tuple(state.drop)
    muted = list_mutes(state.graph, drop, state.spatial_mask, state.temporal_mask)
    plan = msgspec.structs.replace(
        make_plan(state.graph, drop, muted),
        team=recorded.name if recorded else "",
        decision=Decision.REDUCE if drop or muted else Decision.KEEP_ALL,
        why="learned from trials; not verified" if drop or muted else "nothing was dropped or muted",
        canary_share=0.05,
        learned=Learned(
            learner=name,
            seed=getattr(learner, "seed", None),
            trials_count=trials.trials_count,
            tokens_spent=trials.tokens_spent,
            parameters=msgspec.to_builtins(learner),
        ),
    )
    return LearnedTeam(
        plan=plan,
        weights=(spatial.sum(axis=2) + spatial.sum(axis=1)).tolist(),
        spatial=spatial.tolist(),
        temporal=temporal.tolist(),
        prompt_tokens=trials.prompt_tokens,
        completion_tokens=trials.completion_tokens,
        trials_count=trials.trials_count,
        budget_spent=spent,
    )
