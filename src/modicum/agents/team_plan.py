"""What to leave out of a team: a JSON document that a person can read, edit and delete lines of.

A plan is bound to the team it was made for: its agents by name, their instructions by digest, their models by name. It
says where it came from, what it rests on and until when it holds. Everything it does goes through `TeamPlan.guard`.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import date

import msgspec

from modicum.agents.graph import TeamGraph
from modicum.agents.guard import Guard
from modicum.agents.plan_rules import Binding, Decision, Drop, EarlyExit, Mute, PlanRules, Substitute, Watch
from modicum.calls import UserError
from modicum.calls.errors import accepted_are

SCHEMA = "team-plan/1"
MOST_ROUNDS = 1_000


class TeamPlan(PlanRules, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """See the module."""

    def guard(
        self,
        run: str = "",
        *,
        agents: Sequence[str] | None = None,
        prompts: Mapping[str, str] | None = None,
        models: Mapping[str, str] | None = None,
        today: date | None = None,
        watch: Watch | None = None,
    ) -> Guard:
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
        why = self.full_because(run, agents, prompts, models, today, watch)
        return Guard(self, run=run, full_because=why, canary_share=self.share_now(watch))


def make_plan(graph: TeamGraph, drop: tuple[Drop, ...] = (), mute: tuple[Mute, ...] = ()) -> TeamPlan:
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


def full_team_guard(run: str = "") -> Guard:
    """The guard of a team that has no plan yet: everybody speaks and reads everything, and rounds are counted, so that
    a run can be recorded.
    """
    nobody = TeamPlan(schema=SCHEMA, team="", decision=Decision.KEEP_ALL, agents=(), rounds=1, canary_share=0)
    return Guard(nobody, run=run, full_because="there is no plan yet")


def encode_plan(plan: TeamPlan) -> str:
    return msgspec.json.format(msgspec.json.encode(plan), indent=2).decode() + "\n"


def read_plan(text: str | bytes, path: str) -> TeamPlan:
    """A plan from its JSON.

    Raises:
        UserError: it is no plan, or it contradicts itself; the message names file, line and what is accepted.
    """
    try:
        plan = msgspec.json.decode(text, type=TeamPlan)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        place = find_line(text, str(error))
        raise UserError(f"{path}{place} is no team plan: {error}{_list_accepted(str(error))}") from None
    fault = find_plan_fault(plan)
    if fault:
        raise UserError(f"{path}{find_line(text, fault)}: {fault}")
    return plan


def find_line(text: str | bytes, message: str) -> str:
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


def _list_accepted(message: str) -> str:
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
    return f"; {accepted_are(field.encode_name for field in msgspec.structs.fields(table))}"


def find_plan_fault(plan: TeamPlan) -> str:
    """What is wrong with the plan, or nothing."""
    if plan.schema != SCHEMA:
        return f"schema is '{plan.schema}', this version reads '{SCHEMA}'"
    if not 1 <= plan.rounds <= MOST_ROUNDS:
        return f"rounds is {plan.rounds}, not a number in 1..{MOST_ROUNDS}"
    try:
        TeamGraph(plan.agents, plan.rounds, protect=plan.protect)
    except UserError as error:
        return f"agents: {error}"
    faults = [*_find_unknown_agents(plan), *_find_protected(plan), *_find_bad_numbers(plan)]
    if faults:
        return faults[0]
    last = min(plan.rounds, plan.stop_after_round or plan.rounds)
    silent = next((number for number in range(1, last + 1) if not plan.active_mask()[number - 1].any()), None)
    return f"nobody is left in round {silent}: remove a line of 'drop'" if silent else ""


def _find_unknown_agents(plan: TeamPlan) -> list[str]:
    named = [
        *((one.agent, "drop") for one in plan.drop),
        *((name, "mute") for one in plan.mute for name in (one.source, one.reader)),
        *((one.agent, "substitute") for one in plan.substitute),
        *((name, "early_exit") for name in (plan.early_exit.first if plan.early_exit else ())),
    ]
    return [f"{where} names '{name}', who is not in agents" for name, where in named if name not in plan.agents]


def _find_protected(plan: TeamPlan) -> list[str]:
    faults = [f"drop names '{one.agent}', who is protected" for one in plan.drop if one.agent in plan.protect]
    return faults + [f"mute names '{one.source}', who is protected" for one in plan.mute if one.source in plan.protect]


def _find_bad_numbers(plan: TeamPlan) -> list[str]:
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
