import json
from pathlib import Path

import pytest

from modicum.providers.dialects import DIALECTS
from modicum.providers.reply_text import ReplyText

NOTHING = ReplyText("", calls_tools=False)
FIXTURES = Path(__file__).parent / "fixtures"


@pytest.mark.parametrize(
    ("dialect", "reply", "said"),
    [
        ("openai-chat", {"choices": [{"message": {"content": "B"}}, {"message": {"content": "C"}}]}, ("B", False)),
        ("openai-chat", {"choices": [{"message": {"content": None, "tool_calls": [{"id": "1"}]}}]}, ("", True)),
        (
            "anthropic-messages",
            {"content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "B"}, {"type": "tool_use"}]},
            ("B", True),
        ),
        (
            "openai-responses",
            {
                "output": [
                    {"type": "reasoning"},
                    {"type": "message", "content": [{"text": "B"}, {"text": "C"}]},
                    {"type": "function_call"},
                ]
            },
            ("BC", True),
        ),
        (
            "gemini-generate",
            {"candidates": [{"content": {"parts": [{"text": "hm", "thought": True}, {"text": "B"}]}}]},
            ("B", False),
        ),
    ],
)
def test_whole_replies(dialect, reply, said):
    assert DIALECTS[dialect].reply_text(json.dumps(reply).encode(), stream=False) == ReplyText(*said)


@pytest.mark.parametrize("dialect", ["openai-chat", "anthropic-messages", "openai-responses", "gemini-generate"])
def test_streams_and_whatever_comes(dialect):
    streams = sorted((FIXTURES / dialect).glob("*.sse"))
    assert streams
    for path in streams:
        found = DIALECTS[dialect].reply_text(path.read_bytes(), stream=True)
        assert found is None or isinstance(found.text, str)
    assert any((DIALECTS[dialect].reply_text(path.read_bytes(), stream=True) or NOTHING).text for path in streams)


@pytest.mark.parametrize("reply", [b"", b"<html>", b"[1, 2]", b'{"choices": 3, "content": {}, "output": [7]}'])
def test_what_is_no_reply_says_nothing(reply):
    for dialect in ("openai-chat", "anthropic-messages", "openai-responses", "gemini-generate"):
        assert DIALECTS[dialect].reply_text(reply, stream=False) in {None, NOTHING}
    assert DIALECTS["openai-embeddings"].reply_text(reply, stream=False) is None
