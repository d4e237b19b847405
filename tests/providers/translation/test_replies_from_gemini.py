"""Replies of Gemini, read by the official clients of OpenAI and Anthropic."""

import msgspec
import pytest

from modicum.providers.facts import DialectError
from modicum.providers.translation.thought_signatures import id_and_signature
from modicum.providers.translation.translations import TRANSLATIONS
from providers.translation.rig import CREATED, anthropic_reads, openai_reads, streamed, upstream

FOR_OPENAI = TRANSLATIONS["openai-chat", "gemini-generate"]
FOR_ANTHROPIC = TRANSLATIONS["anthropic-messages", "gemini-generate"]


def answered(*parts, finish="STOP", **more):
    candidate = {"content": {"role": "model", "parts": list(parts)}, "finishReason": finish, "index": 0}
    usage = {"promptTokenCount": 10, "candidatesTokenCount": 5, "thoughtsTokenCount": 3, "totalTokenCount": 18}
    return {"candidates": [candidate], "usageMetadata": usage, "modelVersion": "gemini-3", "responseId": "r-1", **more}


def body(*parts, **more):
    return msgspec.json.encode(answered(*parts, **more))


def events(*answers):
    return b"".join(b"data: %b\r\n\r\n" % msgspec.json.encode(answer) for answer in answers)


CALLS = (
    {"text": "Hm.", "thought": True},
    {"text": "I look."},
    {"functionCall": {"name": "tide", "args": {"at": "Kiel"}}, "thoughtSignature": "c2ln"},
    {"functionCall": {"name": "tide", "args": {"at": "Ulm"}}},
)


def test_calls_of_tools_in_one_piece_and_as_a_stream():
    whole = openai_reads(FOR_OPENAI.reply(body(*CALLS), CREATED))
    parts = openai_reads(streamed(FOR_OPENAI, events(answered(*CALLS))), stream_options={"include_usage": True})
    for read in (whole, parts):
        choice = read.choices[0]
        assert (choice.message.content, choice.finish_reason) == ("I look.", "tool_calls")
        assert [call.function.arguments for call in choice.message.tool_calls] == ['{"at":"Kiel"}', '{"at":"Ulm"}']
        assert id_and_signature(choice.message.tool_calls[0].id) == ("call_r1_0", "c2ln")
        assert (read.usage.prompt_tokens, read.usage.completion_tokens) == (10, 8)
    assert whole.choices[0].message.reasoning_content == "Hm."


def test_the_same_for_a_client_of_anthropics():
    for read in (
        anthropic_reads(FOR_ANTHROPIC.reply(body(*CALLS), CREATED)),
        anthropic_reads(streamed(FOR_ANTHROPIC, events(answered(*CALLS))), stream=True),
    ):
        assert [block.type for block in read.content] == ["thinking", "text", "tool_use", "tool_use"]
        assert read.content[3].input == {"at": "Ulm"}
        assert (read.stop_reason, read.usage.input_tokens, read.usage.output_tokens) == ("tool_use", 10, 8)


@pytest.mark.parametrize(
    ("finish", "reason"),
    [("STOP", "stop"), ("MAX_TOKENS", "length"), ("SAFETY", "content_filter"), ("BRAND_NEW", "stop")],
)
def test_why_a_reply_ended_is_in_openais_words(finish, reason):
    read = openai_reads(FOR_OPENAI.reply(body({"text": "hi"}, finish=finish), CREATED))
    assert read.choices[0].finish_reason == reason


def test_a_prompt_that_was_blocked_is_a_refusal():
    blocked = upstream("blocked.json", "gemini-generate")
    choice = openai_reads(FOR_OPENAI.reply(blocked, CREATED)).choices[0]
    assert choice.finish_reason == "content_filter"
    assert choice.message.refusal.startswith("The provider withheld the answer")
    assert anthropic_reads(FOR_ANTHROPIC.reply(blocked, CREATED)).stop_reason == "refusal"


def test_sources_and_pictures():
    web = {"groundingChunks": [{"web": {"uri": "https://e.com", "title": "Tides"}}]}
    reply = answered({"text": "Noon."}, {"inlineData": {"mimeType": "image/png", "data": "iVBO"}})
    reply["candidates"][0]["groundingMetadata"] = web
    message = openai_reads(FOR_OPENAI.reply(msgspec.json.encode(reply), CREATED)).choices[0].message
    assert message.annotations[0].url_citation.url == "https://e.com"
    assert message.images[0]["image_url"]["url"] == "data:image/png;base64,iVBO"


def test_two_candidates_are_two_choices():
    reply = answered({"text": "a"})
    reply["candidates"].append({"content": {"parts": [{"text": "b"}]}, "finishReason": "STOP", "index": 1})
    read = openai_reads(FOR_OPENAI.reply(msgspec.json.encode(reply), CREATED))
    assert [choice.message.content for choice in read.choices] == ["a", "b"]
    parts = openai_reads(streamed(FOR_OPENAI, events(reply)), stream_options={})
    assert [choice.message.content for choice in parts.choices] == ["a", "b"]


def test_a_stream_that_broke_off_gets_no_regular_end():
    assert b"[DONE]" not in streamed(FOR_OPENAI, upstream("broken_off.sse", "gemini-generate"))
    assert b"message_stop" not in streamed(FOR_ANTHROPIC, upstream("broken_off.sse", "gemini-generate"))
    assert b'"error"' in streamed(FOR_OPENAI, upstream("error_event.sse", "gemini-generate"))


@pytest.mark.parametrize("broken", [b"<html>", b"{}", body({"functionCall": {"args": {}}})])
def test_what_is_no_reply_is_an_error_of_the_upstream(broken):
    with pytest.raises(DialectError) as refused:
        FOR_OPENAI.reply(broken, CREATED)
    assert refused.value.status == 502
