"""What to leave out of a team: a JSON document that a person can read, edit and delete lines of.

A plan is bound to the team it was made for: its agents by name, their instructions by digest, their models by name. It
says where it came from, what it rests on and until when it holds. Everything it does goes through `Plan.guard`.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from modicum.agents.graph import TeamGraph, completed, cycle
from modicum.calls import UserError

if TYPE_CHECKING:
    from modicum.agents.canary import CanaryWatch
    from modicum.agents.guard import Guard

SCHEMA = "team-plan/1"
MOST_ROUNDS = 1_000


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


class TeamPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """See the module. `schema` first, so that a reader of the file knows what it is."""

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

    def guard(
        self,
        run: str = "",
        *,
        agents: Sequence[str] | None = None,
        prompts: Mapping[str, str] | None = None,
        models: Mapping[str, str] | None = None,
        today: date | None = None,
        watch: "CanaryWatch | None" = None,
    ) -> "Guard":
        """The runtime contract of one conversation: `active`, `filter`, `agreed`.

        The guard lets the full team run, and says why in `full_because`, where the plan has expired, where a prompt or
        a model has changed since it was made, where the run is a canary, or where the watch has reverted the plan.

        Args:
            run: identity of the conversation; decides whether it is a canary. Empty: never one.
            agents: the team that is running. Others than the plan's are an error.
            prompts: agent -> instructions (the text: only its digest is compared).
            models: agent -> model.
            today: for the expiry; the day it is (UTC) unless given.
            watch: what the canaries said so far.

        Raises:
            UserError: the plan was made for another team.
        """
        from modicum.agents.guard import Guard

        return Guard(self, run=run, full_because=self.full_because(run, agents, prompts, models, today, watch))

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
        """bool[rounds, agents]."""
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
                if muted and cycle(edges) and not cycle(edges & ~protected):
                    spatial[number] = completed(edges & ~protected, edges)
        return spatial, temporal

    def full_because(
        self,
        run: str = "",
        agents: Sequence[str] | None = None,
        prompts: Mapping[str, str] | None = None,
        models: Mapping[str, str] | None = None,
        today: date | None = None,
        watch: "CanaryWatch | None" = None,
    ) -> str:
        """Why the full team is to run, or nothing; arguments as in `guard`."""
        if agents is not None and set(agents) != set(self.agents):
            raise UserError(
                f"the plan was made for another team ({', '.join(self.agents)}), not for {', '.join(agents)}: "
                "record the new team and run 'modicum team propose'"
            )
        for agent, text in (prompts or {}).items():
            if agent in self.bound_to.prompts and self.bound_to.prompts[agent] != text_digest(text):
                return f"the instructions of '{agent}' changed"
        for agent, model in (models or {}).items():
            known = self.model_for(agent, self.bound_to.models.get(agent, model))
            if model not in {known, self.bound_to.models.get(agent, model)}:
                return f"the model of '{agent}' changed"
        if self.expires and (today or datetime.now(UTC).date()) > date.fromisoformat(self.expires):
            return f"the plan expired on {self.expires}"
        if watch is not None and watch.reverted:
            return watch.reverted
        if run and run_share(self.team, run) < self.canary_share:
            return "canary"
        return ""


def plain_plan(graph: TeamGraph, drop: tuple[Drop, ...] = (), mute: tuple[Mute, ...] = ()) -> TeamPlan:
    """A plan for a graph that does only what is listed, without canaries: what trials and simulations run."""
    return TeamPlan(
        schema=SCHEMA,
        team="",
        decision=Decision.REDUCE,
        agents=graph.agents,
        rounds=graph.rounds,
        protect=tuple(sorted(graph.protect)),
        drop=drop,
        mute=mute,
        canary_share=0,
    )


def text_digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()


def run_share(team: str, run: str) -> float:
    """A number in 0..1 that the run's name decides: the same run is a canary everywhere and every time."""
    return int.from_bytes(hashlib.blake2b(f"{team}\0{run}".encode(), digest_size=7).digest(), "big") / 2**56


def plan_json(plan: TeamPlan) -> str:
    return msgspec.json.format(msgspec.json.encode(plan), indent=2).decode() + "\n"


def read_plan(text: str | bytes, path: str) -> TeamPlan:
    """A plan from its JSON.

    Raises:
        UserError: it is no plan, or it contradicts itself; the message names file, line and what is accepted.
    """
    try:
        plan = msgspec.json.decode(text, type=TeamPlan)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        place = line_of(text, str(error))
        raise UserError(f"{path}{place} is no team plan: {error}{_accepted(str(error))}") from None
    fault = plan_fault(plan)
    if fault:
        raise UserError(f"{path}{line_of(text, fault)}: {fault}")
    return plan


def line_of(text: str | bytes, message: str) -> str:
    """`:3`, where a message names something that stands in quotes on line 3 of a plan; else nothing."""
    whole = text if isinstance(text, str) else text.decode("utf-8", "replace")
    if byte := re.search(r"\(byte (\d+)\)", message):
        before = whole.encode()[: int(byte[1])]
        return f":{len(before.splitlines()) or 1}"
    lines = whole.splitlines()
    named = re.findall(r"`\$?[^`]*?(\w+)(?:\[[^`]*\])?`|'([^']+)'|^(\w+)", message)
    for name in (part for parts in named for part in parts if part):
        for number, line in enumerate(lines, start=1):
            if f'"{name}"' in line:
                return f":{number}"
    return ""


def _accepted(message: str) -> str:
    """The fields of the table of a plan that a message of msgspec is about."""
    place = message.rpartition("`$")[2]
    tables: dict[str, type[msgspec.Struct]] = {
        "drop": Drop,
        "mute": Mute,
        "early_exit": EarlyExit,
        "substitute": Substitute,
        "bound_to": Binding,
    }
    table = next((type_ for name, type_ in tables.items() if place.startswith(f".{name}")), TeamPlan)
    if "malformed" in message or "truncated" in message:
        return ""
    return f"; accepted are {', '.join(field.encode_name for field in msgspec.structs.fields(table))}"


def plan_fault(plan: TeamPlan) -> str:
    """What is wrong with the plan, or nothing."""
    if plan.schema != SCHEMA:
        return f"schema is '{plan.schema}', this version reads '{SCHEMA}'"
    if not 1 <= plan.rounds <= MOST_ROUNDS:
        return f"rounds is {plan.rounds}, not a number in 1..{MOST_ROUNDS}"
    try:
        TeamGraph(plan.agents, plan.rounds, protect=plan.protect)
    except UserError as error:
        return f"agents: {error}"
    faults = [*_unknown_agents(plan), *_protected(plan), *_bad_numbers(plan)]
    if faults:
        return faults[0]
    last = min(plan.rounds, plan.stop_after_round or plan.rounds)
    silent = next((number for number in range(1, last + 1) if not plan.active_mask()[number - 1].any()), None)
    return f"nobody is left in round {silent}: remove a line of 'drop'" if silent else ""


def _unknown_agents(plan: TeamPlan) -> list[str]:
    named = [
        *((one.agent, "drop") for one in plan.drop),
        *((name, "mute") for one in plan.mute for name in (one.source, one.reader)),
        *((one.agent, "substitute") for one in plan.substitute),
        *((name, "early_exit") for name in (plan.early_exit.first if plan.early_exit else ())),
    ]
    return [f"{where} names '{name}', who is not in agents" for name, where in named if name not in plan.agents]


def _protected(plan: TeamPlan) -> list[str]:
    faults = [f"drop names '{one.agent}', who is protected" for one in plan.drop if one.agent in plan.protect]
    return faults + [f"mute names '{one.source}', who is protected" for one in plan.mute if one.source in plan.protect]


def _bad_numbers(plan: TeamPlan) -> list[str]:
    faults = []
    rounds = [one.round for one in plan.drop] + [one.round for one in plan.mute]
    rounds += [plan.stop_after_round, plan.early_exit.round if plan.early_exit else None]
    faults += [f"round {number} is not in 1..{plan.rounds}" for number in rounds if number and number > plan.rounds]
    faults += ["rounds count from 1" for number in rounds if number is not None and number < 1]
    stop = plan.early_exit
    if stop and not 2 <= stop.agree <= stop.of <= len(plan.agents):
        faults.append(f"early_exit: 'agree' {stop.agree} of 'of' {stop.of} must be 2 <= agree <= of <= agents")
    if stop and len(stop.first) > stop.of:
        faults.append("early_exit: 'first' names more agents than 'of'")
    if stop and len(set(stop.first)) < len(stop.first):
        faults.append("early_exit: 'first' names an agent twice")
    if not 0 <= plan.canary_share <= 1:
        faults.append(f"canary_share is {plan.canary_share}, not a share in 0..1")
    try:
        date.fromisoformat(plan.expires or "2000-01-01")
    except ValueError:
        faults.append(f"expires is '{plan.expires}', not a date like 2027-01-31")
    return faults
