"""A reply that no model made, before it is put into a dialect: the mock provider's, or a gateway's in its place."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from modicum.calls import Usage


class ToolCall(NamedTuple):
    call_id: str
    name: str
    arguments: dict[str, Any]

    @property
    def arguments_json(self) -> str:
        return msgspec.json.encode(self.arguments).decode()


class PlannedReply(NamedTuple):
    reply_id: str
    """Letters and digits; each dialect puts its prefix before it."""
    model: str
    created: int
    """Seconds since 1970."""
    usage: Usage | None
    """None: the reply is to hold no usage."""
    usage_asked: bool
    """Whether a stream is to hold usage, in a dialect where it must be asked for."""
    pieces: tuple[str, ...]
    """The text, as a stream cuts it; none: the reply has no text at all."""
    reasoning: str = ""
    calls: tuple[ToolCall, ...] = ()
    finish: str = "stop"
    """`stop`, `length` or `tool_calls`."""
    path: str = ""
    """Under which it was asked for, in a dialect that has several."""
    request: Mapping[str, Any] = {}
    """What it replies to, for dialects in which a reply has the shape of its request."""

    @property
    def text(self) -> str:
        return "".join(self.pieces)


class ReplyWriter(NamedTuple):
    """How a dialect writes a planned reply."""

    whole: Callable[[PlannedReply], bytes]
    events: Callable[[PlannedReply], Iterator[bytes]] = lambda plan: iter(())  # noqa: ARG005 - an API without streams
    array: Callable[[PlannedReply], Iterator[bytes]] | None = None
    """The stream as one JSON array, for a caller whose path does not ask for events (`alt=sse`)."""
    content_type: Callable[[PlannedReply], str] = lambda plan: "text/event-stream"  # noqa: ARG005 - as nearly all
    """Of the stream, where it is not one JSON array."""
