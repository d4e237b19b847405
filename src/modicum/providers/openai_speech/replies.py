"""Speech of the mock provider: silence, as long as its words are many."""

import base64
from collections.abc import Iterator

from modicum.providers.body_parsing import encode
from modicum.providers.planned_reply import PlannedReply, ReplyWriter

SILENCE = bytes(480)
"""Ten milliseconds of samples of two bytes."""


def events(plan: PlannedReply) -> Iterator[bytes]:
    if plan.request.get("stream_format") != "sse":
        yield from (SILENCE for _ in plan.pieces)
        return
    for _ in plan.pieces:
        delta = {"type": "speech.audio.delta", "audio": base64.b64encode(SILENCE).decode()}
        yield b"data: %b\n\n" % encode(delta)
    done: dict[str, object] = {"type": "speech.audio.done"}
    if plan.usage:
        prompt, made = plan.usage.prompt_tokens, plan.usage.completion_tokens
        done["usage"] = {"input_tokens": prompt, "output_tokens": made, "total_tokens": prompt + made}
    yield b"data: %b\n\n" % encode(done)


def content_type(plan: PlannedReply) -> str:
    """Of the events: sound, unless events were asked for."""
    return "text/event-stream" if plan.request.get("stream_format") == "sse" else "audio/pcm"


WRITER = ReplyWriter(lambda plan: b"".join(events(plan)), events, content_type=content_type)
