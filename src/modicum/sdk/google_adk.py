"""A team plan in Google's Agent Development Kit: one plugin for all agents of an app.

    runner = InMemoryRunner(app=App(name="support", root_agent=team, plugins=[PlanPlugin(plan.guard)]))

The session's id is the run's name. A dropped agent is answered for with an empty text, which the framework leaves out
of the prompts of others. What others said is quoted to an agent as text ("[planner] said:"), and is told apart by that.
"""

import re
from collections.abc import Callable
from typing import Any

from modicum.agents.guard import Guard, Guards
from modicum.agents.recorder import AgentReply, TeamRecorder
from modicum.agents.team_plan import full_team_guard
from modicum.calls.extras import missing_extra
from modicum.sdk.run_turns import RunTurns

try:
    from google.adk.plugins.base_plugin import BasePlugin
    from google.genai import types
except ImportError:  # pragma: no cover - in an environment without the extra
    raise missing_extra("google-adk", "the adapter to Google's Agent Development Kit") from None

MOST_RUNS = 10_000
_QUOTED = re.compile(r"^\[([^\]]+)\] (?:said:|called tool |`)")
"""How the framework begins what it quotes of another agent."""


class PlanPlugin(BasePlugin):
    """The conversations of one app under a plan.

    Args:
        guard: makes the guard of a run from its session's id, usually `plan.guard`; without it every run is the full
            team's.
        recorder: where turns are written down; nowhere if None.
        answer_of: takes the short answer out of a reply, for a plan's early exit.
    """

    def __init__(
        self,
        guard: Callable[[str], Guard] = full_team_guard,
        *,
        recorder: TeamRecorder | None = None,
        answer_of: Callable[[str], str | None] | None = None,
    ) -> None:
        super().__init__(name="modicum_team_plan")
        self._turns = RunsByName(guard, recorder=recorder, answer_of=answer_of)
        self._replies: dict[tuple[str, str], list[Any]] = {}

    async def before_agent_callback(self, *, agent: Any, callback_context: Any) -> types.Content | None:
        turns = self._turns.of(callback_context.session.id)
        if turns.starts(agent.name):
            self._replies.pop((callback_context.session.id, agent.name), None)
            return None
        # The framework skips an agent only for a reply that is true; one without text it leaves out of prompts.
        return types.Content(role="model", parts=[types.Part(text="")])

    async def before_model_callback(self, *, callback_context: Any, llm_request: Any) -> None:
        turns, agent = self._turns.of(callback_context.session.id), callback_context.agent_name
        llm_request.contents = turns.sees(agent, llm_request.contents, author_of, text_of, links_of)
        llm_request.model = turns.guard.model_for(agent) or llm_request.model

    async def after_model_callback(self, *, callback_context: Any, llm_response: Any) -> None:
        if not llm_response.partial:
            key = (callback_context.session.id, callback_context.agent_name)
            self._replies.setdefault(key, []).append(llm_response)

    async def after_agent_callback(self, *, agent: Any, callback_context: Any) -> None:
        replies = self._replies.pop((callback_context.session.id, agent.name), None)
        if replies:
            self._turns.of(callback_context.session.id).ends(agent.name, _reply_of(agent, replies))


class RunsByName:
    """The turns of each conversation, by its id."""

    def __init__(self, guard: Callable[[str], Guard], **options: Any) -> None:
        self._guards = Guards(guard, most=MOST_RUNS)
        self._options = options
        self._turns: dict[str, RunTurns] = {}

    def of(self, run: str) -> RunTurns:
        guard = self._guards.of(run)
        turns = self._turns.get(run)
        if turns is None or turns.guard is not guard:
            if len(self._turns) >= MOST_RUNS:
                self._turns.pop(next(iter(self._turns)))
            turns = self._turns[run] = RunTurns(guard, **self._options)
        return turns


def _reply_of(agent: Any, replies: list[Any]) -> AgentReply:
    usages = [one.usage_metadata for one in replies]
    known = all(one is not None for one in usages)
    texts = [text for one in replies if one.content and (text := text_of(one.content))]
    model = getattr(agent, "model", "")
    instruction = getattr(agent, "instruction", "")
    return AgentReply(
        reply=texts[-1] if texts else None,
        prompt_tokens=sum(one.prompt_token_count or 0 for one in usages) if known else None,
        completion_tokens=sum((one.candidates_token_count or 0) + (one.thoughts_token_count or 0) for one in usages)
        if known
        else None,
        model=model if isinstance(model, str) else str(getattr(model, "model", "")),
        instructions=instruction if isinstance(instruction, str) else "",
    )


def author_of(content: Any) -> str | None:
    """Whom a quoted message is of; None for people and for the agent's own."""
    found = [match for part in content.parts or () if part.text and (match := _QUOTED.match(part.text))]
    return found[0].group(1) if content.role == "user" and found else None


def text_of(content: Any) -> str | None:
    parts = content.parts or ()
    return "".join(part.text for part in parts if part.text and not part.thought) or None


def links_of(content: Any) -> set[str]:
    """Calls and results of others are quoted as text: no half of one can be left behind."""
    del content
    return set()
