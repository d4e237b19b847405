"""An agent of LangChain whose tool returns a long list, with a scripted model that shows what it was sent."""

import asyncio
import json

import pytest

pytest.importorskip("langchain.agents.middleware", reason="scripts/test-frameworks runs this")

from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langgraph.graph import END, START, MessagesState, StateGraph

from modicum.sdk.langchain import OptimizeMiddleware, optimize_messages
from modicum.sdk.optimizing import choose_rules

ROWS = json.dumps([{"id": number, "name": f"tide {number}", "metres": number / 10} for number in range(40)], indent=2)


class Scripted(GenericFakeChatModel):
    """Says its lines, and remembers what it was sent."""

    def bind_tools(self, *_, **__):
        return self

    def _generate(self, messages, *args, **kwargs):
        SENT.append(list(messages))
        return super()._generate(messages, *args, **kwargs)


SENT = []


@tool
def list_tides() -> str:
    """List all tides."""
    return ROWS


@tool
def edit_file(path: str) -> str:
    """Change a file."""
    return path


def scripted():
    SENT.clear()
    call = {"name": "list_tides", "args": {}, "id": "call-1"}
    return Scripted(messages=iter([AIMessage("", tool_calls=[call]), AIMessage("forty tides")]))


def results(messages):
    return [message.content for message in messages if isinstance(message, ToolMessage)]


def test_an_agents_model_is_sent_the_same_data_in_fewer_characters_and_its_state_keeps_the_long_text():
    reports = []
    agent = create_agent(scripted(), [list_tides], middleware=[OptimizeMiddleware(on_report=reports.append)])

    state = agent.invoke({"messages": [HumanMessage("which tides?")]})

    (shown,) = results(SENT[1])
    assert len(shown) < len(ROWS)
    assert json.loads(shown) == json.loads(ROWS)
    assert results(state["messages"]) == [ROWS]
    assert [[one.rule for one in report.applied] for report in reports] == [[], ["content.json_minify"]]


def test_the_asynchronous_way_is_the_same():
    agent = create_agent(scripted(), [list_tides], middleware=[OptimizeMiddleware(choose_rules(on=["content"]))])

    asyncio.run(agent.ainvoke({"messages": [HumanMessage("which tides?")]}))

    assert "columns of this table" in results(SENT[1])[0]


def test_results_stay_as_they_are_where_a_tool_quotes_files():
    agent = create_agent(scripted(), [list_tides, edit_file], middleware=[OptimizeMiddleware()])

    agent.invoke({"messages": [HumanMessage("which tides?")]})

    assert results(SENT[1]) == [ROWS]


def test_a_node_of_ones_own_calls_the_function():
    model = Scripted(messages=iter([AIMessage("forty tides")]))
    SENT.clear()
    given = [
        HumanMessage("which tides?"),
        AIMessage("", tool_calls=[{"name": "list_tides", "args": {}, "id": "call-1"}]),
        ToolMessage([{"type": "text", "text": ROWS}], tool_call_id="call-1"),
        ToolMessage([{"type": "image", "url": "x"}], tool_call_id="call-2"),
    ]
    builder = StateGraph(MessagesState)
    builder.add_node("ask", lambda state: {"messages": [model.invoke(optimize_messages(state["messages"]))]})
    builder.add_edge(START, "ask")
    builder.add_edge("ask", END)

    state = builder.compile().invoke({"messages": given})

    assert json.loads(SENT[0][2].content[0]["text"]) == json.loads(ROWS)
    assert len(SENT[0][2].content[0]["text"]) < len(ROWS)
    assert SENT[0][3].content == [{"type": "image", "url": "x"}]
    assert state["messages"][2].content == [{"type": "text", "text": ROWS}]


def test_what_no_rule_changes_is_the_very_object():
    given = [HumanMessage("hello")]

    assert optimize_messages(given)[0] is given[0]


def test_it_is_a_middleware_of_the_framework():
    assert isinstance(OptimizeMiddleware(), AgentMiddleware)
