"""A team plan in LangGraph: nodes are wrapped, edges stay as they are.

    team = PlannedGraph(plan.guard, recorder=TeamRecorder("support"))
    builder.add_node("critic", team.node("critic", critic))
    graph.invoke(state, config={"configurable": {"thread_id": "run-7"}})

A dropped node returns no update, so it leaves nothing in the state. A node whose plan mutes others gets a state whose
messages are filtered; the state itself is not changed. Messages are told apart by `name`, which is set where a node
leaves it out.
"""

from collections.abc import Callable, Sequence
from typing import Any

from modicum.agents.guard import Guard, Guards
from modicum.agents.recorder import AgentReply, TeamRecorder
from modicum.agents.team_plan import full_team_guard
from modicum.calls import UserError
from modicum.calls.extras import missing_extra

try:
    from langchain_core.messages import AIMessage
    from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda
except ImportError:  # pragma: no cover - in an environment without the extra
    raise missing_extra("langgraph", "the adapter to LangGraph") from None


class PlannedGraph:
    """Wraps the nodes of one graph.

    Args:
        guard: makes the guard of a run from its id, usually `plan.guard`, with the keyword arguments bound. Without it
            every run is the full team's, to be recorded before there is a plan.
        recorder: where turns are written down; nowhere if None.
        messages_key: where the state keeps its messages.
    """

    def __init__(
        self,
        guard: Callable[[str], Guard] = full_team_guard,
        *,
        recorder: TeamRecorder | None = None,
        messages_key: str = "messages",
    ) -> None:
        self.guards = Guards(guard)
        self._recorder = recorder
        self._key = messages_key

    def node(self, name: str, action: Any) -> Runnable[Any, Any]:
        """The node `action` (function, coroutine function or runnable) under the plan."""
        inner: Runnable[Any, Any] = action if isinstance(action, Runnable) else RunnableLambda(action)

        def run(state: dict[str, Any], config: RunnableConfig) -> Any:
            guard = self.guards.of(run_id(config))
            if not guard.active(name):
                return {}
            guard.unfinished.add(name)  # until it is done: LangGraph runs a node anew after an error or an interrupt
            return self._finish_turn(name, guard, run_id(config), inner.invoke(self._view(name, guard, state), config))

        async def run_async(state: dict[str, Any], config: RunnableConfig) -> Any:
            guard = self.guards.of(run_id(config))
            if not guard.active(name):
                return {}
            guard.unfinished.add(name)
            update = await inner.ainvoke(self._view(name, guard, state), config)
            return self._finish_turn(name, guard, run_id(config), update)

        return RunnableLambda(run, run_async, name=name)

    def agreed(self, config: RunnableConfig, answers: Sequence[str | None], round: int | None = None) -> bool:  # noqa: A002
        """For a conditional edge: whether the answers so far are enough to stop."""
        return self.guards.of(run_id(config)).agreed(answers, round)

    def _view(self, name: str, guard: Guard, state: dict[str, Any]) -> dict[str, Any]:
        if not isinstance(state, dict):
            raise UserError(
                f"a planned graph filters states that are dicts, not {type(state).__name__}: make the state a TypedDict"
            )
        messages = state.get(self._key)
        return {**state, self._key: guard.filter(name, messages)} if messages else state

    def _finish_turn(self, name: str, guard: Guard, run: str, update: Any) -> Any:
        guard.unfinished.discard(name)
        if not isinstance(update, dict) or self._key not in update:
            return update
        given = update[self._key]
        messages = [signed(name, one) for one in (given if isinstance(given, list) else [given])]
        if self._recorder:
            self._record(name, guard.round_of(name), run, [one for one in messages if isinstance(one, AIMessage)])
        return {**update, self._key: messages}

    def _record(self, name: str, number: int, run: str, messages: list[AIMessage]) -> None:
        assert self._recorder is not None  # noqa: S101 - the caller asked
        usages = [one.usage_metadata for one in messages]
        counted = [usage for usage in usages if usage is not None]
        known = len(counted) == len(usages) and bool(usages)
        self._recorder.turn(
            run,
            name,
            number,
            AgentReply(
                reply=str(messages[-1].text) if messages else None,
                prompt_tokens=sum(usage["input_tokens"] for usage in counted) if known else None,
                completion_tokens=sum(usage["output_tokens"] for usage in counted) if known else None,
                model=str(messages[-1].response_metadata.get("model_name", "")) if messages else "",
            ),
        )


def signed(name: str, message: Any) -> Any:
    """The agent's message with its name on it, where it has none."""
    if isinstance(message, AIMessage) and not message.name:
        return message.model_copy(update={"name": name})
    return message


def run_id(config: RunnableConfig) -> str:
    """The conversation's id.

    Raises:
        UserError: the graph was invoked without one; rounds are counted per conversation.
    """
    run = (config.get("configurable") or {}).get("thread_id")
    if not run:
        raise UserError(
            "a planned graph needs a conversation id: invoke it with config={'configurable': {'thread_id': 'run-7'}}"
        )
    return str(run)
