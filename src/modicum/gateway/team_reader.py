"""Who said what in a prompt, as far as a gateway can know, and the prompt without what a plan hides from its reader.

An author is known by the field `name`, by a digest (the agent said exactly this in a reply that passed here), or by a
mark before the text (`critic: `) that the settings name or whose text fits such a digest. What nobody is known to have
said stays. The first message stays whoever said it: it is the task.
"""

from modicum.gateway.team_plans import Team
from modicum.gateway.team_runs import Run
from modicum.providers.dialects import DIALECTS
from modicum.providers.prompt import Prompt, Unit

USUAL_MARKS = ("{agent}:", "[{agent}]:", "[{agent}]", "**{agent}**:", "{agent} said:")
"""Believed where what follows is known to be the agent's, or is the empty reply that we gave in its place."""


UNSAID = frozenset(dialect.empty_text for dialect in DIALECTS.values() if dialect.empty_text)
"""What stopped agents say where the settings leave it empty and their API takes no empty text in a later prompt."""


class Reader:
    """Args:
    parent: who handed over to the reader, if that is told: of two that said the same, the parent is meant.
    """

    def __init__(self, team: Team, run: Run, agent: str, parent: str) -> None:
        self._team, self._run, self._agent, self._parent = team, run, agent, parent
        self._told = tuple(mark.strip() for mark in team.settings.marks)

    def may_read(self, prompt: Prompt, round_number: int) -> bytes | None:
        """The request without hidden messages; None where nothing is to be hidden, or nothing would be left."""
        task = next((unit for unit in prompt.units if unit.role != "system"), None)
        left = [unit for unit in prompt.units if unit is task or not self._our_own(unit)]
        kept = self._run.guard.filter(
            self._agent,
            left,
            author=lambda unit: None if unit is task else self._author(unit),
            text=lambda unit: unit.text,
            links=lambda unit: set(unit.links),
            round=round_number,
        )
        return prompt.with_only(kept) if len(kept) < len(prompt.units) else None

    def _author(self, unit: Unit) -> str | None:
        if unit.role in {"system", "tool"}:
            return None
        if unit.name in self._team.plan.agents:
            return unit.name
        if unit.text is None:
            return None
        known = self._run.who_said(unit.text)
        if known:
            return next(iter(known)) if len(known) == 1 else self._parent if self._parent in known else None
        for agent, rest, is_told in self._marked(unit.text):
            if is_told or agent in self._run.who_said(rest):
                return agent
        return None

    def _our_own(self, unit: Unit) -> bool:
        """Whether this is a reply that we gave in the place of a stopped agent. One with words is known by these, also
        after a restart; an empty one only as long as we remember that we gave one.
        """
        if unit.text is None or unit.role not in {"user", "assistant"}:
            return False
        silenced, plan = self._run.silenced, self._team.plan
        if unit.name in plan.agents:
            return unit.name not in plan.protect and self._is_ours(unit.text, known=unit.name in silenced)
        if self._is_ours(unit.text, known=bool(silenced)):
            return True
        return any(
            agent not in plan.protect and self._is_ours(rest, known=agent in silenced)
            for agent, rest, _ in self._marked(unit.text)
        )

    def _is_ours(self, text: str, *, known: bool) -> bool:
        said = text.strip()
        if not said:
            return known and not self._team.settings.reply
        return said == self._team.settings.reply.strip() or said in UNSAID

    def _marked(self, text: str) -> list[tuple[str, str, bool]]:
        """Agents whose mark the text begins with, what follows it, and whether the settings name the mark."""
        start = text.lstrip()
        found = []
        for agent in self._team.plan.agents:
            for form in (*self._told, *USUAL_MARKS):
                mark = form.replace("{agent}", agent)
                if start[: len(mark)].lower() == mark.lower():
                    found.append((agent, start[len(mark) :], form in self._told))
                    break
        return found
