"""The guard of agents that start agents: a call of one that stands too deep, is one too many or was given the prompt of
one above it is refused, or its prompt ends with a line that says so.

What is known of agents is what their calls through this process say (`attribution.py`: `Lineage`).
"""

from collections.abc import Sequence
from hashlib import blake2b

from modicum.calls import SegmentKind
from modicum.calls.prompt import AGENT_REMINDER, NotHeld, Prompt
from modicum.gateway.chosen_rules import arm_tags
from modicum.gateway.exchange import Exchange
from modicum.gateway.failures import Failed, contain_stage
from modicum.gateway.http.refusal import Refused
from modicum.governance.agent_tree import AgentPlace, AgentTree, describe, fault_of
from modicum.optimizers.rule_choice import AGENT_GUARD, Draw, is_held_out
from modicum.settings.governance.agent_guard import AgentGuardSettings
from modicum.settings.optimize import draw_none

STAGE = "agent_guard"


class AgentGuard:
    """The guard of one gateway process. Used from its event loop.

    Args:
        failed: counts the failures of what is optional.
        draw: of tasks that are held out.
    """

    def __init__(self, failed: Failed, draw: Draw = draw_none) -> None:
        self._failed, self._draw, self._tree = failed, draw, AgentTree()
        self._rows: tuple[AgentGuardSettings, ...] = ()
        self.is_active = False
        """Whether anybody's agents are watched."""

    def take_over(self, rows: Sequence[AgentGuardSettings]) -> None:
        """What is allowed from now on. What is known of agents stays, as long as anybody's are watched."""
        self._rows, self.is_active = tuple(rows), bool(rows)
        if not rows:
            self._tree = AgentTree()

    def admit(self, exchange: Exchange) -> None:
        """Looks where the agent of a call stands, and acts as its owner chose.

        Raises:
            Refused: the owner chose that such calls are not made.
        """
        row = self._row_of(exchange)
        place = None
        if row is not None and row.hold_out and not exchange.is_plain and exchange.about.task:
            held_out = is_held_out(AGENT_GUARD, exchange.about.task, row.hold_out, self._draw)
            names = {AGENT_GUARD}
            exchange.tags = arm_tags(exchange.tags, names if held_out else (), () if held_out else names)
            row = None if held_out else row
        if row is not None and not exchange.is_plain:
            with contain_stage(STAGE, self._failed):
                place = self._place(exchange, row)
        fault = fault_of(place, row.limits) if row is not None and place is not None else None
        if row is None or place is None or fault is None:
            return
        what = describe(fault, place, row.limits)
        if row.act == "block":
            raise Refused(
                403,
                f"{what} ([[agent_guard]] of modicum.toml); finish the task with the agents that there are",
                fault,
            )
        if not exchange.caller.is_plan:  # whose calls pass unchanged
            exchange.guard_line = f"[modicum: {what}. Start no agents: do the work yourself, or say what is missing.]"

    def _row_of(self, exchange: Exchange) -> AgentGuardSettings | None:
        owner, models = exchange.about.owner, (exchange.facts.model, exchange.route.model)
        return next((row for row in self._rows if row.is_about(owner, *models)), None)

    def _place(self, exchange: Exchange, row: AgentGuardSettings) -> AgentPlace | None:
        about = exchange.about
        return self._tree.place(
            about.owner,
            about.task,
            about.lineage,
            lambda: digest_prompt(exchange.prompt) if row.recursion else b"",
        )


def digest_prompt(prompt: Prompt) -> bytes:
    """A digest of what an agent was given: what the user wrote before the model first answered, in whatever white
    space; empty where there are no words of a user, or the prompt does not hold them.
    """
    if not prompt.is_known:
        return b""
    digest, is_empty = blake2b(digest_size=16), True
    for unit in prompt.units:
        if unit.is_by_model:
            break
        if unit.kind is not SegmentKind.USER:
            continue
        try:
            words = "" if unit.text is None else " ".join(unit.text.split())
        except NotHeld:
            return b""
        if words and not words.startswith(AGENT_REMINDER):
            digest.update(words.encode("utf-8", "surrogatepass") + b"\n")
            is_empty = False
    return b"" if is_empty else digest.digest()
