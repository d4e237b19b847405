"""A team plan in the Microsoft Agent Framework: one middleware for all agents of a conversation.

    middleware = PlanMiddleware(plan.guard("run-7"))
    agents = [Agent(client=client, name=name, instructions=text, middleware=[middleware]) for name, text in team]

A dropped agent's model is not called: its response has no message, so the next agents of a workflow read nothing of it.
Messages are told apart by `author_name`, which the framework sets.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from modicum.agents.guard import Guard
from modicum.agents.recorder import AgentReply, TeamRecorder
from modicum.calls.extras import missing_extra
from modicum.sdk.run_turns import RunTurns

try:
    from agent_framework import AgentContext, AgentMiddleware, AgentResponse, AgentResponseUpdate, ResponseStream
except ImportError:  # pragma: no cover - in an environment without the extra
    raise missing_extra("agent-framework", "the adapter to the Microsoft Agent Framework") from None


class PlanMiddleware(AgentMiddleware):
    """One conversation under a plan. Make it anew for every conversation, and give it to all of its agents.

    Args:
        guard: of this conversation.
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

    async def process(self, context: AgentContext, call_next: Callable[[], Awaitable[None]]) -> None:
        name = context.agent.name or ""
        if not self.turns.starts(name):
            context.result = _nothing(stream=context.stream)
            return
        context.messages = self.turns.sees(name, context.messages, author_of, text_of, links_of)
        model = self.turns.guard.model_for(name)
        if model:
            context.options = {**(context.options or {}), "model": model}
        if context.stream:
            context.stream_result_hooks.append(lambda response: self._end(context, response))
            await call_next()
            return
        await call_next()
        if isinstance(context.result, AgentResponse):
            self._end(context, context.result)

    def _end(self, context: AgentContext, response: "AgentResponse[Any]") -> None:
        usage = response.usage_details or {}
        options = getattr(context.agent, "default_options", None) or {}
        self.turns.ends(
            context.agent.name or "",
            AgentReply(
                reply=response.text or None,
                prompt_tokens=usage.get("input_token_count"),
                completion_tokens=usage.get("output_token_count"),
                model=str((context.options or {}).get("model") or options.get("model") or ""),
                instructions=str(options.get("instructions") or ""),
            ),
        )


def _nothing(*, stream: bool) -> Any:
    if not stream:
        return AgentResponse(messages=[])

    async def none() -> AsyncIterator[AgentResponseUpdate]:
        nothing: tuple[AgentResponseUpdate, ...] = ()
        for update in nothing:
            yield update

    return ResponseStream(none(), finalizer=lambda _: AgentResponse(messages=[]))


def author_of(message: Any) -> str | None:
    """Who said it; results of tools have no author."""
    return None if message.role in {"user", "tool", "system"} else message.author_name


def text_of(message: Any) -> str | None:
    return None if links_of(message) else message.text


def links_of(message: Any) -> set[str]:
    """Ids of the tool calls that a message makes or answers."""
    return {one.call_id for one in message.contents if getattr(one, "call_id", None)}
