from modicum.calls import SegmentKind
from modicum.providers.gemini_generate.blocks import request_blocks


def test_parts_are_text_thoughts_calls_results_and_pictures():
    content = {
        "role": "model",
        "parts": [
            {"text": "hm", "thought": True},
            {"text": "Let us see."},
            {"functionCall": {"name": "look", "args": {"at": "it"}}},
            {"functionResponse": {"name": "look", "response": {"error": "dark"}}},
            {"inlineData": {"mimeType": "image/png", "data": "AA"}},
        ],
    }

    blocks = request_blocks({"contents": [content]})

    assert [(block.kind, block.tool, block.is_error) for block in blocks] == [
        (SegmentKind.REASONING, "", False),
        (SegmentKind.ASSISTANT, "", False),
        (SegmentKind.TOOL_CALL, "look", False),
        (SegmentKind.TOOL_RESULT, "look", True),
        (SegmentKind.IMAGE, "", False),
    ]
    assert blocks[2].call == blocks[3].call
