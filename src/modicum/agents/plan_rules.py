"""What a plan leaves out of a team, and whether it is in force: the fields of the document and what follows from them.

`TeamPlan` in `plan.py` is this with a way to make guards; guards know only the rules.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, Protocol

import msgspec
import numpy as np

from modicum.agents.graph import TeamGraph, add_acyclic_edges, find_cycle
from modicum.calls import UserError


class Watch(Protocol):
    """What outcomes say of a plan that is in use (`modicum.experiments.canary`)."""

    reverted: str
    """Why it is no longer used; empty while it is."""

    def canary_share(self, base: float) -> float:
        """The share of canaries from here on, where the plan says `base`."""
        ...


class Decision(StrEnum):
    REDUCE = "reduce"
    """Drop, mute, stop early or substitute, as listed."""
    KEEP_ALL = "keep_all"
    """The evidence says that everybody is needed."""
    TEAM_OF_ONE = "team_of_one"
    """One agent does as well alone."""
    NOT_ENOUGH_EVIDENCE = "not_enough_evidence"
    """The record cannot tell; `why` says what would."""


class EdgeKind(StrEnum):
    SPATIAL = "spatial"
    TEMPORAL = "temporal"


class Drop(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    agent: str
    round: int | None = None
    """Every round if None."""
    why: str = ""
    harmful: bool = False
    """Whether it is shown that the agent makes the team worse; otherwise dropping it is about cost."""


class Mute(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    source: str = msgspec.field(name="from")
    reader: str = msgspec.field(name="to")
    kind: EdgeKind | None = None
    """Both kinds if None."""
    round: int | None = None
    """The reader's round; every one if None."""


class EarlyExit(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Stop as soon as `agree` of the first `of` answers of a round are the same."""

    agree: int
    of: int
    first: tuple[str, ...] = ()
    """Whom to ask first, in this order; the others join when these do not agree. As the team speaks if empty."""
    round: int | None = 1
    """The round whose answers count: in the first nobody has read anybody, so that agreeing means something."""


class Substitute(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    agent: str
    model: str
    why: str = ""


class Binding(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    prompts: dict[str, str] = {}
    """Agent -> `text_digest` of its instructions."""
    models: dict[str, str] = {}


class Learned(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Where a plan comes from."""

    learner: str
    seed: int | None = None
    runs_count: int = 0
    """Recorded runs that it was learned from."""
    trials_count: int = 0
    """Runs that were made to learn it."""
    tokens_spent: int = 0
    """Prompt and completion tokens of these trials."""
    data_digest: str = ""
    created: str = ""
    """Date, ISO 8601."""
    parameters: dict[str, Any] = {}


class Evidence(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What was compared, and what came out: on recorded runs (`replay`) or on new ones (`experiment`)."""

    basis: str
    tasks_count: int
    score_full: float
    score_plan: float
    change: float
    change_low: float
    change_high: float
    confidence: float
    margin: float
    calls_saved_share: float | None = None
    tokens_saved_share: float | None = None
    exact: bool = True
    """False: the replay is a bound, since kept agents had read what the plan takes away."""
    tasks_needed: int | None = None
    """For a verdict about the margin with power 0.8, at the discordance seen."""
    note: str = ""


class PlanRules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`schema` first, so that a reader of the file knows what it is."""

    schema: str
    team: str
    decision: Decision
    why: str = ""
    agents: tuple[str, ...]
    rounds: int
    protect: tuple[str, ...] = ()
    drop: tuple[Drop, ...] = ()
    mute: tuple[Mute, ...] = ()
    early_exit: EarlyExit | None = None
    stop_after_round: int | None = None
    """Later rounds are not run (protected agents excepted)."""
    substitute: tuple[Substitute, ...] = ()
    canary_share: float = 0.05
    """Share of runs that keep the full team, so that harm is noticed."""
    bound_to: Binding = Binding()
    learned: Learned | None = None
    evidence: Evidence | None = None
    verified: Evidence | None = None
    expires: str | None = None
    """Last day on which it holds, ISO 8601."""

    def model_for(self, agent: str, default: str) -> str:
        return next((one.model for one in self.substitute if one.agent == agent), default)

    def keeps(self, agent: str, round_number: int) -> bool:
        """Whether the plan lets the agent speak in a round (from 1). Unknown and protected agents always may."""
        if agent in self.protect or agent not in self.agents:
            return True
        if self.stop_after_round is not None and round_number > self.stop_after_round:
            return False
        return not any(one.agent == agent and one.round in {None, round_number} for one in self.drop)

    def carries(self, source: str, reader: str, kind: EdgeKind, round_number: int) -> bool:
        """Whether the reader, in its round, may see the source's message."""
        if source in self.protect:
            return True
        return not any(
            one.source == source
            and one.reader == reader
            and one.kind in {None, kind}
            and one.round in {None, round_number}
            for one in self.mute
        )

    def active_mask(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Which agents speak in which rounds: bool[rounds, agents]."""
        return np.array(
            [[self.keeps(agent, number) for agent in self.agents] for number in range(1, self.rounds + 1)], dtype=bool
        )

    def edge_masks(self, graph: TeamGraph) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """The graph's edges that are left: bool[rounds, n, n] and bool[rounds - 1, n, n]; dropped agents have none.

        Where mutes leave edges of others without a cycle within a round (as a sampled graph does), they say who speaks
        first: of a protected agent's edges those stay that fit. Nobody can be heard by whom it has to read.
        """
        spatial, temporal = graph.spatial.copy(), graph.temporal.copy()
        place = {agent: index for index, agent in enumerate(self.agents)}
        for one in self.mute:
            if one.source in self.protect:
                continue
            for masks, kind, ahead in ((spatial, EdgeKind.SPATIAL, 1), (temporal, EdgeKind.TEMPORAL, 2)):
                rounds = slice(None) if one.round is None else slice(max(0, one.round - ahead), one.round - ahead + 1)
                if one.kind in {None, kind} and (one.round is None or one.round >= ahead):
                    masks[rounds, place[one.source], place[one.reader]] = False
        active = self.active_mask()
        spatial &= active[:, :, None] & active[:, None, :]
        temporal &= active[:-1, :, None] & active[1:, None, :]
        protected = np.array([agent in self.protect for agent in self.agents], dtype=bool)[:, None]
        if protected.any() and any(one.kind != EdgeKind.TEMPORAL for one in self.mute):
            for number, edges in enumerate(spatial):
                muted = (graph.spatial[number] & active[number][:, None] & active[number] & ~edges).any()
                if muted and find_cycle(edges) and not find_cycle(edges & ~protected):
                    spatial[number] = add_acyclic_edges(edges & ~protected, edges)
        return spatial, temporal

    def full_because(
        self,
        run: str = "",
        agents: Sequence[str] | None = None,
        prompts: Mapping[str, str] | None = None,
        models: Mapping[str, str] | None = None,
        today: date | None = None,
        watch: Watch | None = None,
    ) -> str:
        """Why the full team is to run, or nothing; arguments as in `guard`."""
        if agents is not None and set(agents) != set(self.agents):
            raise UserError(
                f"the plan was made for another team ({', '.join(self.agents)}), not for {', '.join(agents)}: "
                "record the new team and run 'modicum team propose'"
            )
        for agent, text in (prompts or {}).items():
            if agent in self.bound_to.prompts and self.bound_to.prompts[agent] != digest_text(text):
                return f"the instructions of '{agent}' changed"
        for agent, model in (models or {}).items():
            known = self.model_for(agent, self.bound_to.models.get(agent, model))
            if model not in {known, self.bound_to.models.get(agent, model)}:
                return f"the model of '{agent}' changed"
        if self.expires and (today or datetime.now(UTC).date()) > date.fromisoformat(self.expires):
            return f"the plan expired on {self.expires}"
        if watch is not None and watch.reverted:
            return watch.reverted
        if run and share_of_run(self.team, run) < self.share_now(watch):
            return "canary"
        return ""

    def share_now(self, watch: Watch | None) -> float:
        """The share of canaries: that of the plan, or what the watch makes of it."""
        return self.canary_share if watch is None else watch.canary_share(self.canary_share)


def digest_text(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def share_of_run(team: str, run: str) -> float:
    """A number in 0..1 that the run's name decides: the same run is a canary everywhere and every time."""
    return int.from_bytes(hashlib.blake2b(f"{team}\0{run}".encode(), digest_size=7).digest(), "big") / 2**56
