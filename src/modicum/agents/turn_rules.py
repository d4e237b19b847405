"""The rules that apply a team's plan to a call: messages that it hides are left out, the model that it names is asked.

An author is known by the field `name`, by a digest (the agent said exactly this in a reply that passed here), or by a
mark before the text (`critic: `) that the settings name or whose text fits such a digest. What nobody is known to have
said stays. The first message stays whoever said it: it is the task.
"""

from modicum.agents.guard import filter_visible
from modicum.agents.turn import TeamTurn, digest_saying
from modicum.calls import SegmentKind
from modicum.calls.change import NO_CHANGE, Change
from modicum.calls.facts import Facts
from modicum.calls.prompt import Prompt, Unit
from modicum.calls.rule import Rule

USUAL_MARKS = ("{agent}:", "[{agent}]:", "[{agent}]", "**{agent}**:", "{agent} said:")
"""Believed where what follows is known to be the agent's, or is the empty reply that we gave in its place."""


def hide_messages(prompt: Prompt, facts: Facts) -> Change:
    """Leaves out what the reader may not see, and replies that were given in the place of stopped agents."""
    turn = facts.of(TeamTurn)
    if turn is None or (turn.full_because and not turn.silenced):
        return NO_CHANGE
    hidden = _Authors(turn).hidden(prompt)
    if not hidden:
        return NO_CHANGE
    why = f"hidden from '{turn.agent}'" if turn.agent in turn.plan.agents else "hidden"
    return Change(left_out=hidden, why="" if turn.full_because else why)


def ask_cheaper_model(prompt: Prompt, facts: Facts) -> Change:  # noqa: ARG001 - a rule's two arguments
    """Asks the model that the plan names for this agent."""
    turn = facts.of(TeamTurn)
    if turn is None or not turn.model or turn.model == facts.model:
        return NO_CHANGE
    return Change(model=turn.model, why=f"{facts.model} to {turn.model}")


RULES = (Rule("team_plan.hide", hide_messages), Rule("team_plan.model", ask_cheaper_model))


class _Authors:
    """Who said what in a prompt, as far as one can know."""

    def __init__(self, turn: TeamTurn) -> None:
        self._turn = turn
        own = tuple(mark.strip() for mark in turn.marks)
        self._marks = [
            (agent, [(form.replace("{agent}", agent), form in own) for form in (*own, *USUAL_MARKS)])
            for agent in turn.plan.agents
        ]

    def hidden(self, prompt: Prompt) -> frozenset[int]:
        """The places of units that the reader may not see."""
        turn, units = self._turn, prompt.units
        task = next((unit for unit in units if unit.is_message), None)
        left = [unit for unit in units if unit is task or not self._is_replacement(unit)]
        if not turn.full_because:
            authors = {unit.place: None if unit is task else self._author(unit) for unit in left}
            left = filter_visible(
                turn.plan,
                turn.spoken,
                turn.agent,
                turn.round,
                left,
                lambda unit: authors[unit.place],
                lambda unit: unit.text,
                lambda unit: set(unit.links),
            )
        return frozenset(range(len(units))) - {unit.place for unit in left}

    def _author(self, unit: Unit) -> str | None:
        if not unit.is_message or unit.kind is SegmentKind.TOOL_RESULT:
            return None
        if unit.name in self._turn.plan.agents:
            return unit.name
        if unit.text is None:
            return None
        known = self._speakers_of(unit.text)
        if known:
            parent = self._turn.parent
            return next(iter(known)) if len(known) == 1 else parent if parent in known else None
        for agent, rest, is_own_mark in self._marked(unit.text):
            if is_own_mark or agent in self._speakers_of(rest):
                return agent
        return None

    def _speakers_of(self, text: str) -> frozenset[str]:
        return self._turn.said_by.get(digest_saying(text), frozenset())

    def _is_replacement(self, unit: Unit) -> bool:
        """Whether this is a reply that we gave in the place of a stopped agent. One with words is known by these, also
        after a restart; an empty one only as long as we remember that we gave one.
        """
        if unit.text is None or unit.kind not in {SegmentKind.USER, SegmentKind.ASSISTANT}:
            return False
        silenced, plan = self._turn.silenced, self._turn.plan
        if unit.name in plan.agents:
            return unit.name not in plan.protect and self._is_ours(unit.text, known=unit.name in silenced)
        if self._is_ours(unit.text, known=bool(silenced)):
            return True
        return any(
            agent not in plan.protect and self._is_ours(rest, known=agent in silenced)
            for agent, rest, _ in self._marked(unit.text)
        )

    def _is_ours(self, text: str, *, known: bool) -> bool:
        words = text.strip()
        if not words:
            return known and not self._turn.reply
        return words == self._turn.reply.strip() or words in self._turn.empty_texts

    def _marked(self, text: str) -> list[tuple[str, str, bool]]:
        """Agents whose mark the text begins with, what follows it, and whether the settings name the mark."""
        words = text.lstrip()
        found = []
        for agent, marks in self._marks:
            for mark, is_own in marks:
                if words[: len(mark)].lower() == mark.lower():
                    found.append((agent, words[len(mark) :], is_own))
                    break
        return found
