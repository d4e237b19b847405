import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.calls.change import Change, DoesNotFit
from modicum.providers.dialects import DIALECTS
from modicum.providers.prompt import GO_ON
from providers.prompt_rig import only, prompt


@pytest.mark.parametrize(
    ("dialect", "fields", "why"),
    [
        ("openai-chat", {"response_format": {"type": "json_schema"}}, "it wants structured output"),
        ("openai-chat", {"response_format": {"type": "text"}, "tool_choice": "none", "n": 1}, ""),
        ("openai-chat", {"tool_choice": {"type": "function", "function": {"name": "f"}}}, "it wants a tool call"),
        ("openai-chat", {"modalities": ["text", "audio"]}, "it wants more than text"),
        ("openai-chat", {"modalities": ["text"], "tool_choice": "auto"}, ""),
        ("anthropic-messages", {"tool_choice": {"type": "any"}}, "it wants a tool call"),
        ("anthropic-messages", {"tool_choice": {"type": "auto"}}, ""),
        ("anthropic-messages", {"output_config": {"format": {"type": "json_schema"}}}, "it wants structured output"),
        (
            "gemini-generate",
            {"generationConfig": {"responseMimeType": "application/json"}},
            "it wants structured output",
        ),
        ("gemini-generate", {"generation_config": {"candidate_count": 2}}, "it wants several choices"),
        ("gemini-generate", {"generationConfig": {"responseModalities": ["IMAGE"]}}, "it wants more than text"),
        ("gemini-generate", {"toolConfig": {"functionCallingConfig": {"mode": "ANY"}}}, "it wants a tool call"),
        ("gemini-generate", {"toolConfig": {"functionCallingConfig": {"mode": "AUTO"}}}, ""),
        ("openai-responses", {}, "its reply is to be kept by the provider (store)"),
        ("openai-responses", {"store": False}, ""),
        (
            "openai-responses",
            {"store": False, "text": {"format": {"type": "json_object"}}},
            "it wants structured output",
        ),
        ("openai-responses", {"store": False, "previous_response_id": "r"}, "its conversation is kept by the provider"),
        ("openai-responses", {"store": False, "tool_choice": "required"}, "it wants a tool call"),
    ],
)
def test_who_can_take_a_plain_text(dialect, fields, why):
    assert prompt(dialect, **fields).why_no_text == why


@pytest.mark.parametrize("body", [b"", b"[]", b'{"messages": [1, null, {"content": {}}]}', b'{"messages": "x"}'])
def test_odd_requests_are_taken_apart_as_far_as_they_go(body):
    for dialect in ("openai-chat", "anthropic-messages", "openai-responses", "gemini-generate"):
        found = DIALECTS[dialect].prompt(body)
        assert not found.is_known or not found.units or only(found, []) is None
    assert DIALECTS["openai-embeddings"].prompt(b"{}") is None


roles = st.sampled_from(["system", "user", "assistant"])


@given(st.lists(st.tuples(roles, st.text(max_size=5)), max_size=8), st.data())
def test_what_stays_is_what_was_there_and_something_always_stays(messages, data):
    dialect = data.draw(st.sampled_from(["openai-chat", "anthropic-messages", "openai-responses"]))
    place = "input" if dialect == "openai-responses" else "messages"
    asked = [{"role": role, "content": content} for role, content in messages]
    found = prompt(dialect, **{place: asked})
    kept = [unit for unit in found.units if data.draw(st.booleans())]

    body = only(found, kept)

    if body is not None and len(kept) < len(found.units):
        left = json.loads(body)[place]
        assert any(message["role"] != "system" for message in left)
        assert [message for message in left if message["content"] != GO_ON] == [
            asked[unit.place] for unit in kept if asked[unit.place]["content"] != GO_ON
        ]


TALKS = {
    "openai-chat": {
        "tools": [
            {"type": "function", "function": {"name": "search"}},
            {"type": "function", "function": {"name": "f"}},
        ],
        "messages": [
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "name": "ann"},
            {
                "role": "assistant",
                "tool_calls": [
                    {"id": "c", "type": "function", "function": {"name": "search", "arguments": '{"q": 1}'}}
                ],
            },
            {"role": "tool", "tool_call_id": "c", "content": "found"},
        ],
    },
    "anthropic-messages": {
        "tools": [{"name": "search"}, {"name": "f"}],
        "system": [{"type": "text", "text": "be brief", "cache_control": {"type": "ephemeral"}}],
        "messages": [
            {"role": "user", "content": [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "c", "name": "search", "input": {"q": 1}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": "found"}]},
        ],
    },
    "openai-responses": {
        "tools": [{"type": "function", "name": "search"}, {"type": "function", "name": "f"}],
        "instructions": "be brief",
        "input": [
            {"role": "user", "content": [{"type": "input_text", "text": "a"}]},
            {"type": "function_call", "call_id": "c", "name": "search", "arguments": '{"q": 1}'},
            {"type": "function_call_output", "call_id": "c", "output": "found"},
        ],
    },
    "gemini-generate": {
        "tools": [{"functionDeclarations": [{"name": "search"}, {"name": "f"}]}],
        "systemInstruction": {"parts": [{"text": "be brief"}]},
        "contents": [
            {"role": "user", "parts": [{"text": "a"}]},
            {
                "role": "model",
                "parts": [{"functionCall": {"name": "search", "args": {"q": 1}}, "thoughtSignature": "c2ln"}],
            },
            {"role": "user", "parts": [{"functionResponse": {"name": "search", "response": {"output": "found"}}}]},
        ],
    },
}
FIRST_TOOL = {name: talk["tools"][:1] for name, talk in TALKS.items()} | {
    "gemini-generate": [{"functionDeclarations": [{"name": "search"}]}]
}
KINDS = ["tool_schema", "tool_schema", "system", "user", "tool_call", "tool_result"]
every_talk = pytest.mark.parametrize("dialect", TALKS)


@every_talk
def test_all_dialects_take_a_request_apart_alike(dialect):
    found = prompt(dialect, **TALKS[dialect])

    assert [unit.kind.value for unit in found.units] == KINDS
    assert [unit.tool for unit in found.units] == ["search", "f", "", "", "search", "search"]
    assert (found.system, found.units[5].text, found.holds_text) == ("be brief", "found", True)
    assert found.units[4].detail == found.units[5].detail != b""
    assert {unit.detail for unit in found.units[:4]} == {b""}
    assert found.units[0].digest != found.units[1].digest
    assert all(unit.tokens > 0 for unit in found.units)


@every_talk
def test_texts_are_replaced_in_the_form_that_they_have(dialect):
    found = prompt(dialect, **TALKS[dialect])
    body = json.loads(found.write(Change(replaced={2: "terse", 3: "c", 5: "none"})))
    again = prompt(dialect, **body)

    assert [again.units[place].text for place in (2, 3, 5)] == ["terse", "c", "none"]
    assert [unit.kind.value for unit in again.units] == KINDS
    assert body["tools"] == TALKS[dialect]["tools"]
    if dialect == "anthropic-messages":
        assert body["messages"][0]["content"][0] == {
            "type": "text",
            "text": "c",
            "cache_control": {"type": "ephemeral"},
        }


@every_talk
def test_tools_and_instructions_go_out_too(dialect):
    found = prompt(dialect, **TALKS[dialect])

    one = json.loads(found.write(Change(left_out=frozenset({1}))))
    assert one == {"model": "m", **TALKS[dialect], "tools": FIRST_TOOL[dialect]}
    none = prompt(dialect, **json.loads(found.write(Change(left_out=frozenset({0, 1, 2})))))
    assert [unit.kind.value for unit in none.units] == KINDS[3:]


@every_talk
@pytest.mark.parametrize(
    ("change", "why"),
    [
        (Change(left_out=frozenset({4})), "go or stay together"),
        (Change(left_out=frozenset({5})), "go or stay together"),
        (Change(replaced={4: "x"}), "more than text"),
        (Change(left_out=frozenset({3, 4, 5})), "nothing would be left"),
    ],
)
def test_what_no_provider_would_take_does_not_fit(dialect, change, why):
    with pytest.raises(DoesNotFit, match=why):
        prompt(dialect, **TALKS[dialect]).write(change)


@pytest.mark.parametrize(
    ("dialect", "asked", "written"),
    [
        ("openai-chat", {}, {"max_completion_tokens": 100, "reasoning_effort": "low"}),
        ("openai-chat", {"max_tokens": 500}, {"max_tokens": 100, "reasoning_effort": "low"}),
        ("openai-chat", {"max_tokens": 50}, {"max_tokens": 50, "reasoning_effort": "low"}),
        ("anthropic-messages", {"max_tokens": 500}, {"max_tokens": 100, "output_config": {"effort": "low"}}),
        (
            "openai-responses",
            {"reasoning": {"summary": "auto", "effort": "high"}},
            {"max_output_tokens": 100, "reasoning": {"summary": "auto", "effort": "low"}},
        ),
        (
            "gemini-generate",
            {"generation_config": {"max_output_tokens": 500, "temperature": 1}},
            {"generation_config": {"max_output_tokens": 100, "temperature": 1}},
        ),
        ("gemini-generate", {}, {"generationConfig": {"maxOutputTokens": 100}}),
    ],
)
def test_a_cap_only_lowers_and_effort_stands_where_its_api_has_it(dialect, asked, written):
    places = {"openai-responses": "input", "gemini-generate": "contents"}
    messages = {places.get(dialect, "messages"): [{"role": "user", "content": "hi"}]}
    effort = "" if dialect == "gemini-generate" else "low"
    if dialect == "gemini-generate":
        messages = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}
    body = prompt(dialect, **messages, **asked).write(Change(most_output_tokens=100, effort=effort))

    assert json.loads(body) == {"model": "m", **messages, **written}


def test_the_mark_for_the_cache_on_a_part_of_a_result_stays_when_its_text_is_replaced():
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b", "cache_control": {"type": "ephemeral"}}]
    result = {"type": "tool_result", "tool_use_id": "c", "content": parts}
    call = {"type": "tool_use", "id": "c", "name": "search", "input": {}}
    messages = [{"role": "user", "content": "go"}, {"role": "assistant", "content": [call]}]
    found = prompt("anthropic-messages", messages=[*messages, {"role": "user", "content": [result]}])

    written = json.loads(found.write(Change(replaced={2: "short"})))

    assert written["messages"][2]["content"][0]["content"] == [
        {"type": "text", "text": "short", "cache_control": {"type": "ephemeral"}}
    ]
