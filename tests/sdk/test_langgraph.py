import asyncio
import time
from functools import partial

import pytest

pytest.importorskip("langgraph.graph", reason="scripts/test-frameworks runs this")

import openai
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.messages.utils import convert_to_openai_messages
from langgraph.graph import END, START, MessagesState, StateGraph

from gateway.team_rig import plan as gateway_plan
from gateway.team_rig import planned, turn
from modicum.agents.recorder import TeamRecorder
from modicum.calls import SegmentKind, UserError
from modicum.providers.blocks import Block
from modicum.providers.mock.prompt_cache import tokens_of
from modicum.sdk.langgraph import PlannedGraph
from sdk.plans import plan, run_example

RUN = {"configurable": {"thread_id": "run-7"}}


class Scripted:
    """A node that says its line and remembers what it was shown."""

    def __init__(self, line):
        self.line = line
        self.shown = []

    def __call__(self, state):
        self.shown.append([message.content for message in state["messages"]])
        usage = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}
        return {"messages": [AIMessage(self.line, usage_metadata=usage)]}


@pytest.fixture
def nodes():
    return {name: Scripted(f"{name} says") for name in ("planner", "critic", "judge")}


def chain(team, nodes):
    builder = StateGraph(MessagesState)
    previous = START
    for name, action in nodes.items():
        builder.add_node(name, team.node(name, action))
        builder.add_edge(previous, name)
        previous = name
    builder.add_edge(previous, END)
    return builder.compile()


def ask(graph):
    return graph.invoke({"messages": [HumanMessage("the task")]}, config=RUN)["messages"]


def test_a_dropped_agent_costs_no_call_and_leaves_no_trace(nodes):
    team = PlannedGraph(plan(nodes, drop=[("critic", None)]).guard)

    messages = ask(chain(team, nodes))

    assert nodes["critic"].shown == []
    assert nodes["judge"].shown == [["the task", "planner says"]]
    assert [message.content for message in messages] == ["the task", "planner says", "judge says"]


def test_a_muted_edge_hides_one_author_from_one_reader(nodes):
    team = PlannedGraph(plan(nodes, mute=[("planner", "judge")]).guard)

    messages = ask(chain(team, nodes))

    assert nodes["critic"].shown == [["the task", "planner says"]]
    assert nodes["judge"].shown == [["the task", "critic says"]]
    assert len(messages) == 4


def test_a_tool_call_goes_with_its_result(nodes):
    def with_tool(state):
        call = {"name": "search", "args": {}, "id": "call-1"}
        return {
            "messages": [
                AIMessage("", tool_calls=[call]),
                ToolMessage("found it", tool_call_id="call-1"),
                AIMessage("planner says"),
            ]
        }

    muted = PlannedGraph(plan(nodes, mute=[("planner", "judge")]).guard)
    ask(chain(muted, nodes | {"planner": with_tool}))

    assert nodes["critic"].shown == [["the task", "", "found it", "planner says"]]
    assert nodes["judge"].shown == [["the task", "critic says"]]


def test_rounds_are_counted_per_conversation(nodes):
    team = PlannedGraph(plan(nodes, rounds=2, drop=[("critic", 2)]).guard)
    graph = chain(team, nodes)

    for run in ("a", "b"):
        for _ in range(2):
            graph.invoke({"messages": [HumanMessage("the task")]}, config={"configurable": {"thread_id": run}})

    assert len(nodes["critic"].shown) == 2


def test_async_nodes_and_the_recorder(nodes):
    recorder = TeamRecorder("test", keep_text=True)
    team = PlannedGraph(plan(nodes).guard, recorder=recorder)

    async def judge(state):
        return {"messages": AIMessage("yes")}

    graph = chain(team, nodes | {"judge": judge})
    asyncio.run(graph.ainvoke({"messages": [HumanMessage("the task")]}, config=RUN))

    turns = [(row.agent, row.round, row.answer, row.prompt_tokens) for row in recorder.rows]
    assert turns == [("planner", 1, "planner says", 10), ("critic", 1, "critic says", 10), ("judge", 1, "yes", None)]


@pytest.mark.parametrize("how", ["invoke", "ainvoke"])
def test_a_node_that_is_run_anew_after_an_error_is_in_the_same_round(nodes, how):
    recorder = TeamRecorder("test", keep_text=True)
    team = PlannedGraph(plan(nodes, rounds=2, drop=[("critic", 2)]).guard, recorder=recorder)
    fails = [ValueError("once")]

    def critic(state):
        if fails:
            raise fails.pop()
        return {"messages": [AIMessage("critic says")]}

    graph = chain(team, nodes | {"critic": critic})
    asked = {"messages": [HumanMessage("the task")]}
    tries = [lambda: asyncio.run(graph.ainvoke(asked, config=RUN))] if how == "ainvoke" else []
    tries = tries or [lambda: graph.invoke(asked, config=RUN)]
    with pytest.raises(ValueError, match="once"):
        tries[0]()

    assert "critic says" in [message.content for message in tries[0]()["messages"]]
    assert [row.round for row in recorder.rows if row.agent == "critic"] == [1]


def test_a_state_that_is_no_dict_is_told(nodes):
    team = PlannedGraph(plan(nodes).guard)

    with pytest.raises(UserError, match="make the state a TypedDict"):
        team.node("critic", nodes["critic"]).invoke(["the task"], config=RUN)


def test_tokens_stream_through_a_planned_node(nodes):
    model = GenericFakeChatModel(messages=iter([AIMessage("one two")]))
    team = PlannedGraph(plan(nodes, drop=[("critic", None)]).guard)
    graph = chain(team, nodes | {"judge": lambda state: {"messages": [model.invoke(state["messages"])]}})

    chunks = list(graph.stream({"messages": [HumanMessage("the task")]}, config=RUN, stream_mode="messages"))

    assert [one.content for one, about in chunks if about["langgraph_node"] == "judge"][:3] == ["one", " ", "two"]
    assert "critic" not in {about["langgraph_node"] for _, about in chunks}


def test_a_conversation_without_a_name_is_an_error_that_says_what_to_do(nodes):
    graph = chain(PlannedGraph(plan(nodes).guard), nodes)

    with pytest.raises(UserError, match="thread_id"):
        graph.invoke({"messages": [HumanMessage("the task")]})


def test_agreement_stops_the_conversation(nodes):
    from modicum.agents.plan_rules import EarlyExit

    team = PlannedGraph(plan(nodes, early_exit=EarlyExit(agree=2, of=3)).guard)

    assert team.agreed(RUN, ["A", "a."])
    assert not team.agreed(RUN, ["A", "B"])


def calling(client, name, run, state):
    """A node as people write one; it knows of headers and nothing of plans. The mock says what `says` tells it."""
    reply = client.chat.completions.create(
        model="gpt-4o-mini",
        messages=[{"role": "system", "content": f"you are the {name}"}, *convert_to_openai_messages(state["messages"])],
        extra_headers=turn(name, run, says=f"{name} says something"),
    )
    return {"messages": [AIMessage(reply.choices[0].message.content, name=name)]}


def run_two_rounds(client, run):
    builder = StateGraph(MessagesState)
    previous = START
    for number in (1, 2):
        for name in ("planner", "critic", "judge"):
            builder.add_node(f"{name}{number}", partial(calling, client, name, run))
            builder.add_edge(previous, f"{name}{number}")
            previous = f"{name}{number}"
    builder.add_edge(previous, END)
    messages = builder.compile().invoke({"messages": [HumanMessage("the task")]})["messages"]
    return [message.content for message in messages]


def test_a_graph_that_only_sets_headers_follows_the_plan_of_the_gateway(tmp_path):
    dropping = gateway_plan(rounds=2, drop=["critic"], protect=("judge",))
    with (
        planned(tmp_path, dropping) as rig,
        openai.OpenAI(base_url=f"{rig.url}/v1", api_key=rig.key, max_retries=0) as client,
    ):
        said = run_two_rounds(client, "under-the-plan")
        prompts = [[message["content"] for message in asked["messages"]] for asked in rig.mock.asked]
        rig.plan_file.unlink()
        end = time.monotonic() + 10
        while rig.gateway.pipeline.in_force.sources and time.monotonic() < end:
            time.sleep(0.02)
        everything = run_two_rounds(client, "full-team")
        calls = rig.wait_for_records(12)

    plan_line, judge_line = "planner says something", "judge says something"
    assert said == ["the task", plan_line, "", judge_line, plan_line, "", judge_line]
    assert everything[2] == "critic says something"
    assert prompts == [
        ["you are the planner", "the task"],
        ["you are the judge", "the task", plan_line],
        ["you are the planner", "the task", plan_line, judge_line],
        ["you are the judge", "the task", plan_line, judge_line, plan_line],
    ]
    under_plan, full = ([call for call in calls if call.tags["run"] == run] for run in ("under-the-plan", "full-team"))
    assert sum(call.calls_count for call in under_plan) == 4
    assert sum(call.calls_count for call in full) == 6
    # As the plan says: the critic's two replies are not made and its two prompts not read; its first reply is not read
    # by judge, planner and judge, its second one not by the last judge.
    replies = [sum(call.usage.completion_tokens for call in run) for run in (under_plan, full)]
    assert replies == [4 * 3, 6 * 3]
    prompt_tokens = [sum(call.usage.prompt_tokens for call in run) for run in (under_plan, full)]
    critics = sum(call.usage.prompt_tokens for call in full if call.agent == "critic")
    one_reply = tokens_of(Block(SegmentKind.ASSISTANT, "critic says something"))
    assert prompt_tokens[1] - prompt_tokens[0] == critics + 4 * one_reply


def test_the_example_runs_as_printed():
    assert run_example("LangGraph") == ["planner", "critic", "judge"]
