import asyncio
from itertools import pairwise

import pytest

pytest.importorskip("agent_framework", reason="scripts/test-frameworks runs this")

from agent_framework import (
    Agent,
    BaseChatClient,
    ChatResponse,
    ChatResponseUpdate,
    Content,
    Message,
    UsageDetails,
    WorkflowBuilder,
)

from modicum.agents.plan_rules import EarlyExit, Substitute
from modicum.agents.recorder import TeamRecorder
from modicum.agents.team_plan import full_team_guard
from modicum.sdk.agent_framework import PlanMiddleware, author_of, links_of
from sdk.plans import plan, run_example

NAMES = ("planner", "critic", "judge")


class Scripted(BaseChatClient):
    """Says its line and remembers what it was shown and asked."""

    def __init__(self, line):
        super().__init__()
        self.line, self.shown, self.models = line, [], []

    def _inner_get_response(self, *, messages, stream, options, **_):
        self.shown.append([message.text for message in messages])
        self.models.append(options.get("model"))
        usage = UsageDetails(input_token_count=10, output_token_count=5)

        async def updates():
            yield ChatResponseUpdate(role="assistant", contents=[Content.from_text(self.line)])
            yield ChatResponseUpdate(role="assistant", contents=[Content.from_usage(usage)])

        async def whole():
            return ChatResponse(messages=[Message("assistant", [self.line])], usage_details=usage)

        return self._build_response_stream(updates()) if stream else whole()


@pytest.fixture
def clients():
    return {name: Scripted(f"{name} says") for name in NAMES}


def chain(clients, middleware, rounds=1):
    agents = [
        Agent(client=client, name=name, instructions=f"you are the {name}", middleware=[middleware])
        for name, client in clients.items()
    ]
    builder = WorkflowBuilder(start_executor=agents[0])
    for one, other in pairwise(agents):
        builder.add_edge(one, other)
    return builder.build()


def run(clients, guard, *, stream=False, **options):
    async def conversation():
        workflow = chain(clients, PlanMiddleware(guard, **options))
        if stream:
            return [event async for event in workflow.run("the task", stream=True)]
        return await workflow.run("the task")

    return asyncio.run(conversation())


@pytest.mark.parametrize("stream", [False, True])
def test_a_dropped_agent_costs_no_call_and_leaves_no_trace(clients, stream):
    run(clients, plan(NAMES, drop=[("critic", None)]).guard("r"), stream=stream)

    assert clients["critic"].shown == []
    assert clients["judge"].shown == [["the task", "planner says"]]


def test_a_muted_edge_hides_one_author_from_one_reader(clients):
    run(clients, plan(NAMES, mute=[("planner", "judge")]).guard("r"))

    assert clients["critic"].shown == [["the task", "planner says"]]
    assert clients["judge"].shown == [["the task", "critic says"]]


@pytest.mark.parametrize("stream", [False, True])
def test_a_run_is_recorded_before_there_is_a_plan(clients, stream):
    recorder = TeamRecorder("support", keep_text=True)
    run(clients, full_team_guard("r"), stream=stream, recorder=recorder)

    assert [(row.run, row.agent, row.round, row.answer) for row in recorder.rows] == [
        ("r", name, 1, f"{name} says") for name in NAMES
    ]
    assert {(row.prompt_tokens, row.completion_tokens) for row in recorder.rows} == {(10, 5)}
    assert all(row.prompt_digest for row in recorder.rows)


def test_a_cheaper_model_is_asked(clients):
    run(clients, plan(NAMES, substitute=(Substitute(agent="critic", model="small"),)).guard("r"))

    assert [clients[name].models for name in NAMES] == [[None], ["small"], [None]]


def test_when_enough_agree_the_rest_is_not_asked_and_protected_agents_are():
    clients = {name: Scripted("ANSWER B") for name in ("a", "b", "c", "judge")}
    early = plan(clients, early_exit=EarlyExit(agree=2, of=3), protect=("judge",))
    run(clients, early.guard("r"), answer_of=lambda text: text.split()[-1])

    assert [len(client.shown) for client in clients.values()] == [1, 1, 0, 1]


def test_tool_calls_and_people_have_no_author():
    call = Message("assistant", [Content.from_function_call("c1", "search", arguments="{}")], author_name="planner")
    result = Message("tool", [Content.from_function_result("c1", result="found")], author_name="planner")

    assert (author_of(call), links_of(call)) == ("planner", {"c1"})
    assert (author_of(result), links_of(result)) == (None, {"c1"})
    assert author_of(Message("user", ["hi"], author_name="planner")) is None


def test_the_example_runs_as_printed():
    assert run_example("Microsoft Agent Framework") == ["planner", "critic", "judge"]
