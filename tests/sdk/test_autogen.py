import asyncio

import pytest

pytest.importorskip("autogen_agentchat.agents", reason="scripts/test-frameworks runs this")

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.conditions import MaxMessageTermination
from autogen_agentchat.teams import RoundRobinGroupChat
from autogen_core.models import ChatCompletionClient, CreateResult, RequestUsage

from modicum.agents.plan_rules import EarlyExit
from modicum.agents.recorder import TeamRecorder
from modicum.sdk.autogen import AgreedTermination, planned
from sdk.plans import plan, run_example


class Scripted(ChatCompletionClient):
    """Says its line and remembers its prompts."""

    def __init__(self, line):
        self.line = line
        self.prompts = []

    async def create(self, messages, **_):
        self.prompts.append([str(message.content) for message in messages])
        return CreateResult(
            finish_reason="stop",
            content=self.line,
            usage=RequestUsage(prompt_tokens=10, completion_tokens=5),
            cached=False,
        )

    async def create_stream(self, messages, **_):
        yield await self.create(messages)

    async def close(self):
        pass

    def actual_usage(self):
        return RequestUsage(prompt_tokens=0, completion_tokens=0)

    total_usage = actual_usage

    def count_tokens(self, *_, **__):
        return 0

    remaining_tokens = count_tokens

    @property
    def capabilities(self):
        return self.model_info

    @property
    def model_info(self):
        return {
            "vision": False,
            "function_calling": True,
            "json_output": False,
            "family": "unknown",
            "structured_output": False,
        }


NAMES = ("planner", "critic", "judge")


@pytest.fixture
def clients():
    return {name: Scripted(f"{name} says") for name in NAMES}


def chat(clients, the_plan, *, turns, recorder=None, stop=None):
    agents = [AssistantAgent(name, client, system_message="be brief") for name, client in clients.items()]
    guard = the_plan.guard("run-7")
    ends = MaxMessageTermination(turns + 1)
    if stop:
        ends = ends | AgreedTermination(guard, stop)
    team = RoundRobinGroupChat(planned(agents, guard, recorder), termination_condition=ends)
    return asyncio.run(team.run(task="the task"))


def seen(client):
    return [[text for text in prompt if text != "be brief"] for prompt in client.prompts]


def test_an_agent_dropped_for_good_does_not_take_part(clients):
    result = chat(clients, plan(NAMES, drop=[("critic", None)]), turns=2)

    assert clients["critic"].prompts == []
    assert seen(clients["judge"]) == [["the task", "planner says"]]
    assert [message.source for message in result.messages] == ["user", "planner", "judge"]


def test_an_agent_dropped_in_a_round_leaves_no_trace_in_prompts(clients):
    chat(clients, plan(NAMES, rounds=2, drop=[("critic", 1)]), turns=6)

    assert len(clients["critic"].prompts) == 1
    assert seen(clients["judge"])[0] == ["the task", "planner says"]
    assert "" not in seen(clients["judge"])[1]
    assert seen(clients["judge"])[1] == ["the task", "planner says", "judge says", "planner says", "critic says"]


def test_a_muted_author_is_not_read(clients):
    chat(clients, plan(NAMES, mute=[("planner", "judge")]), turns=3)

    assert seen(clients["critic"]) == [["the task", "planner says"]]
    assert seen(clients["judge"]) == [["the task", "critic says"]]


def test_a_message_belongs_to_the_round_in_which_it_was_written(clients):
    chat(clients, plan(NAMES, rounds=2, drop=[("planner", 2)]), turns=6)

    assert seen(clients["judge"])[1].count("planner says") == 1


def test_the_team_stops_when_enough_agree(clients):
    for client in clients.values():
        client.line = "the answer is B"
    the_plan = plan(NAMES, early_exit=EarlyExit(agree=2, of=3))

    result = chat(clients, the_plan, turns=3, stop=lambda text: text[-1])

    assert clients["judge"].prompts == []
    assert "agreed" in result.stop_reason


def test_whom_the_plan_asks_first_comes_first(clients):
    result = chat(clients, plan(NAMES, early_exit=EarlyExit(agree=2, of=3, first=("judge", "critic"))), turns=3)

    assert [message.source for message in result.messages] == ["user", "judge", "critic", "planner"]


def test_the_state_is_that_of_the_wrapped_agent(clients):
    guard = plan(NAMES).guard("run-7")
    agent = AssistantAgent("planner", clients["planner"])
    [wrapped] = planned([agent], guard)

    assert asyncio.run(wrapped.save_state()) == asyncio.run(agent.save_state())


def test_turns_are_recorded_with_their_tokens(clients):
    recorder = TeamRecorder("test", keep_text=True)

    chat(clients, plan(NAMES), turns=3, recorder=recorder)

    assert [(row.run, row.agent, row.round, row.prompt_tokens) for row in recorder.rows] == [
        ("run-7", name, 1, 10) for name in NAMES
    ]


def test_the_example_runs_as_printed():
    assert run_example("AutoGen AgentChat") == ["planner", "critic", "judge"]
