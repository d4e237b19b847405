"""What is known of one turn of a team, for the rules that apply its plan (`turn_rules.py`)."""

import hashlib
from collections.abc import Mapping

import msgspec

from modicum.agents.plan_rules import PlanRules


class TeamTurn(msgspec.Struct, frozen=True, kw_only=True):
    """A call of an agent that is let speak. Prepared by who remembers the run; rules only read it."""

    plan: PlanRules
    agent: str
    """Who speaks, and reads the prompt."""
    parent: str = ""
    """Who handed over to it, if that is told: of two that said the same, the parent is meant."""
    round: int
    """The agent's, from 1."""
    model: str = ""
    """The model that the plan names for it; empty: the caller's."""
    full_because: str = ""
    """Why the full team runs although there is a plan. Then nothing is hidden but replies that were given in the place
    of stopped agents."""
    spoken: Mapping[str, tuple[int, ...]] = {}
    """The rounds in which each agent was let speak, so far."""
    said_by: Mapping[bytes, frozenset[str]] = {}
    """The agents that said exactly this, by `digest_saying`."""
    silenced: frozenset[str] = frozenset()
    """Agents whose calls were answered in their place."""
    marks: tuple[str, ...] = ()
    """How prompts say whose message it is, as `{agent}: `."""
    reply: str = ""
    """What was given in the place of stopped agents, if it was chosen."""
    empty_texts: frozenset[str] = frozenset()
    """What was given where it was not chosen and an API takes no empty text."""


def digest_saying(text: str) -> bytes:
    """Names a text without keeping it; white space around it does not count."""
    return hashlib.blake2b(text.strip().encode("utf-8", "replace"), digest_size=12).digest()
