from providers.prompt_rig import prompt, told

CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def test_chat_messages_with_names_parts_calls_and_results():
    found = prompt(
        "openai-chat",
        messages=[
            {"role": "developer", "content": "be brief"},
            {"role": "user", "name": "ann", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]},
            {"role": "assistant", "content": "I look", "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "c1", "content": "found"},
        ],
    )

    assert told(found) == [
        ("system", "", "be brief", set()),
        ("user", "ann", "a\nb", set()),
        ("user", "", None, set()),
        ("tool_call", "", None, {"c1"}),
        ("tool_result", "", "found", {"c1"}),
    ]
    assert (found.system, found.ends_with_tool_result, found.why_no_text) == ("be brief", True, "")
