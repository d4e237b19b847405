"""Transcriptions of the mock provider: words of its own, whatever was said."""

from collections.abc import Iterator
from typing import Any

from modicum.providers.body_parsing import encode
from modicum.providers.planned_reply import PlannedReply, ReplyWriter


def _usage(plan: PlannedReply) -> dict[str, Any]:
    if plan.usage is None:
        return {}
    if "whisper" in plan.model:
        return {"usage": {"type": "duration", "seconds": 3}}
    sound, made = plan.usage.prompt_tokens, plan.usage.completion_tokens
    details = {"text_tokens": 0, "audio_tokens": sound}
    counts = {"input_tokens": sound, "output_tokens": made, "total_tokens": sound + made}
    return {"usage": {"type": "tokens", **counts, "input_token_details": details}}


def whole(plan: PlannedReply) -> bytes:
    return encode({"text": plan.text, **_usage(plan)})


def events(plan: PlannedReply) -> Iterator[bytes]:
    for piece in plan.pieces:
        yield b"data: %b\n\n" % encode({"type": "transcript.text.delta", "delta": piece})
    yield b"data: %b\n\n" % encode({"type": "transcript.text.done", "text": plan.text, **_usage(plan)})


WRITER = ReplyWriter(whole, events)
