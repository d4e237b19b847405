from modicum.calls import SegmentKind
from modicum.providers.anthropic_messages.blocks import request_blocks


def test_a_request_is_seen_as_tools_system_messages():
    blocks = request_blocks(
        {
            "messages": [
                {"role": "user", "content": "Look."},
                {
                    "role": "assistant",
                    "content": [{"type": "tool_use", "id": "t", "name": "look", "input": {"b": 1, "a": 2}}],
                },
                {
                    "role": "user",
                    "content": [{"type": "tool_result", "tool_use_id": "t", "content": "dark", "is_error": True}],
                },
            ],
            "system": "Be brief.",
            "tools": [{"name": "look"}],
        }
    )

    assert [(block.kind, block.tool, block.is_error) for block in blocks] == [
        (SegmentKind.TOOL_SCHEMA, "look", False),
        (SegmentKind.SYSTEM, "", False),
        (SegmentKind.USER, "", False),
        (SegmentKind.TOOL_CALL, "look", False),
        (SegmentKind.TOOL_RESULT, "", True),
    ]


def test_the_line_that_claude_code_adds_for_billing_is_no_part_of_the_prompt():
    line = {"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1.80; cch=1a2b3;"}
    prompt = {"type": "text", "text": "You are Claude Code."}

    assert request_blocks({"system": [line, prompt]}) == request_blocks({"system": [prompt]})
