"""A reply that no model made: a text, in the shape of a dialect, as a whole or as a stream, with usage zero.

For a gateway that answers in the provider's place. The shapes are those of the providers' references:
https://platform.openai.com/docs/api-reference/chat/object, https://docs.claude.com/en/api/messages,
https://platform.openai.com/docs/api-reference/responses/object.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from modicum.calls import Usage
from modicum.providers.bodies import encoded
from modicum.providers.wire_usage import anthropic_usage, openai_chat_usage, openai_responses_usage

Json = dict[str, Any]
NONE_USED = Usage()
JSON = b"application/json"
EVENTS = b"text/event-stream; charset=utf-8"


class Said(NamedTuple):
    """What is to be said, and for whom."""

    reply_id: str
    """Letters and digits; each dialect puts its prefix before it."""
    model: str
    text: str
    created: int
    """Seconds since 1970."""
    stream: bool
    usage_asked: bool
    """Whether a chat stream is to hold the chunk with usage."""


def own_reply(dialect: str, said: Said) -> tuple[bytes, bytes] | None:
    """Content type and body of the reply; None for a dialect in which there is none."""
    shapes = _SHAPES.get(dialect)
    if shapes is None:
        return None
    whole, events = shapes
    return (EVENTS, b"".join(events(said))) if said.stream else (JSON, encoded(whole(said)))


def _chat(said: Said) -> Json:
    message: Json = {"role": "assistant", "content": said.text, "refusal": None, "annotations": []}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return {**_chat_head(said, "chat.completion"), "choices": [choice], "usage": openai_chat_usage(NONE_USED)}


def _chat_head(said: Said, kind: str) -> Json:
    return {"id": f"chatcmpl-{said.reply_id}", "object": kind, "created": said.created, "model": said.model}


def _chat_events(said: Said) -> Iterator[bytes]:
    head = _chat_head(said, "chat.completion.chunk")
    asked: Json = {"usage": None} if said.usage_asked else {}
    for delta, finish in (({"role": "assistant", "content": said.text, "refusal": None}, None), ({}, "stop")):
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        yield b"data: %b\n\n" % encoded({**head, "choices": [choice], **asked})
    if said.usage_asked:
        yield b"data: %b\n\n" % encoded({**head, "choices": [], "usage": openai_chat_usage(NONE_USED)})
    yield b"data: [DONE]\n\n"


def _message(said: Said) -> Json:
    return {
        "id": f"msg_{said.reply_id}",
        "type": "message",
        "role": "assistant",
        "model": said.model,
        "content": [{"type": "text", "text": said.text}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": anthropic_usage(NONE_USED),
    }


def _message_events(said: Said) -> Iterator[bytes]:
    begun = {**_message(said), "content": [], "stop_reason": None}
    delta = {"type": "text_delta", "text": said.text}
    events: list[Json] = [
        {"type": "message_start", "message": begun},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": delta},
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 0},
        },
        {"type": "message_stop"},
    ]
    return (b"event: %b\ndata: %b\n\n" % (event["type"].encode(), encoded(event)) for event in events)


def _response(said: Said) -> Json:
    return {
        "id": f"resp_{said.reply_id}",
        "object": "response",
        "created_at": said.created,
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "model": said.model,
        "output": [_output(said)],
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "store": False,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "usage": openai_responses_usage(NONE_USED),
        "metadata": {},
    }


def _output(said: Said) -> Json:
    part = {"type": "output_text", "text": said.text, "annotations": [], "logprobs": []}
    return {
        "id": f"msg_{said.reply_id}",
        "type": "message",
        "status": "completed",
        "role": "assistant",
        "content": [part],
    }


def _response_events(said: Said) -> Iterator[bytes]:
    response, item = _response(said), _output(said)
    begun = {**response, "status": "in_progress", "output": [], "usage": None}
    at = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    events: list[Json] = [
        {"type": "response.created", "response": begun},
        {"type": "response.in_progress", "response": begun},
        {
            "type": "response.output_item.added",
            "output_index": 0,
            "item": {**item, "status": "in_progress", "content": []},
        },
        {"type": "response.content_part.added", **at, "part": {**item["content"][0], "text": ""}},
        {"type": "response.output_text.delta", **at, "delta": said.text, "logprobs": []},
        {"type": "response.output_text.done", **at, "text": said.text, "logprobs": []},
        {"type": "response.content_part.done", **at, "part": item["content"][0]},
        {"type": "response.output_item.done", "output_index": 0, "item": item},
        {"type": "response.completed", "response": response},
    ]
    for number, event in enumerate(events):
        yield b"event: %b\ndata: %b\n\n" % (event["type"].encode(), encoded({**event, "sequence_number": number}))


_SHAPES: dict[str, tuple[Callable[[Said], Json], Callable[[Said], Iterator[bytes]]]] = {
    "openai-chat": (_chat, _chat_events),
    "anthropic-messages": (_message, _message_events),
    "openai-responses": (_response, _response_events),
}
