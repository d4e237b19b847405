"""Pictures of the mock provider: one pixel each, with tokens as a small picture takes them."""

from collections.abc import Iterator
from typing import Any

from modicum.providers.body_parsing import encode
from modicum.providers.planned_reply import PlannedReply, ReplyWriter

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
TOKENS_PER_PICTURE = 272
MOST_PICTURES = 10


def _usage(plan: PlannedReply, pictures: int) -> dict[str, Any]:
    if plan.usage is None:
        return {}
    prompt, made = plan.usage.prompt_tokens, pictures * TOKENS_PER_PICTURE
    details = {"text_tokens": prompt, "image_tokens": 0}
    counts = {"input_tokens": prompt, "output_tokens": made, "total_tokens": prompt + made}
    return {"usage": {**counts, "input_tokens_details": details}}


def _pictures(plan: PlannedReply) -> int:
    count = plan.request.get("n")
    return count if isinstance(count, int) and 0 < count <= MOST_PICTURES else 1


def whole(plan: PlannedReply) -> bytes:
    count = _pictures(plan)
    return encode({"created": plan.created, "data": [{"b64_json": PIXEL}] * count, **_usage(plan, count)})


def events(plan: PlannedReply) -> Iterator[bytes]:
    head = {"b64_json": PIXEL, "created_at": plan.created, "size": "1024x1024", "quality": "low"}
    partial = {"type": "image_generation.partial_image", "partial_image_index": 0, **head}
    for event in (partial, {"type": "image_generation.completed", **head, **_usage(plan, 1)}):
        yield b"event: %b\ndata: %b\n\n" % (str(event["type"]).encode(), encode(event))


WRITER = ReplyWriter(whole, events)
