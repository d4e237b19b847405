from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.importers.exports.span_messages import context_of, unflattened
from modicum.importers.format import Reading
from modicum.providers.message_blocks import context_blocks
from modicum.providers.opentelemetry.otel import Event, Span

AT = datetime(2026, 1, 1, tzinfo=UTC)
CURRENT = {
    "gen_ai.input.messages": [
        {"role": "user", "parts": [{"type": "text", "content": "Find cats."}]},
        {"role": "assistant", "parts": [{"type": "tool_call", "id": "1", "name": "search", "arguments": {"q": 1}}]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "1", "response": "two"}]},
    ]
}
NUMBERED = {
    "gen_ai.prompt.0.role": "user",
    "gen_ai.prompt.0.content": "Find cats.",
    "gen_ai.prompt.1.role": "assistant",
    "gen_ai.prompt.1.tool_calls.0.id": "1",
    "gen_ai.prompt.1.tool_calls.0.name": "search",
    "gen_ai.prompt.1.tool_calls.0.arguments": '{"q":1}',
    "gen_ai.prompt.2.role": "tool",
    "gen_ai.prompt.2.tool_call_id": "1",
    "gen_ai.prompt.2.content": "two",
}
OPEN = {
    "llm.input_messages.0.message.role": "user",
    "llm.input_messages.0.message.content": "Find cats.",
    "llm.input_messages.1.message.role": "assistant",
    "llm.input_messages.1.message.tool_calls.0.tool_call.id": "1",
    "llm.input_messages.1.message.tool_calls.0.tool_call.function.name": "search",
    "llm.input_messages.1.message.tool_calls.0.tool_call.function.arguments": '{"q":1}',
    "llm.input_messages.2.message.role": "tool",
    "llm.input_messages.2.message.tool_call_id": "1",
    "llm.input_messages.2.message.content": "two",
}
EVENTS = (
    Event("gen_ai.user.message", AT, {"content": "Find cats."}),
    Event(
        "gen_ai.assistant.message",
        AT,
        {"tool_calls": [{"id": "1", "function": {"name": "search", "arguments": '{"q":1}'}}]},
    ),
    Event("gen_ai.tool.message", AT, {"id": "1", "content": "two"}),
    Event("gen_ai.choice", AT, {"content": "the reply is no part of the context"}),
)


def span(attributes=None, events=()):
    return Span(trace_id="t", span_id="s", started=AT, attributes=attributes or {}, events=events)


@pytest.mark.parametrize(
    "told",
    [span(CURRENT), span(NUMBERED), span(OPEN), span(events=EVENTS)],
    ids=["current", "numbered", "openinference", "events"],
)
def test_one_context_in_every_way_to_record_it(told):
    found = Reading().segmenter().context(context_blocks(*context_of(told)), "gpt-4o")

    assert [(part.kind, part.tool) for part in found] == [
        ("user", ""),
        ("tool_call", "search"),
        ("tool_result", "search"),
    ]
    assert found[1].detail == found[2].detail


def test_a_span_without_content_has_none():
    assert context_of(span({"gen_ai.operation.name": "chat"})) == (None, None, None)


def test_numbered_attributes_are_sorted_by_number_and_gaps_close():
    attributes = {f"p.{number}.role": str(number) for number in (10, 2, 0)}

    assert unflattened(attributes, "p.") == [{"role": "0"}, {"role": "2"}, {"role": "10"}]


@given(st.dictionaries(st.from_regex(r"\Ap\.[0-2a]{0,2}(\.[0-2a]{1,2}){0,3}\Z"), st.integers()))
def test_no_names_of_attributes_raise(attributes):
    assert isinstance(unflattened(attributes, "p."), list)
