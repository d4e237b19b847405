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


@pytest.mark.parametrize("body", [b"<html>", b'{"type":"error"}'])
def test_what_has_no_counterpart_is_an_error_of_the_upstream(body):
    with pytest.raises(DialectError) as refused:
        FOR_OPENAI.reply(body, CREATED)
    assert (refused.value.status, refused.value.kind) == (502, "untranslatable_reply")


SEARCHED = (
    {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "tide"}},
    {"type": "web_search_tool_result", "tool_use_id": "s1", "content": []},
    {
        "type": "text",
        "text": "At noon.",
        "citations": [{"type": "web_search_result_location", "url": "https://e.com", "title": "Tides"}],
    },
)


def events(*blocks, stop="end_turn"):
    """A stream of these blocks, each begun empty and filled by one delta."""
    head = {"id": "m", "model": "claude", "type": "message", "usage": {"input_tokens": 5, "output_tokens": 1}}
    out = [{"type": "message_start", "message": head}]
    for index, block in enumerate(blocks):
        text, written = block.get("text", ""), block.get("input")
        hollow = {**block, "text": ""} if text else {**block, "input": {}} if written is not None else block
        out.append({"type": "content_block_start", "index": index, "content_block": hollow})
        if text:
            deltas = [{"type": "text_delta", "text": text}]
            deltas += [{"type": "citations_delta", "citation": one} for one in block.get("citations", ())]
        else:
            part = msgspec.json.encode(written).decode() if written is not None else ""
            deltas = [{"type": "input_json_delta", "partial_json": part}]
        out += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        out.append({"type": "content_block_stop", "index": index})
    out.append({"type": "message_delta", "delta": {"stop_reason": stop}, "usage": {"output_tokens": 9}})
    return b"".join(b"data: %b\n\n" % msgspec.json.encode(event) for event in [*out, {"type": "message_stop"}])


def test_what_the_provider_searched_is_passed_over_and_its_sources_are_named():
    whole = openai_reads(FOR_OPENAI.reply(message(*SEARCHED), CREATED)).choices[0].message
    streamed_message = openai_reads(streamed(FOR_OPENAI, events(*SEARCHED)), stream_options={}).choices[0].message
    assert whole.content == streamed_message.content == "At noon."
    assert whole.annotations[0].url_citation.url == "https://e.com"
    assert whole.tool_calls is None
    assert not streamed_message.tool_calls


def test_the_tool_by_which_an_older_model_answers_is_the_answer():
    block = {"type": "tool_use", "id": "t", "name": "json_answer", "input": {"city": "Kiel"}}
    whole = openai_reads(FOR_OPENAI.reply(message(block, stop_reason="tool_use"), CREATED)).choices[0]
    parts = openai_reads(streamed(FOR_OPENAI, events(block, stop="tool_use")), stream_options={}).choices[0]
    for choice in (whole, parts):
        assert (choice.message.content, choice.finish_reason) == ('{"city":"Kiel"}', "stop")


def test_a_tool_that_takes_a_text_gets_its_text():
    block = {"type": "tool_use", "id": "t", "name": "apply_patch", "input": {"input": "*** Begin"}}
    custom = frozenset({"apply_patch"})
    (call,) = msgspec.json.decode(FOR_OPENAI.reply(message(block), CREATED, custom))["choices"][0]["message"][
        "tool_calls"
    ]
    assert call == {"id": "t", "type": "custom", "custom": {"name": "apply_patch", "input": "*** Begin"}}
    stream = FOR_OPENAI.stream(usage_asked=False, created=CREATED, custom_tools=custom)
    assert b'"custom":{"name":"apply_patch","input":"*** Begin"}' in stream.feed(events(block, stop="tool_use"))
