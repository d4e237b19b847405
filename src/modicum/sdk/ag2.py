"""A team plan in AG2 (1.x): a middleware for each agent of a conversation.

    team = PlannedAgents(plan.guard("run-7"))
    critic = Agent("critic", instructions, config=config, middleware=[team.middleware("critic")])

In a discussion of the network register only `team.speakers(names)`: an agent that says nothing ends the round there.
One that is dropped in some rounds says "None." in those, which no planned agent gets to read. What others said is read
by the mark that the network sets before it ("[planner]: ").
"""

import re
from collections.abc import Callable, Sequence
from typing import Any

from modicum.agents.guard import Guard
from modicum.agents.recorder import AgentReply, TeamRecorder
from modicum.calls.extras import missing_extra
from modicum.sdk.run_turns import RunTurns

try:
    from ag2.events import ModelMessage, ModelRequest, ModelResponse, TextInput
    from ag2.middleware import BaseMiddleware
except ImportError:  # pragma: no cover - in an environment without the extra
    raise missing_extra("ag2", "the adapter to AG2") from None

NOTHING = "None."
_MARK = re.compile(r"^\[([^\]]+)\]: ?")
"""How the network's views begin what another participant said."""


class PlannedAgents:
    """One conversation under a plan. Make it anew for every conversation.

    Args:
        guard: of this conversation; `full_team_guard(run)` where there is no plan yet.
        recorder: where turns are written down; nowhere if None.
        answer_of: takes the short answer out of a reply, for a plan's early exit.
    """

    def __init__(
        self,
        guard: Guard,
        *,
        recorder: TeamRecorder | None = None,
        answer_of: Callable[[str], str | None] | None = None,
    ) -> None:
        self.turns = RunTurns(guard, recorder=recorder, answer_of=answer_of)

    def speakers(self, names: Sequence[str]) -> list[str]:
        """Those who speak in some round, whom the plan asks first in front."""
        guard = self.turns.guard
        rounds = range(1, guard.plan.rounds + 1)
        stop = None if guard.full_because else guard.plan.early_exit
        first = {name: place for place, name in enumerate(stop.first)} if stop else {}
        left = [name for name in names if guard.full_because or any(guard.plan.keeps(name, one) for one in rounds)]
        return sorted(left, key=lambda name: first.get(name, len(first)))

    def middleware(self, name: str) -> Callable[[Any, Any], BaseMiddleware]:
        """For the agent of this name; beside others, it comes first."""
        return lambda event, context: _PlanMiddleware(event, context, self.turns, name)


class _PlanMiddleware(BaseMiddleware):
    def __init__(self, event: Any, context: Any, turns: RunTurns, name: str) -> None:
        super().__init__(event, context)
        self._turns, self._name = turns, name
        self._usages: list[Any] = []

    async def on_turn(self, call_next: Any, event: Any, context: Any) -> ModelResponse:
        if not self._turns.starts(self._name):
            return ModelResponse(ModelMessage(NOTHING))
        response = await call_next(event, context)
        prompts, completions = ([getattr(one, field) for one in self._usages] for field in _COUNTS)
        self._turns.ends(
            self._name,
            AgentReply(
                reply=response.content or None,
                prompt_tokens=None if not prompts or None in prompts else sum(prompts),
                completion_tokens=None if not completions or None in completions else sum(completions),
                model=response.model or "",
                instructions="\n".join(str(one) for one in context.prompt),
            ),
        )
        return response

    async def on_llm_call(self, call_next: Any, events: Any, context: Any) -> ModelResponse:
        seen = self._turns.sees(self._name, events, author_of, text_of, list_no_links)
        response = await call_next(seen, context)
        self._usages.append(response.usage)
        return response


_COUNTS = ("prompt_tokens", "completion_tokens")


def author_of(event: Any) -> str | None:
    """Which participant said it; None for tasks of people without a mark, for tools and for the agent itself."""
    found = _MARK.match(_first_text(event))
    return found.group(1) if found else None


def text_of(event: Any) -> str | None:
    return _MARK.sub("", _first_text(event), count=1) or None


def list_no_links(event: Any) -> set[str]:
    """Tool calls are the agent's own here: those of others never reach it."""
    del event
    return set()


def _first_text(event: Any) -> str:
    if not isinstance(event, ModelRequest):
        return ""
    return next((part.content for part in event.parts if isinstance(part, TextInput)), "")
