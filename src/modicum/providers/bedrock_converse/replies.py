"""Replies of Converse written, as a whole or as frames, for the mock provider."""

from collections.abc import Iterator
from typing import Any

from modicum.providers.bedrock.frames import CONTENT_TYPE, write_frame
from modicum.providers.bedrock_converse.usage import wire_usage
from modicum.providers.body_parsing import encode
from modicum.providers.planned_reply import PlannedReply, ReplyWriter

STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}

Json = dict[str, Any]


def whole(plan: PlannedReply) -> bytes:
    content: list[Json] = []
    if plan.reasoning:
        content.append({"reasoningContent": {"reasoningText": {"text": plan.reasoning, "signature": "bW9jaw=="}}})
    if plan.pieces:
        content.append({"text": plan.text})
    content += (
        {"toolUse": {"toolUseId": call.call_id, "name": call.name, "input": call.arguments}} for call in plan.calls
    )
    wire: Json = {
        "output": {"message": {"role": "assistant", "content": content}},
        "stopReason": STOP_REASONS[plan.finish],
        "metrics": {"latencyMs": 1},
    }
    return encode(wire | ({"usage": wire_usage(plan.usage)} if plan.usage else {}))


def frames(plan: PlannedReply) -> Iterator[bytes]:
    return (write_frame(kind, encode(fields)) for kind, fields in _events(plan))


def _events(plan: PlannedReply) -> Iterator[tuple[str, Json]]:
    yield "messageStart", {"role": "assistant"}
    blocks: list[tuple[Json | None, list[Json]]] = []
    if plan.reasoning:
        blocks.append((None, [{"reasoningContent": {"text": plan.reasoning}}]))
    if plan.pieces:
        blocks.append((None, [{"text": piece} for piece in plan.pieces]))
    for call in plan.calls:
        half = len(call.arguments_json) // 2
        parts = (call.arguments_json[:half], call.arguments_json[half:])
        begun: Json = {"toolUse": {"toolUseId": call.call_id, "name": call.name}}
        blocks.append((begun, [{"toolUse": {"input": part}} for part in parts]))
    for index, (start, deltas) in enumerate(blocks):
        if start is not None:
            yield "contentBlockStart", {"start": start, "contentBlockIndex": index}
        for delta in deltas:
            yield "contentBlockDelta", {"delta": delta, "contentBlockIndex": index}
        yield "contentBlockStop", {"contentBlockIndex": index}
    yield "messageStop", {"stopReason": STOP_REASONS[plan.finish]}
    if plan.usage:
        yield "metadata", {"usage": wire_usage(plan.usage), "metrics": {"latencyMs": 1}}


WRITER = ReplyWriter(whole, frames, content_type=lambda plan: CONTENT_TYPE)  # noqa: ARG005 - of every stream
