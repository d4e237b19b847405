"""Less thinking, a shorter answer, fewer tools."""

import json
from datetime import UTC, datetime

import msgspec
import pytest

from modicum.calls import SegmentKind
from modicum.calls.anatomy import Segment
from modicum.calls.facts import Facts
from modicum.calls.prompt import AnatomyPrompt
from modicum.optimizers.running import RequestCall, run_rules
from modicum.optimizers.variants import variant_rule
from modicum.providers.dialects import DIALECTS


def sent(body, rules, dialect="openai-chat", effects=("changed",)):
    facts = Facts(at=datetime(2026, 11, 1, tzinfo=UTC), model=body["model"])
    facts = msgspec.structs.replace(facts, most_output_tokens=body.get("max_completion_tokens"))
    call = RequestCall(DIALECTS[dialect], json.dumps(body).encode(), facts)
    decisions = run_rules(rules, call)
    assert all(one.effect in effects for one in decisions)
    return json.loads(call.body)


def chat(**more):
    return {"model": "gpt-5", "messages": [{"role": "user", "content": "hi"}]} | more


def tool(name):
    return {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}}


LOW = variant_rule("low", "gpt-*", effort="low")
SHORT = variant_rule("short", "*", most_output_tokens=100)
FEW = variant_rule("few", "*", without_tools=("mail", "jira"))


@pytest.mark.parametrize(("asked", "becomes"), [("high", "low"), ("minimal", "minimal"), ("odd", "low"), (None, "low")])
def test_effort_is_only_lowered(asked, becomes):
    body = chat(reasoning_effort=asked) if asked else chat()
    assert sent(body, (LOW,))["reasoning_effort"] == becomes


def test_effort_of_every_api_stands_in_its_own_place():
    body = {"model": "gpt-5", "input": "hi", "reasoning": {"effort": "high", "summary": "auto"}}
    assert sent(body, (LOW,), "openai-responses")["reasoning"] == {"effort": "low", "summary": "auto"}
    claude = {"model": "gpt-odd", "max_tokens": 10, "messages": chat()["messages"], "output_config": {"effort": "max"}}
    assert sent(claude, (LOW,), "anthropic-messages")["output_config"] == {"effort": "low"}


def test_other_models_stay():
    assert sent(chat(model="o3"), (LOW,)) == chat(model="o3")


def test_a_dated_name_fits_where_its_alias_does():
    low = variant_rule("low", "gpt-5", effort="low")
    assert sent(chat(model="gpt-5-2025-08-07"), (low,))["reasoning_effort"] == "low"
    assert "reasoning_effort" not in sent(chat(model="gpt-5-mini"), (low,))


def test_calls_of_others_stay():
    of_web = variant_rule("low", "gpt-5", effort="low", is_about=lambda owner: owner.app == "web")
    assert sent(chat(), (of_web,)) == chat()


@pytest.mark.parametrize(("asked", "becomes"), [(1000, 100), (50, 50), (None, 100)])
def test_an_answer_is_only_shortened(asked, becomes):
    body = chat(max_completion_tokens=asked) if asked else chat()
    assert sent(body, (SHORT,))["max_completion_tokens"] == becomes


def test_tools_go_where_the_conversation_has_not_called_them():
    tools = [tool("run"), tool("mail"), tool("jira")]
    call = {"id": "c", "type": "function", "function": {"name": "mail", "arguments": "{}"}}
    called = [{"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": "c", "content": "ok"}]

    assert sent(chat(tools=tools), (FEW,))["tools"] == [tool("run")]
    body = chat(tools=tools) | {"messages": [*chat()["messages"], *called]}
    assert sent(body, (FEW,))["tools"] == [tool("run"), tool("mail")]


def test_what_a_caller_asks_for_stays():
    named = chat(tools=[tool("run"), tool("mail")], tool_choice={"type": "function", "function": {"name": "mail"}})
    only = chat(tools=[tool("mail")], tool_choice="auto")
    for body in (named, only):
        assert sent(body, (FEW,), effects=("does_not_fit",)) == body
    assert "tools" not in sent(chat(tools=[tool("mail")]), (FEW,))


def test_a_ledger_does_not_know_what_effort_was_asked():
    prompt = AnatomyPrompt([Segment(SegmentKind.USER, 10, b"d")])
    with pytest.raises(Exception, match="a ledger keeps none"):
        _ = prompt.effort
