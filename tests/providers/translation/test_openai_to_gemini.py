import msgspec
import pytest
from google.genai import types

from modicum.providers.facts import DialectError
from modicum.providers.translation.openai_to_gemini import request
from modicum.providers.translation.thought_signatures import NOBODY_SIGNED, id_with

HELLO = [{"role": "user", "content": "Hello"}]


def translated(messages=HELLO, *, to="gemini-2.5-pro", **fields):
    answer = request(msgspec.json.encode({"model": "gpt-5", "messages": messages, **fields}), to)
    wire = msgspec.json.decode(answer.body)
    for content in wire["contents"]:
        types.Content.model_validate(content)
    for tool in wire.get("tools", ()):
        types.Tool.model_validate(tool)
    types.GenerateContentConfig.model_validate(wire.get("generationConfig", {}))
    return wire, answer.left_out


def called(call_id, **more):
    return {"id": call_id, "type": "function", "function": {"name": "tide", "arguments": '{"at":"Kiel"}'}, **more}


def loop(*calls):
    results = [{"role": "tool", "tool_call_id": call["id"], "content": "06:12"} for call in calls]
    return [*HELLO, {"role": "assistant", "content": "I look.", "tool_calls": list(calls)}, *results]


def test_a_conversation_with_tools_and_pictures():
    picture = {"type": "image_url", "image_url": {"url": "https://example.com/a.webp?x=1", "detail": "low"}}
    file = {"type": "file", "file": {"file_id": "https://example.com/b"}}
    wire, left_out = translated(
        [
            {"role": "developer", "content": "Be brief."},
            *loop(called("c1"), called("c2")),
            {"role": "user", "content": [picture, file]},
        ],
        tools=[
            {"type": "function", "function": {"name": "tide", "description": "d", "parameters": {"type": "object"}}}
        ],
        parallel_tool_calls=False,
    )
    called_part = {"functionCall": {"name": "tide", "args": {"at": "Kiel"}}}
    answered = {"functionResponse": {"name": "tide", "response": {"result": "06:12"}}}
    assert wire == {
        "contents": [
            {"role": "user", "parts": [{"text": "Hello"}]},
            {"role": "model", "parts": [{"text": "I look."}, called_part, called_part]},
            {
                "role": "user",
                "parts": [
                    answered,
                    answered,
                    {"fileData": {"mimeType": "image/webp", "fileUri": "https://example.com/a.webp?x=1"}},
                    {"fileData": {"mimeType": "application/pdf", "fileUri": "https://example.com/b"}},
                ],
            },
        ],
        "systemInstruction": {"parts": [{"text": "Be brief."}]},
        "tools": [
            {"functionDeclarations": [{"name": "tide", "description": "d", "parametersJsonSchema": {"type": "object"}}]}
        ],
    }
    assert left_out == ("image_url.detail", "parallel_tool_calls")


def test_calls_go_back_with_the_signature_that_they_had():
    signed = id_with("call_1", "c2ln")
    wire, _ = translated(loop(called(signed), called("c2")), to="gemini-3-pro-preview")
    calls = [part for part in wire["contents"][1]["parts"] if "functionCall" in part]
    assert [call.get("thoughtSignature") for call in calls] == ["c2ln", None]
    foreign, _ = translated(loop(called("c1")), to="gemini-3-pro-preview")
    assert foreign["contents"][1]["parts"][1]["thoughtSignature"] == NOBODY_SIGNED
    older, _ = translated(loop(called("c1")))
    assert "thoughtSignature" not in older["contents"][1]["parts"][1]


@pytest.mark.parametrize(
    ("choice", "config"),
    [
        ("auto", {"mode": "AUTO"}),
        ("none", {"mode": "NONE"}),
        ("required", {"mode": "ANY"}),
        ({"type": "function", "function": {"name": "tide"}}, {"mode": "ANY", "allowedFunctionNames": ["tide"]}),
    ],
)
def test_tool_choices(choice, config):
    wire, _ = translated(tools=[{"type": "function", "function": {"name": "tide"}}], tool_choice=choice)
    assert wire["toolConfig"] == {"functionCallingConfig": config}


def test_a_tool_that_takes_a_text_takes_an_object_there():
    tool = {"type": "custom", "custom": {"name": "patch"}}
    wire, _ = translated(tools=[tool])
    assert wire["tools"][0]["functionDeclarations"][0]["parametersJsonSchema"]["required"] == ["input"]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"logprobs": True}, "'logprobs'"),
        ({"logit_bias": {"1": 2}}, "'logit_bias'"),
        ({"brand_new_field": 1}, "brand_new_field"),
        ({"messages": []}, "at least one message"),
        ({"messages": [{"role": "tool", "tool_call_id": "c9", "content": "x"}]}, "answers no call"),
        ({"messages": [{"role": "user", "content": [{"type": "file", "file": {"file_id": "f"}}]}]}, "file_id"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "file:///x"}}]}]},
            "web",
        ),
        ({"messages": [{"role": "assistant", "audio": {"id": "a"}}]}, "'audio'"),
        (
            {
                "messages": [
                    {"role": "assistant", "tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "["}}]}
                ]
            },
            "arguments of a call of 'f'",
        ),
    ],
)
def test_what_has_no_counterpart_is_refused_by_name(fields, named):
    with pytest.raises(DialectError, match="cannot take this request") as refused:
        translated(**fields)
    assert named in refused.value.message
