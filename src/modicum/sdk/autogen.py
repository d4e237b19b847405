"""A team plan in AutoGen AgentChat: participants are wrapped, the team stays as it is.

    guard = plan.guard("run-7")
    team = RoundRobinGroupChat(planned(participants, guard), termination_condition=AgreedTermination(guard, answer_of))

An agent that is dropped in every round does not become a participant. One that is dropped in some rounds answers those
with an empty message, which group chats demand and every other wrapped agent filters out again.
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from typing import Any

from modicum.agents.guard import Guard
from modicum.agents.recorder import AgentReply, TeamRecorder
from modicum.calls.extras import missing_extra

try:
    from autogen_agentchat.agents import BaseChatAgent
    from autogen_agentchat.base import ChatAgent, Response, TerminatedException, TerminationCondition
    from autogen_agentchat.messages import BaseAgentEvent, BaseChatMessage, StopMessage, TextMessage
    from autogen_core import CancellationToken
except ImportError:  # pragma: no cover - in an environment without the extra
    raise missing_extra("autogen", "the adapter to AutoGen AgentChat") from None


def planned(agents: Sequence[ChatAgent], guard: Guard, recorder: TeamRecorder | None = None) -> list["PlannedAgent"]:
    """The participants that the plan leaves in the team, wrapped. Wrap anew for every conversation.

    Whom the plan asks first comes first, which is the order in which a round-robin team asks.
    """
    rounds = range(1, guard.plan.rounds + 1)
    stop = None if guard.full_because else guard.plan.early_exit
    rank = {name: place for place, name in enumerate(stop.first)} if stop else {}
    return [
        PlannedAgent(agent, guard, recorder)
        for agent in sorted(agents, key=lambda one: rank.get(one.name, len(rank)))
        if guard.full_because or any(guard.plan.keeps(agent.name, number) for number in rounds)
    ]


class PlannedAgent(BaseChatAgent):
    """An agent that speaks when the plan lets it and reads what the plan lets it read."""

    def __init__(self, agent: ChatAgent, guard: Guard, recorder: TeamRecorder | None = None) -> None:
        super().__init__(agent.name, agent.description)
        self._agent = agent
        self._guard = guard
        self._recorder = recorder
        self._received: list[BaseChatMessage] = []

    @property
    def produced_message_types(self) -> Sequence[type[BaseChatMessage]]:
        return (*self._agent.produced_message_types, TextMessage)

    async def on_messages(self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken) -> Response:
        async for item in self.on_messages_stream(messages, cancellation_token):
            if isinstance(item, Response):
                return item
        raise RuntimeError(f"agent '{self.name}' ended its turn without a response")

    async def on_messages_stream(
        self, messages: Sequence[BaseChatMessage], cancellation_token: CancellationToken
    ) -> AsyncGenerator[BaseAgentEvent | BaseChatMessage | Response, None]:
        # What came earlier belongs to earlier rounds: the guard has to see all of it to tell which.
        self._received += messages
        if not self._guard.active(self.name):
            yield Response(chat_message=TextMessage(content="", source=self.name))
            return
        seen = self._guard.filter(self.name, self._received, author=source_of, links=list_no_links)
        seen_ids = {id(one) for one in seen}
        new = [one for one in messages if id(one) in seen_ids]
        async for item in self._agent.on_messages_stream(new, cancellation_token):
            if isinstance(item, Response) and self._recorder:
                self._record(item)
            yield item

    async def on_reset(self, cancellation_token: CancellationToken) -> None:
        self._received.clear()
        await self._agent.on_reset(cancellation_token)

    async def save_state(self) -> Mapping[str, Any]:
        state: Mapping[str, Any] = await self._agent.save_state()
        return state

    async def load_state(self, state: Mapping[str, Any]) -> None:
        await self._agent.load_state(state)

    def _record(self, response: Response) -> None:
        assert self._recorder is not None  # noqa: S101 - the caller asked
        messages: list[Any] = [*(response.inner_messages or ()), response.chat_message]
        usages = [one.models_usage for one in messages if one.models_usage is not None]
        self._recorder.turn(
            self._guard.run,
            self.name,
            self._guard.round_of(self.name),
            AgentReply(
                reply=response.chat_message.to_model_text(),
                prompt_tokens=sum(usage.prompt_tokens for usage in usages) if usages else None,
                completion_tokens=sum(usage.completion_tokens for usage in usages) if usages else None,
            ),
        )


class AgreedTermination(TerminationCondition):
    """Stops the team when the plan's early exit is reached.

    Args:
        guard: of this conversation.
        answer_of: takes the short answer out of a message's text; None where it has none.
    """

    def __init__(self, guard: Guard, answer_of: Callable[[str], str | None]) -> None:
        self._guard = guard
        self._answer_of = answer_of
        self._by_round: dict[int, list[str | None]] = {}
        self._turns: dict[str, int] = {}
        self._done = False

    @property
    def terminated(self) -> bool:
        return self._done

    async def __call__(self, messages: Sequence[BaseAgentEvent | BaseChatMessage]) -> StopMessage | None:
        if self._done:
            raise TerminatedException("the team has agreed already")
        for message in messages:
            if not isinstance(message, BaseChatMessage) or message.source not in self._guard.plan.agents:
                continue
            number = self._turns.get(message.source, 0) + 1
            self._turns[message.source] = number
            text = message.to_model_text()
            if not text:
                continue  # the empty message of an agent that was dropped in this round
            answers = self._by_round.setdefault(number, [])
            answers.append(self._answer_of(text))
            answer = self._guard.agreed_answer(answers, number)
            if answer is not None:
                self._done = True
                return StopMessage(content=f"agreed: {answer}", source="modicum")
        return None

    async def reset(self) -> None:
        self._done = False
        self._by_round.clear()
        self._turns.clear()


def source_of(message: BaseChatMessage) -> str:
    return str(message.source)


def list_no_links(message: BaseChatMessage) -> set[str]:
    """Chat messages hold no half of a tool call: AgentChat keeps calls and results within a turn."""
    del message
    return set()
