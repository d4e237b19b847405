"""Who listens to a reply: a seam for all that learns from what a model said, and neither changes nor delays it."""

from collections.abc import Callable, Mapping
from typing import Protocol

from modicum.gateway.exchange import Exchange

Failed = Callable[[str], None]
"""Counts the failure of a stage, by its name."""


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
        try:
            listener.on_chunk(chunk)
        except Exception:  # noqa: BLE001 - who listens may fail, the reply may not
            failed(listener.name)
            exchange.listeners = tuple(one for one in exchange.listeners if one is not listener)


def pass_end(exchange: Exchange, end: bytes, failed: Failed) -> None:
    """Tells who listens that the reply is over."""
    for listener in exchange.listeners:
        try:
            exchange.tags = {**exchange.tags, **listener.on_end(exchange, end)}
        except Exception:  # noqa: BLE001 - as above
            failed(listener.name)
