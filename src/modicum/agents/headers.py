"""What a gateway needs to know to apply a plan without touching the user's code: a few request headers.

    x-modicum-agent-team  which team of agents (the gateway looks it up: `[teams.NAME]` of the settings)
    x-modicum-run         which conversation; one guard each
    x-modicum-agent       who is about to speak
    x-modicum-parent      who handed over to it (optional)
    x-modicum-round       which round, from 1 (optional: each call of an agent is its next round)

A call without run and agent is no turn of a team, and no plan touches it.
"""

from collections.abc import Mapping

import msgspec

from modicum.agents.guard import Guard
from modicum.agents.plan_rules import EdgeKind

PREFIX = "x-modicum-"


class TurnQuestion(msgspec.Struct, frozen=True):
    """May this agent speak now, and what may it read?"""

    run: str
    agent: str
    parent: str = ""
    round: int | None = None


class TurnVerdict(msgspec.Struct, frozen=True):
    speaks: bool
    """False: the gateway answers in the provider's place, with an empty reply of the agent."""
    round: int
    hand_over: bool
    """Whether the parent's words may be in the prompt. Other authors' messages go through `Guard.filter`."""
    model: str
    """The cheaper model that the plan names for this agent; empty: as the request says."""
    full_because: str
    """Why the plan is not in force for this run, if it is not."""


def parse_turn_question(headers: Mapping[str, str]) -> TurnQuestion | None:
    """The question that a request's headers ask; None where the request is no turn of a team.

    Raises:
        ValueError: the round is not a whole number from 1; the message is meant for the client.
    """
    found = {name.lower(): value.strip() for name, value in headers.items()}
    run, agent = found.get(PREFIX + "run", ""), found.get(PREFIX + "agent", "")
    if not run or not agent:
        return None
    text = found.get(PREFIX + "round")
    if text is not None and not (text.isascii() and text.isdigit() and int(text) > 0):
        raise ValueError(f"{PREFIX}round is '{text:.20}', not a whole number from 1")
    return TurnQuestion(run, agent, found.get(PREFIX + "parent", ""), int(text) if text else None)


def answer_question(guard: Guard, question: TurnQuestion) -> TurnVerdict:
    """Asks the run's guard. Ask once per turn: where the header has no round, asking counts it."""
    speaks = guard.active(question.agent, question.round)
    number = question.round or guard.round_of(question.agent)
    hand_over = bool(guard.full_because) or not question.parent
    hand_over = hand_over or guard.plan.carries(question.parent, question.agent, EdgeKind.SPATIAL, number)
    return TurnVerdict(
        speaks=speaks,
        round=number,
        hand_over=hand_over,
        model=guard.model_for(question.agent),
        full_because=guard.full_because,
    )
