"""Messages written, as a whole or as events; their words; and a stream joined to the message that it makes."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from modicum.providers.anthropic_messages.usage import wire_usage
from modicum.providers.body_parsing import encode
from modicum.providers.fields import listed, mapping, text
from modicum.providers.planned_reply import PlannedReply, ReplyWriter
from modicum.providers.reply_text import Pieces, TextReaders

STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}

Json = dict[str, Any]


def whole(plan: PlannedReply) -> bytes:
    message = _message(plan)
    message["content"] = [_filled(block, parts) for block, parts in _blocks(plan)]
    message["stop_reason"] = STOP_REASONS[plan.finish]
    if plan.usage:
        message["usage"] = wire_usage(plan.usage)
    return encode(message)


def _message(plan: PlannedReply) -> Json:
    head = {"id": f"msg_{plan.reply_id}", "type": "message", "role": "assistant", "model": plan.model}
    return {**head, "content": [], "stop_reason": None, "stop_sequence": None}


def _blocks(plan: PlannedReply) -> Iterator[tuple[Json, list[Json]]]:
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


def events(plan: PlannedReply) -> Iterator[bytes]:
    return (b"event: %b\ndata: %b\n\n" % (event["type"].encode(), encode(event)) for event in _events(plan))


def _events(plan: PlannedReply) -> Iterator[Json]:
    counts = wire_usage(plan.usage) if plan.usage else {}
    begun = {"usage": {**counts, "output_tokens": min(1, counts["output_tokens"])}} if plan.usage else {}
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


def _words_in(reply: Mapping[str, Any]) -> Pieces:
    for block in listed(reply.get("content")):
        kind = mapping(block).get("type")
        yield text(mapping(block).get("text")) if kind == "text" else "", kind == "tool_use"


def _words_in_event(event: Mapping[str, Any]) -> Pieces:
    if event.get("type") == "content_block_start":
        yield "", mapping(event.get("content_block")).get("type") == "tool_use"
    elif event.get("type") == "content_block_delta":
        yield text(mapping(event.get("delta")).get("text")), False


def joined(events: Iterable[Any]) -> Mapping[str, Any]:
    """A streamed reply as the message that it would have been, without its content.

    The first event holds the input counts, the last ones the final output count.
    """
    body: dict[str, Any] = {}
    for event in events:
        fields = mapping(event)
        if isinstance(fields.get("message"), Mapping):
            body.update(fields["message"])
        if fields.get("type") == "message_delta":
            body["stop_reason"] = mapping(fields.get("delta")).get("stop_reason")
            final = {name: count for name, count in mapping(fields.get("usage")).items() if count is not None}
            body["usage"] = {**mapping(body.get("usage")), **final}
    return body


WRITER = ReplyWriter(whole, events)
WORDS = TextReaders(_words_in, _words_in_event)
