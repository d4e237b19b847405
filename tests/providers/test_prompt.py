import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.providers.dialects import DIALECTS
from modicum.providers.prompt import GO_ON
from providers.prompt_rig import prompt


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
    assert prompt(dialect, **fields).why_not == why


@pytest.mark.parametrize("body", [b"", b"[]", b'{"messages": [1, null, {"content": {}}]}', b'{"messages": "x"}'])
def test_odd_requests_are_taken_apart_as_far_as_they_go(body):
    for dialect in ("openai-chat", "anthropic-messages", "openai-responses"):
        found = DIALECTS[dialect].prompt(body)
        assert found is None or found.with_only(found.units[:0]) is None
    assert DIALECTS["gemini-generate"].prompt(b"{}") is None


roles = st.sampled_from(["system", "user", "assistant"])


@given(st.lists(st.tuples(roles, st.text(max_size=5)), max_size=8), st.data())
def test_what_stays_is_what_was_there_and_something_always_stays(messages, data):
    dialect = data.draw(st.sampled_from(["openai-chat", "anthropic-messages", "openai-responses"]))
    place = "input" if dialect == "openai-responses" else "messages"
    asked = [{"role": role, "content": content} for role, content in messages]
    found = prompt(dialect, **{place: asked})
    kept = [unit for unit in found.units if data.draw(st.booleans())]

    body = found.with_only(kept)

    if body is not None:
        left = json.loads(body)[place]
        assert any(message["role"] != "system" for message in left)
        assert [message for message in left if message["content"] != GO_ON] == [
            asked[unit.message] for unit in kept if asked[unit.message]["content"] != GO_ON
        ]
