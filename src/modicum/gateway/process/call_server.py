"""The server of a gateway process: when it takes connections, how it gives them up, and how it ends."""

import asyncio
import signal
import socket
from contextlib import suppress
from functools import partial
from typing import Any

import uvicorn

from modicum.gateway.parts import Parts
from modicum.gateway.process.fair_accept import Accepting
from modicum.gateway.process.guarded_protocol import LEAVING, GuardedProtocol
from modicum.gateway.process.log import log
from modicum.gateway.process.open_files import Shortage
from modicum.gateway.process.tls import TlsListener
from modicum.gateway.process.workers import Board
from modicum.outbound.server import DrainingServer

TURN_AWAY_EVERY_S = 0.05


class CallServer(DrainingServer):
    """Tells the pipeline when it is time to drain."""

    @property
    def port(self) -> int:
        """Where it listens in fact, if port 0 was asked for."""
        number: int = self.servers[0].sockets[0].getsockname()[1]
        return number

    def drain(self) -> None:
        """Takes no more calls and ends when those under way have ended."""
        self._parts.readiness.draining = True
        self.should_exit = True

    def __init__(
        self, config: uvicorn.Config, parts: Parts, board: Board, shortage: Shortage, tls: TlsListener | None = None
    ) -> None:
        super().__init__(config)
        self._parts, self._board, self._shortage, self._ending_signal = parts, board, shortage, 0
        self._tls = tls.context if tls is not None else None
        self._leaving: asyncio.Future[None] | None = None

    def leave(self, within_s: float) -> None:
        """Takes no more connections, serves those that there are to their end, and then ends. Each is closed with the
        reply to its next call, which says so: its caller connects anew, and comes to another process. One that stays
        idle is closed when its time to be kept is over, as ever.

        Args:
            within_s: when to drain in any case.
        """
        if self._leaving is not None or self.should_exit:
            return
        log("leaving", connections=self.connections, calls=self._parts.journal.calls_under_way)
        for accepting in self.servers:
            accepting.stop()  # type: ignore[attr-defined]
        self.lifespan.state[LEAVING] = True
        self._leaving = asyncio.ensure_future(self._drain_when_alone(within_s))

    async def _drain_when_alone(self, within_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                while self.connections or self._is_connecting:  # noqa: ASYNC110 - connections end by themselves
                    await asyncio.sleep(TURN_AWAY_EVERY_S)
        self.drain()

    @property
    def _is_connecting(self) -> bool:
        return any(accepting.is_connecting for accepting in self.servers)  # type: ignore[attr-defined]

    @property
    def connections(self) -> int:
        return len(self.server_state.connections)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        assert sockets is not None  # noqa: S101 - inherited
        protocol = partial(
            GuardedProtocol, config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        accepting = Accepting(sockets[0], protocol, self._board, lambda: self.connections, self._shortage, self._tls)
        self.servers = [accepting]  # type: ignore[list-item]
        self.started = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn does, and also for connections that were taken before the end and are made only now: kept alive,
        one of them would have its caller refused again and again until the drain is over.
        """
        if self._ending_signal:
            log("draining", signal=signal.Signals(self._ending_signal).name, calls=self._parts.journal.calls_under_way)
        turning_away = asyncio.create_task(self._turn_away())
        try:
            await super().shutdown(sockets)
        finally:
            turning_away.cancel()

    async def _turn_away(self) -> None:
        while True:
            await asyncio.sleep(TURN_AWAY_EVERY_S)
            for connection in list(self.server_state.connections):
                connection.shutdown()  # at once, or after the reply that is under way

    def handle_exit(self, sig: int, frame: Any) -> None:
        self._parts.readiness.draining = True
        self._ending_signal = sig  # logged by `shutdown`: a write that a signal interrupts must not be begun again
        super().handle_exit(sig, frame)
