"""Turns on a WebSocket: what a client sends becomes a request as it would have been over HTTP, and its reply events.

What a provider keeps of an open socket, so that a turn may name the response before it although nothing is stored, is
kept here: the items of the last one.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import msgspec

from modicum.gateway.http.client import Message
from modicum.providers.body_parsing import UNREADABLE, encode
from modicum.providers.event_stream import EventBuffer, event_data
from modicum.providers.facts import DialectError
from modicum.providers.fields import listed, mapping, text

CREATE = "response.create"
MOST_CHAIN_BYTES = 16 * 1024 * 1024
_ENDS = (b'"response.completed"', b'"response.incomplete"')
_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode

SendText = Callable[[bytes], Awaitable[None]]


class Chain(NamedTuple):
    """The last response of a socket, where its provider stores none."""

    response_id: str
    items: list[Any]
    """All that a next request has to repeat."""


class Turn(NamedTuple):
    """A request that came over a socket."""

    body: bytes
    """As it is sent over HTTP."""
    items: list[Any] | None
    """Its input, where its response is not stored: the beginning of the next chain."""


def read_turn(message: bytes, chain: Chain | None) -> Turn:
    """The request in a message.

    Raises:
        DialectError: it is none, or asks for what is not served on a socket.
    """
    try:
        fields = _decode(message)
        kind = msgspec.json.decode(fields.pop("type", msgspec.Raw(b"null")))
        if kind != CREATE:
            raise DialectError(400, f"'{text(kind)[:60]}' is not served here; send {CREATE}", "unknown_event")
        if "response" in fields:
            fields = _decode(bytes(fields["response"]))
        for name in ("stream_id", "generate"):
            if bytes(fields.get(name, b"null")) not in {b"null", b"true"}:
                raise DialectError(400, f"'{name}' is not served here; leave it out", "unsupported_parameter")
        fields.pop("background", None)
        fields.pop("generate", None)
        fields["stream"] = msgspec.Raw(b"true")
        if bytes(fields.get("store", b"true")) != b"false":
            return Turn(msgspec.json.encode(fields), None)
        items = _items(msgspec.json.decode(fields.get("input", msgspec.Raw(b"[]"))))
        before = msgspec.json.decode(fields.get("previous_response_id", msgspec.Raw(b"null")))
    except UNREADABLE as wrong:
        raise DialectError(400, "a message on this socket is one JSON object") from wrong
    if chain is not None and before == chain.response_id:
        items = [*chain.items, *items]
        fields["input"] = msgspec.Raw(msgspec.json.encode(items))
        del fields["previous_response_id"]
    return Turn(msgspec.json.encode(fields), items)


def _items(given: Any) -> list[Any]:
    if isinstance(given, str):
        return [{"type": "message", "role": "user", "content": given}]
    return listed(given)


class TurnReply:
    """Takes an HTTP reply as a server would (ASGI), and sends it on as events of a socket.

    Args:
        send_text: sends one message.
    """

    def __init__(self, send_text: SendText) -> None:
        self._send_text = send_text
        self._events = EventBuffer()
        self._status, self._is_stream = 500, False
        self._body: list[bytes] = []
        self._left = asyncio.Event()
        self.response: dict[str, Any] | None = None
        """As its last event has it."""

    def leave(self) -> None:
        """The caller has left, or the turn is over."""
        self._left.set()

    async def receive(self) -> Message:
        """Waits until the caller leaves."""
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """A message of the reply."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            kind = next((value for name, value in message["headers"] if name == b"content-type"), b"")
            self._is_stream = kind.startswith(b"text/event-stream")
            return
        body, is_last = message.get("body", b""), not message.get("more_body", False)
        if self._is_stream:
            events = self._events.feed(body) + (self._events.end() if is_last else b"")
            for data in event_data(events):
                await self._event(data)
        else:
            self._body.append(body)
            if is_last:
                await self._send_text(self._whole(b"".join(self._body)))

    async def _event(self, data: bytes) -> None:
        if data == b"[DONE]":
            return
        if any(end in data for end in _ENDS):
            self._take(data)
        await self._send_text(data)

    def _take(self, data: bytes) -> None:
        try:
            found = msgspec.json.decode(data)
        except UNREADABLE:
            return
        self.response = dict(mapping(mapping(found).get("response"))) or None

    def _whole(self, body: bytes) -> bytes:
        """A reply that is no stream: an error, or a response whose upstream does not stream."""
        try:
            found = mapping(msgspec.json.decode(body))
        except UNREADABLE:
            found = {}
        if self._status == 200 and found:
            self.response = dict(found)
            return encode({"type": "response.completed", "sequence_number": 0, "response": found})
        error = found.get("error") or {"type": "server_error", "code": None, "message": "the reply is no JSON"}
        return encode({"type": "error", "status": self._status, "error": error})

    def chain(self, items: list[Any] | None) -> Chain | None:
        """What the next turn may go on from."""
        if items is None or self.response is None:
            return None
        whole = [*items, *listed(self.response.get("output"))]
        identity = text(self.response.get("id"))
        return Chain(identity, whole) if identity and len(encode({"": whole})) <= MOST_CHAIN_BYTES else None
