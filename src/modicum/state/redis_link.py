"""One connection to a Redis or Valkey server: what callers ask in the same moment goes in one write."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from urllib.parse import urlsplit

from modicum.calls import UserError
from modicum.calls.containment import contain
from modicum.calls.extras import load_extra
from modicum.state import redis_scripts
from modicum.state.counters import StateAway

TIMEOUT_S = 2.0
"""How long the server may take: then nobody knows, and calls go on or are refused as the owner chose."""
SCRIPTS = tuple(
    getattr(redis_scripts, name)
    for name in ("OPEN", "RESERVE", "SETTLE", "LEVELS", "ADD", "SINCE", "AWAIT", "LEAVE", "BEAT", "RECORDS", "CHANGE")
)
SHAS = {script: hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest() for script in SCRIPTS}

Opened = Callable[["RedisLink", str], Awaitable[None]]


class RedisLink:
    """Args:
    url: `redis://user:password@host:port/number`, `rediss://` with TLS, or `unix://path`.
    opened: run on every new connection before anything else is asked on it, with the run of the server: another
        after every start of it.
    """

    def __init__(self, url: str, opened: Opened) -> None:
        self._connections = load_extra("redis", "State that several gateways share", "redis.asyncio.connection")
        self._errors = load_extra("redis", "State that several gateways share", "redis.exceptions")
        self.place = place_of(url)
        self._options = self._parse(url)
        self._opened = opened
        self._connection: Any = None
        self._pending: list[tuple[tuple[Any, ...], asyncio.Future[Any]]] = []
        self._sending: asyncio.Task[None] | None = None
        self._is_open = False
        self.problem = "it was not asked yet"

    @property
    def is_open(self) -> bool:
        return self._is_open

    async def open(self) -> None:
        """Connects.

        Raises:
            StateAway: the server cannot be reached.
            UserError: it is there, and it cannot be used.
        """
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await self._drop()
                self._connection = self._options["connection_class"](
                    **{name: value for name, value in self._options.items() if name != "connection_class"}
                )
                await self._connection.connect()
                server, memory, *_ = await self._ask_at_once(
                    [("INFO", "server"), ("INFO", "memory"), *(("SCRIPT", "LOAD", script) for script in SCRIPTS)]
                )
                self._check_eviction(_fields(memory))
                await self._opened(self, _fields(server).get("run_id", ""))
        except (OSError, TimeoutError, self._errors.ConnectionError, self._errors.TimeoutError) as error:
            raise self._lost(error, self._connection) from None
        except self._errors.RedisError as error:
            self._lost(error, self._connection)
            raise UserError(f"state.redis {self.place} cannot be used: {error}{_what_to_do(str(error))}") from None
        self._is_open, self.problem = True, ""

    async def run(self, script: str, marker: str, *arguments: Any) -> Any:
        """What a script answers.

        Raises:
            StateAway: nobody knows whether it was run.
        """
        return await self.ask(script, marker, *arguments)

    def ask(self, script: str, marker: str, *arguments: Any) -> "asyncio.Future[Any]":
        """As `run`, for who waits later or not at all: scripts run in the order in which they were asked.

        Raises:
            StateAway: it was not run. The future may raise it too: then nobody knows.
        """
        if not self._is_open:
            raise StateAway(f"{self.place}: {self.problem}")
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._pending.append((_command(script, marker, arguments), future))
        if self._sending is None:
            self._sending = asyncio.ensure_future(self._send())
        return future

    async def run_at_once(self, script: str, marker: str, *arguments: Any) -> Any:
        """As `run`, on a connection that is being opened."""
        (answer,) = await self._ask_at_once([_command(script, marker, arguments)])
        return answer

    async def close(self) -> None:
        self._is_open, self.problem = False, "it was closed"
        if self._sending is not None:
            await self._sending
        await self._drop()

    async def _send(self) -> None:
        """Whatever is asked goes to the connection that there is then: its answers may come when there is another."""
        while self._pending:
            batch, self._pending = self._pending, []
            connection, answers = self._connection, None
            if self._is_open:
                try:
                    async with asyncio.timeout(TIMEOUT_S):
                        answers = await self._ask_at_once([command for command, _ in batch], raising=False)
                except (OSError, TimeoutError, self._errors.RedisError) as error:
                    self._lost(error, connection)
            if answers is None:
                answers = [StateAway(f"{self.place}: {self.problem}")] * len(batch)
            for (_, future), answer in zip(batch, answers, strict=True):
                self._hand_over(future, answer, connection)
        self._sending = None

    def _hand_over(self, future: "asyncio.Future[Any]", answer: Any, connection: Any) -> None:
        if future.done():  # its caller went away
            return
        if not isinstance(answer, Exception):
            future.set_result(answer)
        elif isinstance(answer, StateAway):
            future.set_exception(answer)
        elif str(answer).startswith((redis_scripts.FOREIGN, "WRONGTYPE")):
            future.set_exception(StateAway(f"{self.place}: there is data of another program under our keys: {answer}"))
        else:  # the counters were lost, or the scripts were: all of it is set up anew
            future.set_exception(self._lost(answer, connection))

    async def _ask_at_once(self, commands: Sequence[tuple[Any, ...]], *, raising: bool = True) -> list[Any]:
        connection = self._connection
        await connection.send_packed_command(connection.pack_commands(commands), check_health=False)
        answers: list[Any] = []
        for _ in commands:
            try:
                answers.append(await connection.read_response())
            except self._errors.ResponseError as error:
                answers.append(error)
        if raising and (wrong := next((one for one in answers if isinstance(one, Exception)), None)) is not None:
            raise wrong
        return answers

    def _lost(self, error: Exception, connection: Any) -> StateAway:
        problem = str(error) or type(error).__name__
        if connection is self._connection:
            self._is_open, self.problem = False, problem
        return StateAway(f"{self.place}: {problem}")

    async def _drop(self) -> None:
        former, self._connection = self._connection, None
        if former is not None:
            with contain():  # whatever an already broken connection says of that
                await former.disconnect(nowait=True)

    def _parse(self, url: str) -> dict[str, Any]:
        retry = load_extra("redis", "", "redis.asyncio.retry")
        backoff = load_extra("redis", "", "redis.backoff")
        try:
            options: dict[str, Any] = self._connections.parse_url(url)
        except ValueError as error:
            raise UserError(f"state.redis is no address: {error}; it looks like redis://host:6379/0") from None
        options.setdefault("connection_class", self._connections.Connection)
        return options | {"retry": retry.Retry(backoff.NoBackoff(), 0), "decode_responses": False, "protocol": 2}

    def _check_eviction(self, memory: dict[str, str]) -> None:
        policy = memory.get("maxmemory_policy", "noeviction")
        if memory.get("maxmemory", "0") != "0" and policy != "noeviction":
            raise self._errors.ResponseError(
                f"its maxmemory-policy is {policy}: it would throw counters away when its memory is full"
            )


def place_of(url: str) -> str:
    """The address without user and password."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _command(script: str, marker: str, arguments: Sequence[Any]) -> tuple[Any, ...]:
    return ("EVALSHA", SHAS[script], 1, marker, *arguments)


def _fields(info: bytes) -> dict[str, str]:
    pairs = (line.partition(":") for line in info.decode("utf-8", "replace").splitlines())
    return {name: value for name, _, value in pairs}


def _what_to_do(error: str) -> str:
    if error.startswith(redis_scripts.FOREIGN):
        return "; set state.prefix to a name that nothing else uses"
    return "; set maxmemory-policy noeviction there" if "maxmemory-policy" in error else ""
