"""Responses written, as a whole or as events, and their words."""

from collections.abc import Iterator, Mapping
from typing import Any

from modicum.providers.body_parsing import encode
from modicum.providers.fields import listed, mapping, text
from modicum.providers.openai.usage import responses_usage
from modicum.providers.planned_reply import PlannedReply, ReplyWriter
from modicum.providers.reply_text import Pieces, TextReaders

Json = dict[str, Any]


def whole(plan: PlannedReply) -> bytes:
    if plan.path.endswith("/responses/compact"):
        return encode(_compaction(plan))
    return encode(_response(plan, _status(plan)))


def _compaction(plan: PlannedReply) -> Json:
    """What comes of a context that is made shorter: the user's words as they were, and one item for all else."""
    given = plan.request.get("input")
    items = given if isinstance(given, list) else [{"type": "message", "role": "user", "content": given}]
    own_words = [{"type": "message", **item} for item in map(mapping, items) if item.get("role") == "user"]
    summary = {"id": f"cmp_{plan.reply_id}", "type": "compaction", "encrypted_content": f"mock-{plan.reply_id}"}
    head = {"id": f"resp_{plan.reply_id}", "object": "response.compaction", "created_at": plan.created}
    usage = {"usage": responses_usage(plan.usage)} if plan.usage else {}
    return {**head, "output": [*own_words, summary], **usage}


def _status(plan: PlannedReply) -> str:
    return "incomplete" if plan.finish == "length" else "completed"


def _response(plan: PlannedReply, status: str) -> Json:
    over = status != "in_progress"
    reason = {"reason": "max_output_tokens"} if status == "incomplete" else None
    return {
        "id": f"resp_{plan.reply_id}",
        "object": "response",
        "created_at": plan.created,
        "status": status,
        "error": None,
        "incomplete_details": reason,
        "instructions": None,
        "max_output_tokens": None,
        "model": plan.model,
        "output": [item for item, _ in _items(plan)] if over else [],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "service_tier": "default",
        "store": False,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": responses_usage(plan.usage) if plan.usage and over else None,
        "user": None,
        "metadata": {},
    }


def _items(plan: PlannedReply) -> Iterator[tuple[Json, tuple[str, ...]]]:
    """Each item of the output, with the pieces in which its text or arguments come."""
    if plan.usage and plan.usage.output_reasoning:
        yield {"id": f"rs_{plan.reply_id}", "type": "reasoning", "summary": []}, ()
    if plan.pieces:
        part = {"type": "output_text", "text": plan.text, "annotations": [], "logprobs": []}
        head = {"id": f"msg_{plan.reply_id}", "type": "message", "status": "completed", "role": "assistant"}
        yield {**head, "content": [part]}, plan.pieces
    for call in plan.calls:
        ids = {"id": f"fc_{call.call_id}", "call_id": f"call_{call.call_id}"}
        item = {"type": "function_call", "status": "completed", "name": call.name, "arguments": call.arguments_json}
        yield {**ids, **item}, (call.arguments_json,)


def events(plan: PlannedReply) -> Iterator[bytes]:
    for number, event in enumerate(_events(plan)):
        yield b"event: %b\ndata: %b\n\n" % (event["type"].encode(), encode({**event, "sequence_number": number}))


def _events(plan: PlannedReply) -> Iterator[Json]:
    begun = _response(plan, "in_progress")
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    for place, (item, pieces) in enumerate(_items(plan)):
        empty = {"status": "in_progress"} if "status" in item else {}
        hollow: Json = (
            {"content": []} if item["type"] == "message" else {"arguments": ""} if "arguments" in item else {}
        )
        yield {"type": "response.output_item.added", "output_index": place, "item": {**item, **empty, **hollow}}
        at = {"item_id": item["id"], "output_index": place}
        yield from _text_events(item, pieces, at) if item["type"] == "message" else _call_events(item, pieces, at)
        yield {"type": "response.output_item.done", "output_index": place, "item": item}
    status = _status(plan)
    yield {"type": f"response.{status}", "response": _response(plan, status)}


def _text_events(item: Json, pieces: tuple[str, ...], at: Json) -> Iterator[Json]:
    part = item["content"][0]
    at = {**at, "content_index": 0}
    yield {"type": "response.content_part.added", **at, "part": {**part, "text": ""}}
    for piece in pieces:
        yield {"type": "response.output_text.delta", **at, "delta": piece, "logprobs": []}
    yield {"type": "response.output_text.done", **at, "text": part["text"], "logprobs": []}
    yield {"type": "response.content_part.done", **at, "part": part}


def _call_events(item: Json, pieces: tuple[str, ...], at: Json) -> Iterator[Json]:
    for piece in pieces:
        yield {"type": "response.function_call_arguments.delta", **at, "delta": piece}
    if pieces:
        named = {"name": item["name"], "arguments": item["arguments"]}
        yield {"type": "response.function_call_arguments.done", **at, **named}


def _words_in(reply: Mapping[str, Any]) -> Pieces:
    for item in listed(reply.get("output")):
        kind = text(mapping(item).get("type"))
        yield "", kind == "function_call"
        if kind == "message":
            for part in listed(mapping(item).get("content")):
                yield text(mapping(part).get("text")), False


def _words_in_event(event: Mapping[str, Any]) -> Pieces:
    if event.get("type") == "response.completed":
        yield from _words_in(mapping(event.get("response")))


WRITER = ReplyWriter(whole, events)
WORDS = TextReaders(_words_in, _words_in_event)
