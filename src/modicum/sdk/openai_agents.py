"""A team plan in the OpenAI Agents SDK: handoffs and agent tools vanish, inputs are filtered.

    team = PlannedRun(plan.guard("run-7"), tools={"ask_critic": "critic"})
    await Runner.run(team.agent(triage), question, hooks=team.hooks, run_config=team.run_config)

The handoff to a dropped agent, and the tool that asks it, are not offered to the model, so its prompt does not mention
them. The history has no authors in this framework: the hooks remember who said what. Tool calls keep their results.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from inspect import isawaitable
from typing import Any

from modicum.agents.guard import Guard, tool_links
from modicum.agents.recorder import AgentReply, TeamRecorder
from modicum.calls.extras import missing_extra

try:
    from agents.run_config import CallModelData, ModelInputData

    from agents import Agent, FunctionTool, Handoff, ModelResponse, RunConfig, RunContextWrapper, RunHooks, handoff
except ImportError:  # pragma: no cover - in an environment without the extra
    raise missing_extra("openai-agents", "the adapter to the OpenAI Agents SDK") from None


class PlannedRun:
    """One conversation under a plan.

    Args:
        guard: of this conversation; `full_team_guard(run)` where there is no plan yet.
        tools: name of a tool -> the agent that it asks, for agents that were made tools by `Agent.as_tool`.
        recorder: where turns are written down; nowhere if None.
        run_config: settings of yours to keep.
    """

    def __init__(
        self,
        guard: Guard,
        *,
        tools: Mapping[str, str] | None = None,
        recorder: TeamRecorder | None = None,
        run_config: RunConfig | None = None,
    ) -> None:
        self.guard = guard
        self.hooks: RunHooks[Any] = _Hooks(self)
        self.run_config = replace(run_config or RunConfig(), call_model_input_filter=self._filter)
        self._tools = dict(tools or {})
        self._recorder = recorder
        self._authors: dict[str, str] = {}
        self._wrapped: dict[int, tuple[Agent[Any], Agent[Any]]] = {}
        """By id, with the agent itself: one that were gone would leave its id to another."""

    def agent(self, agent: Agent[Any]) -> Agent[Any]:
        """A copy of the agent, and of all that it can hand over to, that offers only what the plan leaves."""
        if id(agent) in self._wrapped:
            return self._wrapped[id(agent)][1]
        copy = agent.clone(handoffs=[], tools=[self._wrap_tool(tool) for tool in agent.tools])
        copy.model = self.guard.model_for(agent.name) or agent.model
        self._wrapped[id(agent)] = agent, copy
        copy.handoffs = [self._wrap_handoff(one) for one in agent.handoffs]
        return copy

    def author(self, item: Any) -> str | None:
        """Who said an input item; None for people, and for results of tools that are no agents."""
        return self._authors.get(_key(item))

    def start_turn(self, agent: str) -> None:
        self.guard.active(agent)

    def start_tool(self, tool: str) -> None:
        """Asking an agent by a tool is its turn: the framework runs it without our hooks."""
        if tool in self._tools:
            self.guard.active(self._tools[tool])

    def record_reply(self, speaker: Agent[Any], response: ModelResponse) -> None:
        """A model call of the agent came back."""
        agent = speaker.name
        for item in response.to_input_items():
            self._authors[_key(item)] = agent
            tool = self._tools.get(str(item.get("name", "")))
            if tool and item.get("type") == "function_call":
                # The call that asks an agent, and the result it links to, are that agent's words.
                self._authors[_key(item)] = tool
        if self._recorder:
            self._recorder.turn(
                self.guard.run,
                agent,
                self.guard.round_of(agent),
                AgentReply(
                    reply=_text(response),
                    prompt_tokens=response.usage.input_tokens,
                    completion_tokens=response.usage.output_tokens,
                    model=speaker.model if isinstance(speaker.model, str) else "",
                    instructions=speaker.instructions if isinstance(speaker.instructions, str) else "",
                ),
            )

    def _filter(self, data: CallModelData[Any]) -> ModelInputData:
        kept = self.guard.filter(data.agent.name, data.model_data.input, author=self.author, links=tool_links)
        return ModelInputData(input=kept, instructions=data.model_data.instructions)

    def _combine_conditions(self, name: str, own: Any = True) -> Any:
        """The condition of the plan and the user's own together."""

        async def enabled(context: RunContextWrapper[Any], agent: Any) -> bool:
            if not self.guard.would_speak(name):
                return False
            found = own(context, agent) if callable(own) else own
            return bool(await found if isawaitable(found) else found)

        return enabled

    def _wrap_tool(self, tool: Any) -> Any:
        if isinstance(tool, FunctionTool) and tool.name in self._tools:
            return replace(tool, is_enabled=self._combine_conditions(self._tools[tool.name], tool.is_enabled))
        return tool

    def _wrap_handoff(self, one: Any) -> Any:
        if isinstance(one, Handoff):
            return replace(one, is_enabled=self._combine_conditions(one.agent_name, one.is_enabled))
        return handoff(self.agent(one), is_enabled=self._combine_conditions(one.name))


class _Hooks(RunHooks[Any]):
    def __init__(self, team: PlannedRun) -> None:
        self._team = team

    async def on_agent_start(self, context: Any, agent: Any) -> None:
        del context
        self._team.start_turn(agent.name)

    async def on_tool_start(self, context: Any, agent: Any, tool: Any) -> None:
        del context, agent
        self._team.start_tool(tool.name)

    async def on_llm_end(self, context: Any, agent: Any, response: ModelResponse) -> None:
        del context
        self._team.record_reply(agent, response)


def _key(item: Any) -> str:
    """What an item says, without the ids that differ between sending and receiving it."""
    kept = {name: value for name, value in dict(item).items() if name not in {"id", "status"} and value is not None}
    return json.dumps(kept, sort_keys=True, default=str)


def _text(response: ModelResponse) -> str | None:
    texts = [
        part.text
        for item in response.output
        if item.type == "message"
        for part in item.content
        if part.type == "output_text"
    ]
    return "\n".join(texts) or None
