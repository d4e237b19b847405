import asyncio

import pytest

pytest.importorskip("langgraph.graph", reason="scripts/test-frameworks runs this")

from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langgraph.graph import END, START, MessagesState, StateGraph

from modicum.agents.recorder import TeamRecorder
from modicum.calls import UserError
from modicum.sdk.langgraph import PlannedGraph
from sdk.plans import plan

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


def test_a_conversation_without_a_name_is_an_error_that_says_what_to_do(nodes):
    graph = chain(PlannedGraph(plan(nodes).guard), nodes)

    with pytest.raises(UserError, match="thread_id"):
        graph.invoke({"messages": [HumanMessage("the task")]})


def test_agreement_stops_the_conversation(nodes):
    from modicum.agents.plan import EarlyExit

    team = PlannedGraph(plan(nodes, early_exit=EarlyExit(agree=2, of=3)).guard)

    assert team.agreed(RUN, ["A", "a."])
    assert not team.agreed(RUN, ["A", "B"])
