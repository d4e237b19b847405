"""Replies of Anthropic, read by OpenAI's official client."""

import msgspec
import openai
import pytest

from modicum.providers.facts import DialectError
from providers.translation.rig import CREATED, FOR_OPENAI, openai_reads, streamed, upstream


def test_a_message_of_anthropic_read_by_openais_client():
    read = openai_reads(FOR_OPENAI.reply(upstream("cached.json", "anthropic-messages"), CREATED))
    assert (read.id, read.model, read.created) == ("msg_01X", "claude-sonnet-4-5-20250929", CREATED)
    assert read.choices[0].message.content == "Blue."
    assert read.choices[0].message.reasoning_content == "Hm."
    assert read.choices[0].finish_reason == "stop"
    assert (read.usage.prompt_tokens, read.usage.completion_tokens) == (23012, 95)
    assert read.usage.prompt_tokens_details.cached_tokens == 20000
    assert read.usage.prompt_tokens_details.cache_write_tokens == 3000


def test_a_stream_of_anthropic_read_by_openais_client():
    body = streamed(FOR_OPENAI, upstream("tool_use.sse", "anthropic-messages"))
    read = openai_reads(body, stream_options={"include_usage": True})
    message = read.choices[0].message
    assert message.content == 'Blue "message_stop" 🌊'
    assert message.tool_calls[0].function.name == "tide"
    assert message.tool_calls[0].function.arguments == '{"at": "Kiel"}'
    assert message.thinking_blocks[0]["signature"] == "EqQB"
    assert read.choices[0].finish_reason == "tool_calls"
    assert (read.usage.prompt_tokens, read.usage.prompt_tokens_details.cached_tokens) == (23012, 20000)


def test_usage_is_in_a_stream_only_if_it_was_asked_for():
    source = upstream("tool_use.sse", "anthropic-messages")
    body = streamed(FOR_OPENAI, source, usage_asked=False)
    assert b"usage" not in body
    assert body.endswith(b"data: [DONE]\n\n")
    assert openai_reads(body, stream_options={}).usage is None


def test_a_stream_that_broke_off_gets_no_regular_end():
    assert b"[DONE]" not in streamed(FOR_OPENAI, upstream("broken_off.sse", "anthropic-messages"))


def test_an_error_in_a_stream_reaches_the_caller():
    with pytest.raises(openai.APIError, match="Overloaded"):
        openai_reads(streamed(FOR_OPENAI, upstream("error_event.sse", "anthropic-messages")), stream_options={})


def message(*content, **more):
    return msgspec.json.encode({"type": "message", "id": "m", "model": "claude", "content": content, **more})


@pytest.mark.parametrize(
    ("reason", "finish"),
    [("end_turn", "stop"), ("stop_sequence", "stop"), ("max_tokens", "length"), ("refusal", "content_filter")],
)
def test_why_a_reply_ended_is_in_openais_words(reason, finish):
    read = openai_reads(FOR_OPENAI.reply(message({"type": "text", "text": "hi"}, stop_reason=reason), CREATED))

    assert (read.choices[0].message.content, read.choices[0].finish_reason) == ("hi", finish)


def test_usage_that_nobody_counted_is_absent_and_not_zero():
    assert openai_reads(FOR_OPENAI.reply(message({"type": "text", "text": "hi"}), CREATED)).usage is None


def test_a_call_without_arguments_gets_an_empty_object():
    read = openai_reads(FOR_OPENAI.reply(message({"type": "tool_use", "id": "1", "name": "tide"}), CREATED))

    (call,) = read.choices[0].message.tool_calls
    assert (call.function.name, call.function.arguments) == ("tide", "{}")


@pytest.mark.parametrize("body", [b"<html>", b'{"type":"error"}', message({"type": "web_search_tool_result"})])
def test_what_has_no_counterpart_is_an_error_of_the_upstream(body):
    with pytest.raises(DialectError) as refused:
        FOR_OPENAI.reply(body, CREATED)
    assert (refused.value.status, refused.value.kind) == (502, "untranslatable_reply")


def test_a_block_without_counterpart_ends_a_stream_with_an_error():
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "web_search_tool_result"}}
    body = streamed(FOR_OPENAI, b"data: %b\n\n" % msgspec.json.encode(block))

    assert b"a block of type web_search_tool_result has no counterpart" in body
    assert b"[DONE]" not in body
