import msgspec
import pytest
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from pydantic import TypeAdapter

from modicum.providers.facts import DialectError
from modicum.providers.translation.openai_to_anthropic import DEFAULT_OUTPUT_TOKENS, request

OFFICIAL = TypeAdapter(MessageCreateParamsNonStreaming)
HELLO = [{"role": "user", "content": "Hello"}]
PNG = "data:image/png;base64,iVBORw0KGgo="


def translated(messages=HELLO, *, to="claude-opus-4-6", **fields):
    body = msgspec.json.encode({"model": "gpt-5", "max_tokens": 50, "messages": messages, **fields})
    answer = request(body, to)
    wire = msgspec.json.decode(answer.body)
    OFFICIAL.validate_python({name: value for name, value in wire.items() if name != "stream"})
    return wire, answer.left_out


def test_a_conversation_with_tools_and_an_image():
    tool = {"name": "tide", "description": "When is high tide?", "parameters": {"type": "object"}, "strict": True}
    call = {"type": "function", "function": {"name": "tide", "arguments": '{"at": "Kiel"}'}}
    wire, left_out = translated(
        [
            {"role": "system", "content": "Be brief."},
            {
                "role": "developer",
                "content": [{"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}}],
            },
            {
                "role": "user",
                "content": [{"type": "text", "text": "Here:"}, {"type": "image_url", "image_url": {"url": PNG}}],
            },
            {"role": "assistant", "content": None, "tool_calls": [{"id": "c1", **call}, {"id": "c2", **call}]},
            {"role": "tool", "tool_call_id": "c1", "content": "06:12"},
            {"role": "tool", "tool_call_id": "c2", "content": [{"type": "text", "text": "18:40"}]},
            {"role": "user", "content": "Thanks."},
        ],
        tools=[{"type": "function", "function": tool}],
        tool_choice="required",
        parallel_tool_calls=False,
        temperature=0.5,
        stop="END",
        user="u-1",
    )
    used = {"type": "tool_use", "name": "tide", "input": {"at": "Kiel"}}
    assert wire == {
        "model": "claude-opus-4-6",
        "max_tokens": 50,
        "system": [
            {"type": "text", "text": "Be brief."},
            {"type": "text", "text": "Be kind.", "cache_control": {"type": "ephemeral"}},
        ],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "Here:"},
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}},
                ],
            },
            {"role": "assistant", "content": [{**used, "id": "c1"}, {**used, "id": "c2"}]},
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "06:12"}]},
                    {"type": "tool_result", "tool_use_id": "c2", "content": [{"type": "text", "text": "18:40"}]},
                    {"type": "text", "text": "Thanks."},
                ],
            },
        ],
        "tools": [
            {"name": "tide", "description": "When is high tide?", "input_schema": {"type": "object"}, "strict": True}
        ],
        "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
        "temperature": 0.5,
        "stop_sequences": ["END"],
        "metadata": {"user_id": "u-1"},
    }
    assert left_out == ()


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("auto", {"type": "auto"}),
        ("none", {"type": "none"}),
        ("required", {"type": "any"}),
        ({"type": "function", "function": {"name": "tide"}}, {"type": "tool", "name": "tide"}),
    ],
)
def test_tool_choices(choice, expected):
    wire, _ = translated(tools=[{"type": "function", "function": {"name": "tide"}}], tool_choice=choice)
    assert wire["tool_choice"] == expected
    assert wire["tools"][0]["input_schema"] == {"type": "object", "properties": {}}


def test_a_later_system_message_keeps_its_place():
    wire, _ = translated([*HELLO, {"role": "system", "content": "Now in German."}])
    assert "system" not in wire
    assert [message["role"] for message in wire["messages"]] == ["user", "system"]


def test_reasoning_and_json_schemas():
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}
    form = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}}
    wire, _ = translated(reasoning_effort="minimal", response_format=form)
    assert wire["output_config"] == {"effort": "low", "format": {"type": "json_schema", "schema": schema}}
    assert translated(reasoning_effort="none")[0]["thinking"] == {"type": "disabled"}


def test_thinking_that_our_replies_carried_goes_back():
    thought = {"type": "thinking", "thinking": "Hm.", "signature": "EqQB"}
    said = {
        "role": "assistant",
        "content": "Yes.",
        "reasoning_content": "Hm.",
        "thinking_blocks": [{"index": 0, **thought}],
    }
    wire, left_out = translated([*HELLO, said, *HELLO])
    assert wire["messages"][1]["content"] == [thought, {"type": "text", "text": "Yes."}]
    assert left_out == ()
    del said["thinking_blocks"]
    assert translated([*HELLO, said, *HELLO])[1] == ("messages.reasoning_content",)


def test_a_pdf_and_an_image_by_address():
    pdf = {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}}
    image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "high"}}
    wire, left_out = translated([{"role": "user", "content": [pdf, image]}])
    source = {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="}
    assert wire["messages"][0]["content"] == [
        {"type": "document", "source": source, "title": "a.pdf"},
        {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
    ]
    assert left_out == ("image_url.detail",)


def test_what_is_only_a_hint_is_left_out_and_named():
    wire, left_out = translated(seed=7, metadata={"a": "b"}, prompt_cache_key="k", n=1, logprobs=False, stream=True)
    assert left_out == ("metadata", "seed", "prompt_cache_key")
    assert wire["stream"] is True
    bound, told = translated(max_tokens=None)
    assert bound["max_tokens"] == DEFAULT_OUTPUT_TOKENS
    assert told == (f"max_tokens set to {DEFAULT_OUTPUT_TOKENS}",)


def test_json_without_a_schema_is_asked_for_in_words_and_said():
    wire, left_out = translated(response_format={"type": "json_object"})
    assert "JSON object" in wire["system"][-1]["text"]
    assert left_out == ("response_format json_object is asked for in words",)


def test_calls_of_tools_that_are_offered_no_more():
    call = {"id": "functions.tide:0", "type": "function", "function": {"name": "tide", "arguments": "{}"}}
    said = {"role": "assistant", "content": "\n", "tool_calls": [call]}
    wire, _ = translated([*HELLO, said, {"role": "tool", "tool_call_id": "functions.tide:0", "content": "06:12"}])
    assert wire["tools"] == [{"name": "tide", "input_schema": {"type": "object"}}]
    assert wire["tool_choice"] == {"type": "none"}
    used, result = wire["messages"][1]["content"][0], wire["messages"][2]["content"][0]
    assert used["id"] == result["tool_use_id"] == "functions_tide_0"


def test_thinking_is_left_out_where_the_turn_that_goes_on_has_none():
    call = {"id": "c1", "type": "function", "function": {"name": "tide", "arguments": "{}"}}
    turn = [*HELLO, {"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": "c1", "content": "x"}]
    wire, left_out = translated(turn, thinking={"type": "adaptive"})
    assert "thinking" not in wire
    assert left_out == ("thinking, the turn that goes on has none",)


def test_a_budget_leaves_room_for_the_reply():
    thinking = {"type": "enabled", "budget_tokens": 5000}
    assert translated(max_tokens=2000, thinking=thinking)[0]["thinking"]["budget_tokens"] == 1999
    assert translated(max_tokens=None, thinking=thinking)[0]["max_tokens"] == 5000 + DEFAULT_OUTPUT_TOKENS
    assert "thinking" not in translated(max_tokens=50, thinking=thinking)[0]
    wire, left_out = translated(max_tokens=9000, to="claude-opus-4-8", thinking=thinking)
    assert (wire["thinking"], wire["output_config"]) == ({"type": "adaptive"}, {"effort": "medium"})
    assert left_out == ("thinking.budget_tokens",)


def part(**fields):
    return {"messages": [{"role": "user", "content": [fields]}]}


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"n": 2}, "'n'"),
        ({"logprobs": True}, "'logprobs'"),
        ({"logit_bias": {"50256": -100}}, "'logit_bias'"),
        ({"modalities": ["text", "audio"]}, "'modalities'"),
        ({"functions": [{"name": "f"}]}, "'functions'"),
        ({"response_format": {"type": "grammar"}}, "grammar"),
        ({"brand_new_field": 1}, "brand_new_field"),
        ({"messages": []}, "at least one message"),
        ({"messages": [{"role": "critic", "content": "x"}]}, "critic"),
        (part(type="input_audio", input_audio={"data": "", "format": "wav"}), "input_audio"),
        (part(type="image_url", image_url={"url": "data:image/tiff;base64,AA=="}), "image/tiff"),
        (part(type="image_url", image_url={"url": "file:///etc/passwd"}), "web address"),
        (part(type="file", file={"file_id": "file-1"}), "file_id"),
        ({"tools": [{"type": "hologram", "hologram": {"name": "x"}}]}, "hologram"),
        (
            {
                "messages": [
                    {
                        "role": "assistant",
                        "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "[1]"}}],
                    }
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
    assert refused.value.status == 400
