"""A planned reply as a message, or as its events."""

from collections.abc import Iterator
from typing import Any

from modicum.providers.bodies import encoded
from modicum.providers.mock.plan import Planned
from modicum.providers.wire_usage import anthropic_usage

STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}

Json = dict[str, Any]


def whole(plan: Planned) -> bytes:
    message = _message(plan)
    message["content"] = [_filled(block, parts) for block, parts in _blocks(plan)]
    message["stop_reason"] = STOP_REASONS[plan.finish]
    if plan.usage:
        message["usage"] = anthropic_usage(plan.usage)
    return encoded(message)


def _message(plan: Planned) -> Json:
    head = {"id": f"msg_{plan.reply_id}", "type": "message", "role": "assistant", "model": plan.model}
    return {**head, "content": [], "stop_reason": None, "stop_sequence": None}


def _blocks(plan: Planned) -> Iterator[tuple[Json, list[Json]]]:
    """Each block as it starts, and the deltas that fill it."""
    if plan.reasoning:
        signed = {"type": "signature_delta", "signature": "bW9jaw=="}
        thought = {"type": "thinking_delta", "thinking": plan.reasoning}
        yield {"type": "thinking", "thinking": "", "signature": ""}, [thought, signed]
    if plan.pieces:
        yield {"type": "text", "text": ""}, [{"type": "text_delta", "text": piece} for piece in plan.pieces]
    for call in plan.calls:
        half = len(call.arguments_json) // 2
        parts = ("", call.arguments_json[:half], call.arguments_json[half:])
        block = {"type": "tool_use", "id": f"toolu_{call.call_id}", "name": call.name, "input": {}}
        yield block, [{"type": "input_json_delta", "partial_json": part, "whole": call.arguments} for part in parts]


def _filled(block: Json, deltas: list[Json]) -> Json:
    filled = dict(block)
    for delta in deltas:
        if "whole" in delta:
            filled["input"] = delta["whole"]
            continue
        name = delta["type"].removesuffix("_delta")
        filled[name] += delta[name]
    return filled


def events(plan: Planned) -> Iterator[bytes]:
    return (b"event: %b\ndata: %b\n\n" % (event["type"].encode(), encoded(event)) for event in _events(plan))


def _events(plan: Planned) -> Iterator[Json]:
    counts = anthropic_usage(plan.usage) if plan.usage else {}
    begun = {"usage": {**counts, "output_tokens": 1}} if plan.usage else {}
    yield {"type": "message_start", "message": {**_message(plan), **begun}}
    for index, (block, deltas) in enumerate(_blocks(plan)):
        yield {"type": "content_block_start", "index": index, "content_block": block}
        if index == 0:
            yield {"type": "ping"}
        for delta in deltas:
            sent = {name: value for name, value in delta.items() if name != "whole"}
            yield {"type": "content_block_delta", "index": index, "delta": sent}
        yield {"type": "content_block_stop", "index": index}
    stop = {"stop_reason": STOP_REASONS[plan.finish], "stop_sequence": None}
    final = {name: counts[name] for name in ("output_tokens", "output_tokens_details") if name in counts}
    yield {"type": "message_delta", "delta": stop, **({"usage": final} if final else {})}
    yield {"type": "message_stop"}
