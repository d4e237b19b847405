from modicum.calls import SegmentKind
from modicum.providers.openai.blocks import request_blocks


def test_a_request_is_seen_as_tools_system_messages():
    blocks = request_blocks(
        {
            "messages": [
                {"role": "developer", "content": "Be brief."},
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "What is it?"},
                        {"type": "image_url", "image_url": {"url": "data:x"}},
                    ],
                },
                {
                    "role": "assistant",
                    "tool_calls": [{"id": "c", "function": {"name": "look", "arguments": '{"b":1, "a":2}'}}],
                },
                {"role": "tool", "tool_call_id": "c", "content": "A cat"},
            ],
            "tools": [{"type": "function", "function": {"name": "look"}}],
        }
    )

    assert [(block.kind, block.tool) for block in blocks] == [
        (SegmentKind.TOOL_SCHEMA, "look"),
        (SegmentKind.SYSTEM, ""),
        (SegmentKind.USER, ""),
        (SegmentKind.IMAGE, ""),
        (SegmentKind.TOOL_CALL, "look"),
        (SegmentKind.TOOL_RESULT, ""),
    ]
    assert blocks[4].text == '{"a":2,"b":1}'


def test_items_of_the_responses_api():
    blocks = request_blocks(
        {
            "instructions": "Be brief.",
            "input": [
                {"type": "reasoning", "summary": [{"text": "hm"}]},
                {"type": "custom_tool_call", "name": "patch", "input": "*** x", "call_id": "c"},
                {
                    "type": "custom_tool_call_output",
                    "call_id": "c",
                    "output": '{"output":"","metadata":{"exit_code":2}}',
                },
                {"type": "web_search_call", "action": {"query": "cats"}},
            ],
        }
    )

    assert [(block.kind, block.tool, block.is_error) for block in blocks] == [
        (SegmentKind.SYSTEM, "", False),
        (SegmentKind.REASONING, "", False),
        (SegmentKind.TOOL_CALL, "patch", False),
        (SegmentKind.TOOL_RESULT, "", True),
        (SegmentKind.TOOL_CALL, "web_search", False),
    ]
