"""Chat completions written, as a whole or as chunks, and their words."""

from collections.abc import Iterator, Mapping
from typing import Any

from modicum.providers.body_parsing import encode
from modicum.providers.fields import listed, mapping, text
from modicum.providers.openai.usage import chat_usage
from modicum.providers.planned_reply import PlannedReply, ReplyWriter
from modicum.providers.reply_text import Pieces, TextReaders

Json = dict[str, Any]


def whole(plan: PlannedReply) -> bytes:
    message: Json = {
        "role": "assistant",
        "content": plan.text if plan.pieces else None,
        "refusal": None,
        "annotations": [],
    }
    if plan.calls:
        message["tool_calls"] = [_call(call) for call in plan.calls]
    wire = _head(plan, "chat.completion")
    wire["choices"] = [{"index": 0, "message": message, "logprobs": None, "finish_reason": plan.finish}]
    if plan.usage:
        wire["usage"] = chat_usage(plan.usage)
    return encode(wire)


def _head(plan: PlannedReply, kind: str) -> Json:
    head = {"id": f"chatcmpl-{plan.reply_id}", "object": kind, "created": plan.created, "model": plan.model}
    return {**head, "service_tier": "default", "system_fingerprint": None}


def _call(call: Any) -> Json:
    function = {"name": call.name, "arguments": call.arguments_json}
    return {"id": f"call_{call.call_id}", "type": "function", "function": function}


def events(plan: PlannedReply) -> Iterator[bytes]:
    head = _head(plan, "chat.completion.chunk")
    for delta in _deltas(plan):
        yield _chunk(plan, head, {"index": 0, "delta": delta, "logprobs": None, "finish_reason": None})
    yield _chunk(plan, head, {"index": 0, "delta": {}, "logprobs": None, "finish_reason": plan.finish})
    if plan.usage and plan.usage_asked:
        yield b"data: %b\n\n" % encode({**head, "choices": [], "usage": chat_usage(plan.usage)})
    yield b"data: [DONE]\n\n"


def _deltas(plan: PlannedReply) -> Iterator[Json]:
    yield {"role": "assistant", "content": None if plan.calls else "", "refusal": None}
    for piece in plan.pieces:
        yield {"content": piece}
    for place, call in enumerate(plan.calls):
        begun = _call(call) | {"function": {"name": call.name, "arguments": ""}}
        yield {"tool_calls": [{"index": place, **begun}]}
        half = len(call.arguments_json) // 2
        for part in (call.arguments_json[:half], call.arguments_json[half:]):
            yield {"tool_calls": [{"index": place, "function": {"arguments": part}}]}


def _chunk(plan: PlannedReply, head: Json, choice: Json) -> bytes:
    usage_field: Json = {"usage": None} if plan.usage_asked else {}
    return b"data: %b\n\n" % encode({**head, "choices": [choice], **usage_field})


def _words_in(reply: Mapping[str, Any]) -> Pieces:
    for choice in listed(reply.get("choices"))[:1]:
        message = mapping(mapping(choice).get("message"))
        yield text(message.get("content")), bool(message.get("tool_calls"))


def _words_in_event(event: Mapping[str, Any]) -> Pieces:
    for choice in listed(event.get("choices")):
        if mapping(choice).get("index") in {0, None}:
            delta = mapping(mapping(choice).get("delta"))
            yield text(delta.get("content")), bool(delta.get("tool_calls"))


WRITER = ReplyWriter(whole, events)
WORDS = TextReaders(_words_in, _words_in_event)
