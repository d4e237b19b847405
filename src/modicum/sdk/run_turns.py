"""What adapters to frameworks share: whether an agent's turn is run, and what is done when it has come to its end."""

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from modicum.agents.guard import Guard
from modicum.agents.recorder import AgentReply, TeamRecorder

Message = TypeVar("Message")


class RunTurns:
    """The turns of one conversation, for frameworks that ask before each and report after it.

    Args:
        guard: of this conversation; `full_team_guard(run)` where there is no plan yet.
        recorder: where turns are written down; nowhere if None.
        answer_of: takes the short answer out of a reply; with it, a plan's early exit stops who would speak next.
    """

    def __init__(
        self,
        guard: Guard,
        *,
        recorder: TeamRecorder | None = None,
        answer_of: Callable[[str], str | None] | None = None,
    ) -> None:
        self.guard = guard
        self.agreed = ""
        """The answer that enough agents gave; empty while they do not agree."""
        self._recorder = recorder
        self._answer_of = answer_of
        self._answers: dict[int, list[str | None]] = {}
        self._lock = threading.Lock()

    def starts(self, agent: str) -> bool:
        """Whether the agent's next turn is to be run; asking counts as the turn."""
        plan = self.guard.plan
        if self.agreed and agent in plan.agents and agent not in plan.protect:
            return False
        return self.guard.active(agent)

    def sees(
        self,
        agent: str,
        messages: Sequence[Message],
        author: Callable[[Message], str | None],
        text: Callable[[Message], str | None],
        links: Callable[[Message], set[str]],
    ) -> list[Message]:
        """The messages that the plan lets the agent read."""
        return self.guard.filter(agent, messages, author=author, text=text, links=links)

    def ends(self, agent: str, reply: AgentReply) -> None:
        """The agent has spoken."""
        number = self.guard.round_of(agent)
        if self._recorder:
            self._recorder.turn(self.guard.run, agent, number, reply)
        stop = self.guard.plan.early_exit
        if self._answer_of is None or stop is None or (stop.first and agent not in stop.first):
            return
        with self._lock:
            answers = self._answers.setdefault(number, [])
            answers.append(None if reply.reply is None else self._answer_of(reply.reply))
            self.agreed = self.agreed or self.guard.agreed_answer(answers, number) or ""
