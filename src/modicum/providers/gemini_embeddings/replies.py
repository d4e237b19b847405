"""Gemini's embeddings of the mock provider: made from each text's digest, of length 1."""

import hashlib
import math

from modicum.providers.body_parsing import encode
from modicum.providers.fields import listed, mapping
from modicum.providers.planned_reply import PlannedReply, ReplyWriter

DIMENSIONS = 16


def whole(plan: PlannedReply) -> bytes:
    requests = listed(plan.request.get("requests"))
    wire: dict[str, object]
    if requests:
        wire = {"embeddings": [{"values": _vector(repr(mapping(one).get("content")))} for one in requests]}
    else:
        wire = {"embedding": {"values": _vector(repr(plan.request.get("content")))}}
    if plan.usage:
        wire["usageMetadata"] = {"promptTokenCount": plan.usage.prompt_tokens}
    return encode(wire)


def _vector(content: str) -> list[float]:
    raw = [byte - 127.5 for byte in hashlib.shake_128(content.encode("utf-8", "replace")).digest(DIMENSIONS)]
    length = math.hypot(*raw)
    return [value / length for value in raw]


WRITER = ReplyWriter(whole)
