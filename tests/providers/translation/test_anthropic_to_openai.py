import msgspec
import pytest
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from pydantic import TypeAdapter

from modicum.providers.facts import DialectError
from modicum.providers.translation import openai_to_anthropic
from modicum.providers.translation.anthropic_to_openai import request

OFFICIAL = TypeAdapter(CompletionCreateParamsNonStreaming)
HELLO = [{"role": "user", "content": "Hello"}]
PIXEL = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}


def translated(messages=HELLO, **fields):
    body = msgspec.json.encode({"model": "claude-opus-4-5", "max_tokens": 50, "messages": messages, **fields})
    answer = request(body, "gpt-5")
    wire = msgspec.json.decode(answer.body)
    OFFICIAL.validate_python({name: value for name, value in wire.items() if name not in {"stream", "stream_options"}})
    return wire, answer.left_out


def test_a_conversation_with_tools_and_images():
    wire, left_out = translated(
        [
            {"role": "user", "content": [{"type": "text", "text": "Here:"}, PIXEL]},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "Hm.", "signature": "EqQB"},
                    {"type": "text", "text": "I look."},
                    {"type": "tool_use", "id": "t1", "name": "tide", "input": {"at": "Kiel"}},
                    {"type": "tool_use", "id": "t2", "name": "look", "input": {}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "t1", "content": "06:12", "is_error": True},
                    {"type": "tool_result", "tool_use_id": "t2", "content": [PIXEL]},
                    {"type": "text", "text": "Thanks."},
                ],
            },
        ],
        system=[{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        tools=[{"name": "tide", "description": "When?", "input_schema": {"type": "object"}}],
        tool_choice={"type": "any", "disable_parallel_tool_use": True},
        stop_sequences=["END"],
        metadata={"user_id": "u-1"},
        stream=True,
    )
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    assert wire["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Here:"}, image]},
        {
            "role": "assistant",
            "content": "I look.",
            "tool_calls": [
                {"id": "t1", "type": "function", "function": {"name": "tide", "arguments": '{"at":"Kiel"}'}},
                {"id": "t2", "type": "function", "function": {"name": "look", "arguments": "{}"}},
            ],
        },
        {"role": "tool", "tool_call_id": "t1", "content": "06:12"},
        {"role": "tool", "tool_call_id": "t2", "content": "The result is the image in the next message."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "Images of the result of tool call t2:"},
                image,
                {"type": "text", "text": "Thanks."},
            ],
        },
    ]
    del wire["messages"]
    assert wire == {
        "model": "gpt-5",
        "max_completion_tokens": 50,
        "stream": True,
        "stream_options": {"include_usage": True},
        "stop": ["END"],
        "user": "u-1",
        "tools": [
            {"type": "function", "function": {"name": "tide", "description": "When?", "parameters": {"type": "object"}}}
        ],
        "tool_choice": "required",
        "parallel_tool_calls": False,
    }
    assert left_out == ("cache_control", "thinking of earlier turns", "tool_result.is_error")


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"type": "auto"}, "auto"),
        ({"type": "none"}, "none"),
        ({"type": "tool", "name": "tide"}, {"type": "function", "function": {"name": "tide"}}),
    ],
)
def test_tool_choices(choice, expected):
    wire, _ = translated(tools=[{"name": "tide", "input_schema": {}}], tool_choice=choice)
    assert wire["tool_choice"] == expected


def test_effort_format_and_the_hosts_name_for_the_bound():
    schema = {"type": "object"}
    wire, left_out = translated(
        output_config={"effort": "high", "format": {"type": "json_schema", "schema": schema}},
        thinking={"type": "enabled", "budget_tokens": 1024},
    )
    assert wire["reasoning_effort"] == "high"
    assert wire["response_format"]["json_schema"] == {"name": "reply", "schema": schema, "strict": True}
    assert left_out == ("thinking",)
    body = b'{"model":"m","max_tokens":9,"messages":[]}'
    assert msgspec.json.decode(request(body, "mistral-large", "max_tokens").body)["max_tokens"] == 9


def test_clearing_thinking_is_no_loss_for_none_is_sent():
    _, left_out = translated(context_management={"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]})
    assert left_out == ("context_management",)


def test_documents():
    pdf = {
        "type": "document",
        "title": "a.pdf",
        "source": {"type": "base64", "media_type": "application/pdf", "data": "JV"},
    }
    plain = {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "Tides."}}
    wire, _ = translated([{"role": "user", "content": [pdf, plain]}])
    assert wire["messages"][0]["content"] == [
        {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JV"}},
        {"type": "text", "text": "Tides."},
    ]


def test_a_conversation_comes_back_from_a_round_trip():
    call = {"id": "c1", "type": "function", "function": {"name": "tide", "arguments": '{"at":"Kiel"}'}}
    original = {
        "model": "gpt-5",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Tide?"},
            {"role": "assistant", "content": "I look.", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": "06:12"},
            {"role": "assistant", "content": "At 06:12."},
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}]},
        ],
        "max_completion_tokens": 50,
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.5,
        "stop": ["END"],
        "tools": [{"type": "function", "function": {"name": "tide", "parameters": {"type": "object"}, "strict": True}}],
        "tool_choice": "auto",
        "parallel_tool_calls": False,
        "reasoning_effort": "high",
    }
    there = openai_to_anthropic.request(msgspec.json.encode(original), "claude-opus-4-6")
    back = request(there.body, "gpt-5")
    assert msgspec.json.decode(back.body) == original
    assert there.left_out == back.left_out == ()


def block(**fields):
    return {"messages": [{"role": "user", "content": [fields]}]}


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"mcp_servers": [{"type": "url"}]}, "mcp_servers"),
        ({"inference_geo": "us"}, "inference_geo"),
        ({"brand_new_field": 1}, "brand_new_field"),
        ({"container": "c"}, "container"),
        ({"stop_sequences": ["1", "2", "3", "4", "5"]}, "at most 4"),
        (
            {"tools": [{"type": "web_search_20250305", "name": "web_search", "allowed_domains": ["a.de"]}]},
            "'web_search'",
        ),
        ({"tools": [{"type": "code_execution_20250825", "name": "code_execution"}]}, "'code_execution'"),
        ({"tools": [{"type": "mcp_toolset", "mcp_server_name": "m"}]}, "'mcp_toolset'"),
        ({"max_tokens": None}, "max_tokens"),
        (block(type="image", source={"type": "file", "file_id": "f"}), "an image must be"),
        (block(type="document", source={"type": "url", "url": "https://example.com/a.pdf"}), "documents by url"),
        (block(type="hologram"), "hologram"),
        ({"output_config": {"format": {"type": "grammar"}}}, "output_config.format"),
    ],
)
def test_what_has_no_counterpart_is_refused_by_name(fields, named):
    with pytest.raises(DialectError, match="cannot take this request") as refused:
        translated(**fields)
    assert named in refused.value.message
    assert refused.value.status == 400


@pytest.mark.parametrize(
    "user_id",
    [
        '{"device_id":"d-1","account_uuid":"a-1","session_id":"54c1eb09"}',
        '{"device_id":"d-1"}',
        "user_5f3a_account__session_57a121ec",
        '{"broken',
    ],
)
def test_an_agents_account_and_session_do_not_go_to_another_provider(user_id):
    answer = request(
        msgspec.json.encode(
            {"model": "claude-opus-4-5", "max_tokens": 50, "messages": HELLO, "metadata": {"user_id": user_id}}
        ),
        "gpt-5",
    )

    assert "user" not in msgspec.json.decode(answer.body)
    assert b"d-1" not in answer.body
    assert b"session" not in answer.body
    assert answer.left_out == ("metadata.user_id",)
