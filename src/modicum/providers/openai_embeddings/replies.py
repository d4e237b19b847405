"""Vectors for each input: made from the text's digest, of the size that was asked for, of length 1."""

import base64
import hashlib
import math
import struct
from collections.abc import Mapping
from typing import Any

from modicum.providers.body_parsing import encode
from modicum.providers.fields import listed
from modicum.providers.planned_reply import PlannedReply, ReplyWriter

DIMENSIONS = 16
MOST_DIMENSIONS = 4096


def whole(plan: PlannedReply) -> bytes:
    request = plan.request
    given = request.get("input")
    several = isinstance(given, list) and not any(isinstance(part, int) for part in given)
    size = request.get("dimensions")
    dimensions = min(size, MOST_DIMENSIONS) if isinstance(size, int) and size > 0 else DIMENSIONS
    data = [
        {"object": "embedding", "index": place, "embedding": _form(_vector(repr(part), dimensions), request)}
        for place, part in enumerate(listed(given) if several else [given])
    ]
    wire: dict[str, Any] = {"object": "list", "data": data, "model": plan.model}
    if plan.usage:
        prompt = plan.usage.prompt_tokens
        wire["usage"] = {"prompt_tokens": prompt, "total_tokens": prompt}
    return encode(wire)


def _form(vector: list[float], request: Mapping[str, Any]) -> list[float] | str:
    if request.get("encoding_format") != "base64":
        return vector
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def _vector(text: str, dimensions: int) -> list[float]:
    raw = hashlib.shake_128(text.encode("utf-8", "replace")).digest(dimensions)
    centred = [byte - 127.5 for byte in raw]
    length = math.hypot(*centred)
    return [value / length for value in centred]


WRITER = ReplyWriter(whole)
