"""`[teams.NAME]`: plans that the gateway applies."""

import re
from typing import Literal

import msgspec


class TeamSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[teams.NAME]`: a plan that the gateway applies to calls whose headers name this team of agents."""

    plan: str
    """The plan's file, as `modicum team propose --out` writes it. A relative path counts from the settings file."""
    dropped: Literal["answer", "refuse"] = "answer"
    """What a call of a stopped agent gets: an empty reply in the provider's place, or an error (403)."""
    reply: str = ""
    """What stands in that reply, for programs that take no empty one. It is taken out of all prompts again."""
    answer: str = ""
    """A regular expression with one group that takes the short answer out of a reply, as `ANSWER: (.+)`. Empty: the
    whole reply is the answer."""
    marks: tuple[str, ...] = ()
    """How prompts say whose message it is where the API has no field for it, as `{agent}: ` or `[{agent}] `."""
    outcome: str = ""
    """Which outcome of `POST /outcomes` grades runs. Empty: whichever comes first for a run."""
    margin: float = 0.02
    """The loss of outcome that is accepted; a plan that proves worse against its canaries is given up."""


def team_fault(team: TeamSettings) -> tuple[str, str] | None:
    """The setting that is wrong, and what it must be."""
    try:
        groups = re.compile(team.answer).groups if team.answer else 1
    except re.error:
        groups = 0
    if groups != 1:
        return "answer", "a regular expression with one group, as 'ANSWER: (.+)'"
    if not all("{agent}" in mark and mark.strip() != "{agent}" for mark in team.marks):
        return "marks", "texts that hold {agent} and something beside it, as '{agent}: '"
    if not 0 <= team.margin <= 1:
        return "margin", "a share in 0..1"
    return None
