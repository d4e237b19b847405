"""A text as a reply that no model made, with usage zero: for a gateway that answers in the provider's place."""

from typing import NamedTuple

from modicum.calls import Usage
from modicum.providers.planned_reply import PlannedReply, ReplyWriter

JSON = b"application/json"
EVENTS = b"text/event-stream; charset=utf-8"


class OwnText(NamedTuple):
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


def write_own_reply(writer: ReplyWriter, own: OwnText) -> tuple[bytes, bytes]:
    """Content type and body of the reply."""
    plan = PlannedReply(own.reply_id, own.model, own.created, Usage(), own.usage_asked, (own.text,))
    return (EVENTS, b"".join(writer.events(plan))) if own.stream else (JSON, writer.whole(plan))
