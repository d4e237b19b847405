"""Replies of Claude and Gemini, read as responses by OpenAI's official client."""

import msgspec
import openai
import pytest

from modicum.providers.facts import DialectError
from modicum.providers.translation.kept_thinking import opened
from modicum.providers.translation.replies_for_responses import StreamForResponses, reply
from modicum.providers.translation.translations import TRANSLATIONS
from providers.translation.rig import CREATED, client, streamed, upstream

FROM_CLAUDE = TRANSLATIONS["openai-responses", "anthropic-messages"]
FROM_GEMINI = TRANSLATIONS["openai-responses", "gemini-generate"]


def reads(body, *, stream=False):
    with client(body, openai.OpenAI) as official:
        if not stream:
            return official.responses.create(model="m", input="hi")
        with official.responses.stream(model="m", input="hi") as events:
            list(events)
            return events.get_final_response()


def chunk(delta, finish=None):
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: %b\n\n" % msgspec.json.encode({"id": "chatcmpl-1", "model": "m", "choices": [choice]})


USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12}}\n\n'
THOUGHT = {"type": "thinking", "thinking": "Hm.", "signature": "EqQB"}
CALL = {"index": 0, "id": "c1", "type": "function", "function": {"name": "tide", "arguments": '{"at":'}}
PATCH = {"index": 1, "id": "c2", "type": "custom", "custom": {"name": "apply_patch", "input": "*** Begin"}}
TURN = (
    chunk({"role": "assistant", "content": ""}),
    chunk({"reasoning_content": "Hm."}),
    chunk({"thinking_blocks": [THOUGHT]}),
    chunk({"content": "I "}),
    chunk({"content": "look."}),
    chunk({"annotations": [{"type": "url_citation", "url_citation": {"url": "https://e.com", "title": "t"}}]}),
    chunk({"tool_calls": [CALL]}),
    chunk({"tool_calls": [{"index": 0, "function": {"arguments": '"Kiel"}'}}]}),
    chunk({"tool_calls": [PATCH]}),
    chunk({}, "tool_calls"),
    USAGE,
    b"data: [DONE]\n\n",
)


def test_a_turn_as_a_stream():
    translation = StreamForResponses(created=CREATED)
    response = reads(b"".join([*map(translation.feed, TURN), translation.end()]), stream=True)
    assert [item.type for item in response.output] == ["reasoning", "message", "function_call", "custom_tool_call"]
    thought, message, call, patch = response.output
    assert (thought.summary[0].text, opened(thought.encrypted_content)) == ("Hm.", [THOUGHT])
    assert (message.content[0].text, message.content[0].annotations[0].url) == ("I look.", "https://e.com")
    assert (call.call_id, call.arguments, patch.input) == ("c1", '{"at":"Kiel"}', "*** Begin")
    assert (response.status, response.usage.input_tokens, response.usage.output_tokens) == ("completed", 9, 3)
    assert response.id == "resp_1"


def test_a_turn_in_one_piece():
    function = {"name": "tide", "arguments": "{}"}
    message = {
        "content": "I look.",
        "reasoning_content": "Hm.",
        "thinking_blocks": [THOUGHT],
        "tool_calls": [{"id": "c1", "type": "function", "function": function}, {**PATCH, "index": None}],
    }
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls"}
    response = reads(reply(msgspec.json.encode({"id": "chatcmpl-1", "model": "m", "choices": [choice]}), CREATED))
    assert [item.type for item in response.output] == ["reasoning", "message", "function_call", "custom_tool_call"]
    assert response.output_text == "I look."
    assert response.usage is None


@pytest.mark.parametrize(
    ("finish", "status", "reason"),
    [
        ("stop", "completed", None),
        ("length", "incomplete", "max_output_tokens"),
        ("content_filter", "incomplete", "content_filter"),
    ],
)
def test_why_a_reply_ended(finish, status, reason):
    choice = {"message": {"refusal": "I cannot."}, "finish_reason": finish}
    response = reads(reply(msgspec.json.encode({"choices": [choice]}), CREATED))
    assert (response.status, getattr(response.incomplete_details, "reason", None)) == (status, reason)
    assert response.output[0].content[0].refusal == "I cannot."


def test_recorded_replies_of_both():
    claude = reads(streamed(FROM_CLAUDE, upstream("tool_use.sse", "anthropic-messages")), stream=True)
    assert claude.output[-1].type == "function_call"
    gemini = reads(streamed(FROM_GEMINI, upstream("stream.sse", "gemini-generate")), stream=True)
    assert gemini.output_text.startswith("Blau wie")
    assert gemini.usage.output_tokens == 320
    assert gemini.usage.input_tokens_details.cached_tokens == 1000


def test_an_error_in_a_stream_and_one_that_broke_off():
    broken = streamed(FROM_CLAUDE, upstream("broken_off.sse", "anthropic-messages"))
    assert b"response.completed" not in broken
    error = streamed(FROM_CLAUDE, upstream("error_event.sse", "anthropic-messages"))
    assert error.count(b"event: error") == 1


@pytest.mark.parametrize(
    ("delta", "why"),
    [({"tool_calls": [{"index": 0, "function": {"arguments": "{}"}}]}, b"names no function")],
)
def test_what_cannot_be_translated_ends_the_stream(delta, why):
    out = StreamForResponses(created=CREATED).feed(chunk(delta))
    assert why in out
    assert b"event: error" in out


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"choices":[{},{}]}'])
def test_what_is_no_reply_is_an_error_of_the_upstream(body):
    with pytest.raises(DialectError) as refused:
        reply(body, CREATED)
    assert refused.value.status == 502
