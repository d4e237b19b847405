import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.calls import Basis
from modicum.context.segmenter import Segmenter
from modicum.metering.digests import Digester
from modicum.providers.blocks import schemas
from modicum.providers.message_blocks import context_blocks, messages_blocks

SEARCH = {"query": "cats", "limit": 3}
AS_TEXT = '{"query":"cats","limit":3}'
OPENAI = {
    "tools": [{"type": "function", "function": {"name": "search", "parameters": {}}}],
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Find cats."}]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": "c1", "function": {"name": "search", "arguments": AS_TEXT}}],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "two cats"},
    ],
}
RESPONSES = {
    "tools": [{"type": "function", "name": "search", "parameters": {}}],
    "system": "Be brief.",
    "messages": [
        {"role": "user", "content": [{"type": "input_text", "text": "Find cats."}]},
        {"type": "function_call", "call_id": "c1", "name": "search", "arguments": AS_TEXT},
        {"type": "function_call_output", "call_id": "c1", "output": "two cats"},
    ],
}
ANTHROPIC = {
    "tools": [{"name": "search", "input_schema": {}, "cache_control": {"type": "ephemeral"}}],
    "system": [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
    "messages": [
        {"role": "user", "content": "Find cats."},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "search", "input": SEARCH}]},
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "two cats"}]},
            ],
        },
    ],
}
GEMINI = {
    "tools": [{"functionDeclarations": [{"name": "search", "parameters": {}}]}],
    "system": {"parts": [{"text": "Be brief."}]},
    "messages": [
        {"role": "user", "parts": [{"text": "Find cats."}]},
        {"role": "model", "parts": [{"functionCall": {"name": "search", "args": SEARCH, "id": "c1"}}]},
        {"role": "user", "parts": [{"functionResponse": {"id": "c1", "name": "search", "response": "two cats"}}]},
    ],
}
BEDROCK = {
    "tools": {"tools": [{"toolSpec": {"name": "search", "inputSchema": {}}}, {"cachePoint": {"type": "default"}}]},
    "system": [{"text": "Be brief."}],
    "messages": [
        {"role": "user", "content": [{"text": "Find cats."}]},
        {"role": "assistant", "content": [{"toolUse": {"toolUseId": "c1", "name": "search", "input": SEARCH}}]},
        {"role": "user", "content": [{"toolResult": {"toolUseId": "c1", "content": [{"text": "two cats"}]}}]},
    ],
}
TELEMETRY = {
    "tools": [{"type": "function", "name": "search"}],
    "system": [{"type": "text", "content": "Be brief."}],
    "messages": [
        {"role": "user", "parts": [{"type": "text", "content": "Find cats."}]},
        {"role": "assistant", "parts": [{"type": "tool_call", "id": "c1", "name": "search", "arguments": SEARCH}]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "c1", "response": "two cats"}]},
    ],
}
DIALECTS = {
    "openai": OPENAI,
    "responses": RESPONSES,
    "anthropic": ANTHROPIC,
    "gemini": GEMINI,
    "bedrock": BEDROCK,
    "telemetry": TELEMETRY,
}


def segments(body):
    return measured(context_blocks(body["messages"], body.get("tools"), body.get("system")))


def measured(blocks):
    return Segmenter(Digester(b"")).segments(blocks, "gpt-4o")


def shown(body):
    return [" ".join(filter(None, [part.kind, part.tool])) for part in segments(body)]


@pytest.mark.parametrize("name", DIALECTS)
def test_one_conversation_in_every_dialect_has_one_anatomy(name):
    assert shown(DIALECTS[name]) == ["tool_schema search", "system", "user", "tool_call search", "tool_result search"]
    assert [part.digest for part in segments(DIALECTS[name])] == [part.digest for part in segments(OPENAI)]
    assert all(part.tokens > 0 for part in segments(DIALECTS[name]))


@pytest.mark.parametrize("name", DIALECTS)
def test_a_tool_result_shares_the_detail_of_its_call(name):
    *_, call, result = segments(DIALECTS[name])

    assert call.detail == result.detail == segments(OPENAI)[3].detail != b""


def test_a_result_finds_a_call_that_stood_in_another_body():
    segmenter = Segmenter(Digester(b""))
    segmenter.context(context_blocks(RESPONSES["messages"][:2]), "gpt-4o")

    (result,) = segmenter.context(context_blocks(RESPONSES["messages"][2:]), "gpt-4o")

    assert result.tool == "search"


def test_reasoning_failures_pictures_and_documents_are_told_apart():
    body = {
        "messages": [
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "Hm.", "signature": "x"},
                    {"type": "tool_use", "id": "1", "name": "read", "input": {}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "1", "is_error": True, "content": [{"type": "image"}, "no"]},
                    {"type": "image", "source": {"type": "base64", "data": "AAAA"}},
                    {"type": "document", "source": {"type": "text", "data": "A page."}},
                ],
            },
        ]
    }

    found = segments(body)

    assert [part.kind for part in found] == [
        "reasoning",
        "tool_call",
        "tool_result",
        "image",
        "image",
        "document",
    ]
    assert [part.is_error for part in found] == [False, False, True, False, False, False]
    assert [part.basis for part in found[3:]] == [Basis.UNKNOWN, Basis.UNKNOWN, Basis.ESTIMATED]


def test_cache_marks_change_no_digest():
    marked = {"name": "search", "cache_control": {"type": "ephemeral"}}
    (one,), (other,) = (schemas([tool]) for tool in (marked, {"name": "search"}))

    assert (one.mark, other.mark) == ('{"type":"ephemeral"}', "")
    assert measured([one]) == measured([other])


def test_half_a_surrogate_pair_is_counted():
    assert segments({"messages": [{"role": "user", "content": "a \ud83d"}]})[0].tokens > 0


def test_half_a_surrogate_pair_in_a_tools_name_is_replaced_as_no_store_takes_it():
    asked = {"role": "assistant", "tool_calls": [{"function": {"name": "find\ud83d", "arguments": "{}"}}]}

    assert segments({"messages": [asked]})[0].tool == "find?"


NAMES = """role content type parts tool_calls function name id text input source system tool tool_use tool_result image
document user assistant functionCall data thinking"""
WORDS = st.sampled_from(NAMES.split())
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=5),
    max_leaves=20,
)


@given(messages=ANYTHING, tools=ANYTHING, system=ANYTHING)
def test_no_shape_of_messages_raises(messages, tools, system):
    found = measured(context_blocks(messages, tools, system))

    assert all(part.tokens >= 0 for part in found)


def test_the_order_and_the_writing_of_arguments_do_not_matter_to_the_detail():
    def detail(name, arguments):
        call = {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": name, "arguments": arguments}}]}
        (found,) = measured(messages_blocks([call]))
        return found.detail

    assert detail("search", '{"limit": 3, "query": "cats"}') == detail("search", SEARCH)
    assert detail("search", SEARCH) != detail("find", SEARCH)
