"""Who listens to a reply: a seam for all that learns from what a model said, and neither changes nor delays it."""

from collections.abc import Mapping
from typing import Protocol

from modicum.gateway.exchange import Exchange
from modicum.gateway.failures import Failed, contain_stage


class ReplyListener(Protocol):
    """Listens to one reply of an upstream. If it fails, that is counted, and the reply goes on without it."""

    name: str
    """The stage under which its failures are counted."""

    def on_chunk(self, chunk: bytes) -> None:
        """A piece of a stream, as the upstream wrote it; pieces are cut anywhere."""

    def on_end(self, exchange: Exchange, end: bytes) -> Mapping[str, str]:
        """The reply is over, and its facts are known (`exchange.reply`). `end` is what the caller still gets: all of a
        reply that was no stream, in the caller's dialect. Returns tags for the call's record.
        """


def pass_chunk(exchange: Exchange, chunk: bytes, failed: Failed) -> None:
    """Hands a piece of a stream to who listens."""
    for listener in exchange.listeners:
        with contain_stage(listener.name, failed) as stage:
            listener.on_chunk(chunk)
        if stage.error is not None:  # it has not heard all of the reply
            exchange.listeners = tuple(one for one in exchange.listeners if one is not listener)


def pass_end(exchange: Exchange, end: bytes, failed: Failed) -> None:
    """Tells who listens that the reply is over."""
    for listener in exchange.listeners:
        with contain_stage(listener.name, failed):
            exchange.tags = {**exchange.tags, **listener.on_end(exchange, end)}
