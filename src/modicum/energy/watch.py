"""Watches a running server: reads GPUs and metrics once a second. `watch_totals.py` works out what that comes to.

The order of a sample matters: GPUs on an edge of their counter, then the servers, then the GPUs again, so that energy
at the moment of the scrape lies between two close readings.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Protocol
from urllib.parse import urlsplit

from modicum.calls.errors import UserError
from modicum.energy.meters import Meter, dcgm
from modicum.energy.samples import GpuFacts, GpuReading, Sample, ServerReading
from modicum.energy.servers import read_server
from modicum.energy.servers.exposition import Exposition, parse_exposition
from modicum.outbound.client import Outbound
from modicum.outbound.unreachable import Unreachable

JITTER = 0.1
"""Samples come up to this part sooner or later, so that no rhythm of the load is in step with them."""


class GpuSource(Protocol):
    async def facts(self) -> tuple[GpuFacts, ...]: ...

    async def read(self) -> tuple[GpuReading, ...]: ...


class LocalGpus:
    """A meter of this machine, read beside the event loop: it waits for an edge of the counter."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    async def facts(self) -> tuple[GpuFacts, ...]:
        return self._meter.facts()

    async def read(self) -> tuple[GpuReading, ...]:
        return await asyncio.to_thread(self._meter.read)


class RemoteGpus:
    """GPUs of another machine, through its dcgm-exporter."""

    def __init__(self, client: Outbound, url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._url = url
        self._clock = clock
        self._shown: dict[str, float | None] = {}

    async def facts(self) -> tuple[GpuFacts, ...]:
        try:
            metrics, _ = await self._fetch()
        except Unreachable as error:
            raise UserError(f"{error}; is dcgm-exporter running there?") from None
        dcgm.readings(self._url, metrics, 0.0)
        return dcgm.facts(self._url, metrics)

    async def read(self) -> tuple[GpuReading, ...]:
        """Only GPUs whose counter moved since: the exporter repeats old figures between its refreshes."""
        metrics, at = await self._fetch()
        fresh = [
            reading
            for reading in dcgm.readings(self._url, metrics, at)
            if self._shown.get(reading.gpu) != reading.energy_joules
        ]
        self._shown.update((reading.gpu, reading.energy_joules) for reading in fresh)
        return tuple(fresh)

    async def _fetch(self) -> tuple[Exposition, float]:
        before = self._clock()
        text = await self._client.get(self._url)
        try:
            return parse_exposition(text.decode(errors="replace")), (before + self._clock()) / 2
        except ValueError as error:
            raise UserError(f"{self._url}: its page is not a metrics page ({error})") from None


class Watcher:
    """Takes samples of the given servers and GPUs."""

    def __init__(
        self,
        client: Outbound,
        servers: Sequence[str],
        sources: Sequence[GpuSource],
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._servers = servers
        self._sources = sources
        self._clock = clock
        self._wall = wall

    async def sample(self) -> Sample:
        missing: list[str] = []
        before = await self._gpus(missing)
        at, wall = self._clock(), self._wall()
        readings = await asyncio.gather(*(self._server(server, missing) for server in self._servers))
        after = await self._gpus(missing)
        return Sample(
            at=at,
            wall=wall,
            gpus=before + after,
            servers=tuple(reading for reading in readings if reading is not None),
            missing=tuple(dict.fromkeys(missing)),
        )

    async def _gpus(self, missing: list[str]) -> tuple[GpuReading, ...]:
        found: list[GpuReading] = []
        for source in self._sources:
            try:
                found.extend(await source.read())
            except (Unreachable, UserError) as error:
                missing.append(str(error))
        return tuple(found)

    async def _server(self, server: str, missing: list[str]) -> ServerReading | None:
        before = self._clock()
        try:
            text = await self._client.get(complete_metrics_url(server))
            return read_server(server, text.decode(errors="replace"), (before + self._clock()) / 2)
        except (Unreachable, UserError) as error:
            # A server that starts again answers with anything; the watch goes on and leaves the time out.
            missing.append(str(error))
            return None

    async def samples(self, interval_s: float, stop: asyncio.Event) -> AsyncIterator[Sample]:
        """Samples until `stop` is set. The first must reach every server.

        Raises:
            UserError: a server does not answer the first time, or answers with no metrics page.
        """
        first = await self.sample()
        if first.missing:
            silent = "answer" in first.missing[0]
            raise UserError(first.missing[0] + ("; is the server running, and is this its address?" if silent else ""))
        yield first
        while not stop.is_set():
            pause = interval_s * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - keeps no secret
            try:
                await asyncio.wait_for(stop.wait(), pause)
            except TimeoutError:
                yield await self.sample()


def complete_metrics_url(server: str) -> str:
    """`http://host:8000` is asked at `/metrics`; an address with a path is taken as it is."""
    return server if urlsplit(server).path.strip("/") else server.rstrip("/") + "/metrics"
