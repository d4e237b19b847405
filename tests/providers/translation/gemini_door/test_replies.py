import json

import pytest
from google.genai import types

from modicum.providers.facts import DialectError
from modicum.providers.translation.gemini_door.replies import StreamForGemini, reply
from modicum.providers.translation.translations import TRANSLATIONS

USAGE = {"prompt_tokens": 10, "completion_tokens": 8, "total_tokens": 18}
USAGE |= {"prompt_tokens_details": {"cached_tokens": 4}, "completion_tokens_details": {"reasoning_tokens": 3}}
HEAD = {"id": "chatcmpl-1", "model": "gpt-5"}


def whole(*choices, **more):
    return json.loads(reply(json.dumps({**HEAD, "choices": list(choices), **more}).encode(), 0))


def choice(message, finish="stop", index=0):
    return {"index": index, "message": message, "finish_reason": finish}


def chunks(*deltas, finish="stop", usage=USAGE, done=True):
    documents = [{**HEAD, "choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    if finish:
        documents.append({**HEAD, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    if usage:
        documents.append({**HEAD, "choices": [], "usage": usage})
    raw = b"".join(b"data: %b\n\n" % json.dumps(document).encode() for document in documents)
    return raw + (b"data: [DONE]\n\n" if done else b"")


def streamed(raw):
    stream = StreamForGemini()
    made = stream.feed(raw) + stream.end()
    return [json.loads(line[5:]) for line in made.splitlines() if line.startswith(b"data:")]


def test_thoughts_words_calls_and_counts_of_a_whole_reply():
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
    told = whole(choice({"reasoning": "hm", "content": "Kiel", "tool_calls": [call]}, "tool_calls"), usage=USAGE)
    assert told["candidates"][0]["content"]["parts"] == [
        {"text": "hm", "thought": True},
        {"text": "Kiel"},
        {"functionCall": {"id": "c1", "name": "f", "args": {"a": 1}}},
    ]
    assert told["candidates"][0]["finishReason"] == "STOP"
    assert told["usageMetadata"] == {
        "promptTokenCount": 10,
        "candidatesTokenCount": 5,
        "thoughtsTokenCount": 3,
        "cachedContentTokenCount": 4,
        "totalTokenCount": 18,
    }
    assert whole(choice({"refusal": "no"}))["candidates"][0]["finishReason"] == "SAFETY"
    assert [one["index"] for one in whole(choice({"content": "a"}), choice({"content": "b"}))["candidates"]] == [0, 1]


@pytest.mark.parametrize(
    "body",
    [
        b"<",
        b"{}",
        b'{"choices":[{"message":{"audio":{"a":1}}}]}',
        b'{"choices":[{"message":{"tool_calls":[{"function":{"name":"f","arguments":"["}}]}}]}',
        b'{"choices":[{"message":{"tool_calls":[{"function":{"arguments":"{}"}}]}}]}',
    ],
)
def test_what_is_no_reply_is_an_error_of_the_upstream(body):
    with pytest.raises(DialectError) as wrong:
        reply(body, 0)
    assert wrong.value.status == 502


def test_calls_that_come_in_pieces_are_written_whole_at_the_end():
    pieces = [{"index": 0, "id": "c1", "function": {"name": "f", "arguments": ""}}]
    pieces += [{"index": 0, "function": {"arguments": '{"a"'}}, {"index": 1, "id": "c2", "function": {"name": "g"}}]
    pieces += [{"index": 0, "function": {"arguments": ":1}"}}]
    told = streamed(chunks({"content": "x"}, *({"tool_calls": [piece]} for piece in pieces), finish="tool_calls"))
    assert told[0]["candidates"][0]["content"]["parts"] == [{"text": "x"}]
    assert [part["functionCall"]["args"] for part in told[-1]["candidates"][0]["content"]["parts"]] == [{"a": 1}, {}]
    assert told[-1]["usageMetadata"]["totalTokenCount"] == 18
    assert len(told) == 2


def test_a_stream_that_broke_off_gets_no_end_and_one_without_done_does():
    assert [one["candidates"][0].get("finishReason") for one in streamed(chunks({"content": "x"}, finish=""))] == [None]
    assert streamed(chunks({"content": "x"}, done=False))[-1]["candidates"][0]["finishReason"] == "STOP"
    error = streamed(b'data: {"error":{"message":"slow","code":429}}\n\n')
    assert error[0]["error"]["message"] == "slow"
    assert "error" in streamed(b"data: [1]\n\n")[0]


def test_claudes_signed_thinking_comes_back_through_googles_own_types():
    translation = TRANSLATIONS["gemini-generate", "anthropic-messages"]
    thought = {"type": "thinking", "thinking": "hm", "signature": "c2lnbmVk"}
    used = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-x", "content": [thought, used]}
    message |= {"stop_reason": "tool_use", "usage": {"input_tokens": 1, "output_tokens": 2}}
    told = types.GenerateContentResponse.model_validate_json(translation.reply(json.dumps(message).encode(), 0))

    result = types.Part.from_function_response(name="f", response={"result": "x"})
    turns = [types.Content(role="user", parts=[types.Part(text="go")]), told.candidates[0].content]
    turns += [types.Content(role="user", parts=[result])]
    written = [turn.model_dump(mode="json", by_alias=True, exclude_none=True) for turn in turns]
    sent = json.loads(translation.request(json.dumps({"contents": written}).encode(), "claude-x").body)

    assert sent["messages"][1]["content"] == [thought, used]
    assert sent["messages"][2]["content"][0]["tool_use_id"] == "toolu_1"
