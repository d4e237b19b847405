"""A few requests by address: what watches servers, makes load and sends spans uses this.

It is the gateway's client (`keepalive`) behind an address and a check of it.
"""

from collections.abc import AsyncIterator, Mapping
from io import BytesIO
from typing import Any, Self

import msgspec

from modicum.calls.errors import UserError
from modicum.outbound.hosts import Address, AllowedHosts
from modicum.outbound.keepalive import Answer, Connections
from modicum.outbound.request_heads import request_head
from modicum.outbound.unreachable import Unreachable
from modicum.providers.line_buffer import LineBuffer

MOST_PAGE_BYTES = 256 * 1024 * 1024
OK = 200


class Outbound:
    """An asynchronous client, used as a context manager.

    Args:
        timeout_s: how long connecting may take, and how long the host may say nothing. A long stream is no fault; a
            silent host is.
    """

    def __init__(self, hosts: AllowedHosts, *, timeout_s: float = 30.0) -> None:
        self._hosts = hosts
        self._connections = Connections(connect_s=timeout_s, silence_s=timeout_s)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._connections.close()

    async def get(self, url: str) -> bytes:
        """The body of a GET.

        Raises:
            UserError: the host was not named.
            Unreachable: no answer, or a status other than 200.
        """
        address = self._hosts.check(url)
        answer = await self._send(address, b"GET", b"", {})
        try:
            return await answer.rest(MOST_PAGE_BYTES)
        except ConnectionError as error:
            raise _broke(address, error) from None
        finally:
            answer.close()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], most_bytes: int = 1 << 20) -> bytes:
        """The beginning of the reply to a posted body.

        Raises:
            UserError: the host was not named.
            Unreachable: no answer, a status other than 200, or a connection that broke.
        """
        address = self._hosts.check(url)
        answer, beginning = await self._send(address, b"POST", body, headers), b""
        try:
            while len(beginning) < most_bytes and (chunk := await answer.chunk()):
                beginning += chunk
        except ConnectionError as error:
            raise _broke(address, error) from None
        finally:
            answer.close()
        return beginning[:most_bytes]

    async def post_lines(self, url: str, document: Any, headers: Mapping[str, str]) -> AsyncIterator[bytes]:
        """The lines of the reply to a posted JSON document, as they come; for event streams.

        Raises:
            UserError: the host was not named.
            Unreachable: no answer, a status other than 200, a connection that broke, or a line too long to be held.
        """
        address, lines = self._hosts.check(url), LineBuffer()
        headers = {"content-type": "application/json", **headers}
        answer = await self._send(address, b"POST", msgspec.json.encode(document), headers)
        try:
            while chunk := await answer.chunk():
                for line in BytesIO(lines.feed(chunk)):
                    yield line
                if lines.skipped:
                    raise Unreachable(f"{address.shown}: sent a line without an end")
            if end := lines.end():
                yield end
        except ConnectionError as error:
            raise _broke(address, error) from None
        finally:
            answer.close()

    async def _send(self, address: Address, method: bytes, body: bytes, headers: Mapping[str, str]) -> Answer:
        """The reply, with status 200, as far as its headers."""
        named = {"accept": "*/*", "user-agent": "modicum", **{name.lower(): value for name, value in headers.items()}}
        fields = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in named.items()]
        fields.append((b"accept-encoding", b"identity"))
        if address.credentials and "authorization" not in named:
            fields.append((b"authorization", address.credentials))
        try:
            head = request_head(method, address.target, address.origin, fields, len(body))
        except ValueError as error:
            raise UserError(f"{address.shown}: {error}") from None
        try:
            answer = await self._connections.send(address.origin, head, body)
        except Unreachable as trouble:
            _, _, reason = str(trouble).partition(": ")
            raise type(trouble)(f"{address.shown}: no answer, {reason}") from None
        found = dict(answer.headers)
        if answer.status != OK:
            answer.close()
            retry_after = found.get(b"retry-after", b"").decode("latin-1")
            raise Unreachable(f"{address.shown}: answered with status {answer.status}", answer.status, retry_after)
        if found.get(b"content-encoding", b"identity").lower() != b"identity":
            answer.close()
            raise Unreachable(f"{address.shown}: answered in a compression that was not asked for")
        return answer


def _broke(address: Address, error: ConnectionError) -> Unreachable:
    return Unreachable(f"{address.shown}: the connection broke ({error})")
