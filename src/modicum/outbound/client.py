"""HTTP to hosts that a person named. Nothing else in modicum opens a connection to a model server.

No redirects are followed and no proxy is taken from the environment: a request goes to the named host or nowhere.
"""

from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any, Self

import msgspec

from modicum.outbound.hosts import AllowedHosts

if TYPE_CHECKING:
    from types import TracebackType

    import aiohttp


Failures = tuple[type[Exception], ...]
"""Errors of a connection, whoever raises them."""


class Unreachable(Exception):  # noqa: N818 - the state of a host, not a bug
    """The host did not answer, or answered with an error status. The message names the host and no content."""

    def __init__(self, message: str, status: int | None = None, retry_after: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after
        """The header of that name, if the host sent it."""


class Untrusted(Unreachable):
    """The host's certificate is not believed. The message says by which check."""


class Outbound:
    """An asynchronous client, used as a context manager."""

    def __init__(self, hosts: AllowedHosts, *, connections: int = 100, timeout_s: float = 30.0) -> None:
        self._hosts = hosts
        self._connections = connections
        self._timeout_s = timeout_s
        self._session: aiohttp.ClientSession | None = None
        self._failures: Failures = ()

    async def __aenter__(self) -> Self:
        # Here, since it takes start-up time, and the ledger process needs it only where spans are sent somewhere.
        import aiohttp

        self._failures = aiohttp.ClientError, TimeoutError, OSError
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=self._connections),
            # A long stream is no fault; a silent host is.
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=self._timeout_s, sock_read=self._timeout_s),
            trust_env=False,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._session is not None:
            await self._session.close()

    async def get(self, url: str) -> bytes:
        """The body of a GET.

        Raises:
            UserError: the host was not named.
            Unreachable: no answer, or a status other than 200.
        """
        async with self._open("GET", url) as reply:
            return await reply.read()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], most_bytes: int = 1 << 20) -> bytes:
        """The beginning of the reply to a posted body.

        Raises:
            UserError: the host was not named.
            Unreachable: no answer, a status other than 200, or a connection that broke.
        """
        async with self._open("POST", url, data=body, headers=headers) as reply:
            answer = b""
            while len(answer) < most_bytes and (piece := await reply.content.read(most_bytes - len(answer))):
                answer += piece
            return answer

    async def post_lines(self, url: str, document: Any, headers: Mapping[str, str]) -> AsyncIterator[bytes]:
        """The lines of the reply to a posted JSON document, as they come; for event streams.

        Raises:
            UserError: the host was not named.
            Unreachable: no answer, a status other than 200, or a connection that broke.
        """
        body = msgspec.json.encode(document)
        async with self._open("POST", url, data=body, headers={"content-type": "application/json", **headers}) as reply:
            async for line in reply.content:
                yield line

    def _open(self, method: str, url: str, **extra: Any) -> "_Exchange":
        assert self._session is not None, "use `async with Outbound(...)`"  # noqa: S101 - a bug of the caller
        self._hosts.check(url)
        return _Exchange(self._session, method, url, extra, self._failures)


class _Exchange:
    """One request; turns every way in which a host fails into `Unreachable`."""

    def __init__(
        self, session: "aiohttp.ClientSession", method: str, url: str, extra: dict[str, Any], failures: Failures
    ) -> None:
        self._failures = failures
        self._context = session.request(method, url, allow_redirects=False, **extra)
        self._url = url

    async def __aenter__(self) -> "aiohttp.ClientResponse":
        try:
            reply = await self._context.__aenter__()
        except self._failures as error:
            raise Unreachable(f"{self._url}: no answer ({type(error).__name__})") from None
        if reply.status != 200:
            await self._context.__aexit__(None, None, None)
            raise Unreachable(
                f"{self._url}: answered with status {reply.status}", reply.status, reply.headers.get("retry-after", "")
            )
        return reply

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: "TracebackType | None"
    ) -> None:
        await self._context.__aexit__(kind, error, trace)
        if isinstance(error, self._failures):
            raise Unreachable(f"{self._url}: the connection broke ({type(error).__name__})") from None
