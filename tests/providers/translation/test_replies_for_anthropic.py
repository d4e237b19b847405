"""Replies of OpenAI, read by Anthropic's official client."""

import anthropic
import msgspec
import pytest

from modicum.providers.facts import DialectError
from providers.translation.rig import CREATED, FOR_ANTHROPIC, anthropic_reads, streamed, upstream


def test_a_completion_of_openai_read_by_anthropics_client():
    read = anthropic_reads(FOR_ANTHROPIC.reply(upstream("tool_calls.json", "openai-chat"), CREATED))
    assert [(block.type, block.id, block.input) for block in read.content] == [
        ("tool_use", "call_1", {"city": "Kiel"}),
        ("tool_use", "call_2", {"city": "Ulm"}),
    ]
    assert read.stop_reason == "tool_use"
    cached = anthropic_reads(FOR_ANTHROPIC.reply(upstream("cached.json", "openai-chat"), CREATED))
    assert cached.content[0].text == "Blau, wie das Meer."
    assert (cached.usage.input_tokens, cached.usage.cache_read_input_tokens) == (476, 1024)
    assert (cached.usage.output_tokens, cached.usage.output_tokens_details.thinking_tokens) == (140, 128)


def chunk(delta, finish=None):
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return b"data: %b\n\n" % msgspec.json.encode({"id": "c1", "model": "gpt-5", "choices": [choice]})


def call(index, **fields):
    return {"tool_calls": [{"index": index, **fields}]}


PARALLEL = b"".join(
    (
        chunk({"role": "assistant", "reasoning_content": "Two places."}),
        chunk({"content": "I look."}),
        chunk(call(0, id="a", type="function", function={"name": "tide", "arguments": ""})),
        chunk(call(0, function={"arguments": '{"at":'})),
        chunk(call(0, function={"arguments": '"Kiel"}'})),
        chunk(call(1, id="b", type="function", function={"name": "tide", "arguments": '{"at":"Ulm"}'})),
        chunk({}, "tool_calls"),
    )
)


USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":90,"completion_tokens":30,"total_tokens":120}}\n\n'


def test_a_stream_of_openai_read_by_anthropics_client():
    read = anthropic_reads(streamed(FOR_ANTHROPIC, PARALLEL + USAGE + b"data: [DONE]\n\n"), stream=True)
    assert [block.type for block in read.content] == ["thinking", "text", "tool_use", "tool_use"]
    assert [block.input for block in read.content[2:]] == [{"at": "Kiel"}, {"at": "Ulm"}]
    assert (read.id, read.stop_reason) == ("c1", "tool_use")
    assert (read.usage.input_tokens, read.usage.output_tokens) == (90, 30)


@pytest.mark.parametrize("end", [b"", b"data: [DONE]\n\n", USAGE])
def test_hosts_end_their_streams_in_several_ways(end):
    body = streamed(FOR_ANTHROPIC, PARALLEL + end)
    assert body.count(b"event: message_stop\n") == 1
    assert body.endswith(b'data: {"type":"message_stop"}\n\n')


def in_turns(*parts):
    begun = [chunk(call(place, id=f"c{place}", function={"name": "tide", "arguments": ""})) for place in range(3)]
    grown = [chunk(call(place, function={"arguments": part})) for place, part in parts]
    return b"".join([*begun, *grown, chunk({}, "tool_calls")]) + USAGE


def test_parts_of_parallel_tool_calls_that_come_in_turns_become_one_block_after_the_other():
    parts = ((0, '{"at":'), (2, "{"), (1, '{"at":"Ulm"}'), (0, '"Kiel"}'), (2, "}"))
    read = anthropic_reads(streamed(FOR_ANTHROPIC, in_turns(*parts)), stream=True)
    assert [(block.id, block.input) for block in read.content] == [
        ("c0", {"at": "Kiel"}),
        ("c1", {"at": "Ulm"}),
        ("c2", {}),
    ]


def test_a_call_that_goes_on_behind_its_end_ends_the_stream_with_an_error():
    body = streamed(FOR_ANTHROPIC, in_turns((0, "{}"), (1, "{}"), (0, " "), (2, "{}"), (0, "1")))
    assert body.endswith(b'a tool call goes on behind its end"}}\n\n')
    with pytest.raises(anthropic.APIStatusError):
        anthropic_reads(body, stream=True)


@pytest.mark.parametrize("name", ["broken_off.sse", "tool_calls_broken_off.sse"])
def test_a_stream_that_broke_off_gets_no_regular_end(name):
    assert b"message_stop" not in streamed(FOR_ANTHROPIC, upstream(name, "openai-chat"))


def test_an_error_in_a_stream_reaches_the_caller():
    with pytest.raises(anthropic.APIStatusError, match="The server had an error"):
        anthropic_reads(streamed(FOR_ANTHROPIC, upstream("error_event.sse", "openai-chat")), stream=True)


@pytest.mark.parametrize(("finish", "reason"), [("stop", "end_turn"), ("length", "max_tokens"), ("odd", "end_turn")])
def test_why_a_reply_ended_is_in_anthropics_words(finish, reason):
    body = msgspec.json.encode({"choices": [{"message": {"content": "hi"}, "finish_reason": finish}]})

    assert anthropic_reads(FOR_ANTHROPIC.reply(body, CREATED)).stop_reason == reason


def test_a_refusal_is_the_text_and_the_reason():
    body = msgspec.json.encode({"choices": [{"message": {"refusal": "I cannot."}, "finish_reason": "stop"}]})

    read = anthropic_reads(FOR_ANTHROPIC.reply(body, CREATED))
    assert (read.content[0].text, read.stop_reason) == ("I cannot.", "refusal")


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ({"audio": {"data": "AAAA"}}, "'audio' have no counterpart"),
        ({"tool_calls": [{"id": "1", "function": {}}]}, "names no function"),
        ({"tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "[1]"}}]}, "no JSON object"),
    ],
)
def test_what_has_no_counterpart_is_an_error_of_the_upstream(message, why):
    body = msgspec.json.encode({"choices": [{"message": message}]})

    with pytest.raises(DialectError, match=why) as refused:
        FOR_ANTHROPIC.reply(body, CREATED)
    assert refused.value.status == 502


@pytest.mark.parametrize(
    ("body", "why"),
    [(b"<html>", "not JSON"), (b"{}", "not hold one choice"), (b'{"choices":[{},{}]}', "not hold one choice")],
)
def test_a_reply_must_be_json_with_one_choice(body, why):
    with pytest.raises(DialectError, match=why):
        FOR_ANTHROPIC.reply(body, CREATED)
