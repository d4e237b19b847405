"""`[[agent_guard]]`: how agents of one task may start agents."""

from collections.abc import Sequence
from typing import Literal

from modicum.calls import Owner
from modicum.governance.agent_tree import AgentLimits
from modicum.settings.whose_calls import WhoseCalls

MOST_COUNT = 10_000


class AgentGuardSettings(WhoseCalls, frozen=True, kw_only=True):
    """`[[agent_guard]]`, once for each choice. The first that fits a call holds for it; where none does, agents start
    agents as they like.
    """

    most_depth: int | None = None
    """Levels of agents below a task's main agent. 1: agents start no agents. Not set: any number."""
    most_agents: int | None = None
    """Agents of one task, beside the main one. Not set: any number."""
    recursion: bool = False
    """Whether an agent that is given the very prompt of one above it is acted on."""
    act: Literal["nudge", "block"] = "nudge"
    """`nudge`: its prompt ends with a line that says so. `block`: its calls are refused."""
    hold_out: float = 0.0
    """Share of tasks on which it does not act, so that its effect can be seen (`modicum optimize report`). 0: none: a
    guard is there for the task that goes wrong."""

    @property
    def limits(self) -> AgentLimits:
        """What it allows."""
        return AgentLimits(self.most_depth, self.most_agents, not self.recursion)


def agent_limits_of(rows: Sequence[AgentGuardSettings], owner: Owner, *models: str) -> AgentLimits | None:
    """What the first row that fits a call allows; None: none does. `models`: names of its model."""
    return next((row.limits for row in rows if row.is_about(owner, *models)), None)


def agent_guard_fault(rows: Sequence[AgentGuardSettings]) -> tuple[int, str, str] | None:
    """The row and setting that are wrong, and what it must be."""
    for number, one in enumerate(rows):
        if not 0 <= one.hold_out < 1:
            return number, "hold_out", "must be a share from 0 to below 1"
        for key in ("most_depth", "most_agents"):
            most = getattr(one, key)
            if most is not None and not 0 <= most <= MOST_COUNT:
                return number, key, f"must be a number from 0 to {MOST_COUNT:,}"
        if one.most_depth is None and one.most_agents is None and not one.recursion:
            return number, "most_depth", "or another must be set: most_agents, recursion = true"
    return None
