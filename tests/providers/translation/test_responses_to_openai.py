import msgspec
import pytest

from modicum.providers.facts import DialectError
from modicum.providers.translation.kept_thinking import sealed
from modicum.providers.translation.responses_to_openai import request

THOUGHT = {"type": "thinking", "thinking": "Hm.", "signature": "EqQB"}


def translated(items="Hello", **fields):
    answer = request(msgspec.json.encode({"model": "gpt-5", "input": items, **fields}), "claude-opus-4-6")
    return msgspec.json.decode(answer.body), answer


def said(text, role="user"):
    return {"role": role, "content": [{"type": "input_text" if role == "user" else "output_text", "text": text}]}


def test_a_turn_of_the_model_is_one_message():
    call = {"type": "function_call", "call_id": "c1", "name": "tide", "arguments": "{}"}
    wire, answer = translated(
        [
            said("Tide?"),
            {"type": "reasoning", "summary": [], "encrypted_content": sealed([THOUGHT])},
            {"type": "message", **said("I look.", "assistant")},
            call,
            {**call, "call_id": "c2"},
            {"type": "function_call_output", "call_id": "c1", "output": "06:12"},
            {"type": "function_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "18:40"}]},
            said("At 06:12.", "assistant"),
            {"type": "web_search_call", "id": "w1"},
            said("Thanks."),
        ]
    )
    assert [message["role"] for message in wire["messages"]] == [
        "user",
        "assistant",
        "tool",
        "tool",
        "assistant",
        "user",
    ]
    turn = wire["messages"][1]
    assert (turn["thinking_blocks"], turn["content"]) == ([THOUGHT], "I look.")
    assert [call["id"] for call in turn["tool_calls"]] == ["c1", "c2"]
    assert wire["messages"][3]["content"] == "18:40"
    assert answer.left_out == ("what the provider's tools did in earlier turns",)


def test_a_call_and_what_was_said_behind_it_are_two_messages():
    call = {"type": "function_call", "call_id": "c1", "name": "tide", "arguments": "{}"}
    wire, _ = translated(
        [said("a"), call, {"type": "reasoning", "encrypted_content": "somebody's"}, said("b", "assistant")]
    )
    assert [message["role"] for message in wire["messages"]] == ["user", "assistant", "assistant"]


def test_tools_of_every_kind():
    patch = {"type": "custom", "name": "apply_patch", "format": {"type": "text"}}
    space = {"type": "namespace", "name": "n", "tools": [{"type": "function", "name": "wind", "parameters": {}}]}
    search = {
        "type": "web_search",
        "user_location": {"type": "approximate", "city": "Kiel"},
        "search_context_size": "low",
    }
    wire, answer = translated(tools=[patch, space, search], tool_choice={"type": "custom", "name": "apply_patch"})
    assert [tool["type"] for tool in wire["tools"]] == ["custom", "function"]
    assert wire["tool_choice"] == {"type": "custom", "custom": {"name": "apply_patch"}}
    assert wire["web_search_options"] == {"user_location": {"type": "approximate", "city": "Kiel"}}
    assert answer.custom_tools == {"apply_patch"}
    assert answer.left_out == ("tools.search_context_size",)


def test_options_under_their_names():
    wire, answer = translated(
        max_output_tokens=9,
        store=True,
        stream=True,
        include=["reasoning.encrypted_content", "message.output_text.logprobs"],
        text={"format": {"type": "json_object"}, "verbosity": "low"},
        instructions="Be brief.",
    )
    assert wire["messages"][0] == {"role": "system", "content": "Be brief."}
    assert (wire["max_completion_tokens"], wire["verbosity"]) == (9, "low")
    assert wire["response_format"] == {"type": "json_object"}
    assert wire["stream_options"] == {"include_usage": True}
    assert answer.left_out == ("store", "include message.output_text.logprobs")


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"previous_response_id": "resp_1"}, "'previous_response_id'"),
        ({"background": True}, "'background'"),
        ({"brand_new_field": 1}, "brand_new_field"),
        ({"tools": [{"type": "file_search"}]}, "'file_search'"),
        ({"tools": [{"type": "function", "name": "f"}], "tool_choice": {"type": "mcp"}}, "'mcp'"),
        ({"input": [{"type": "item_reference", "id": "rs_1"}]}, "'item_reference'"),
        ({"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]}, "by its id"),
        ({"input": [{"role": "user", "content": [{"type": "hologram"}]}]}, "'hologram'"),
    ],
)
def test_what_has_no_counterpart_is_refused_by_name(fields, named):
    with pytest.raises(DialectError, match="cannot take this request") as refused:
        translated(**fields)
    assert named in refused.value.message
