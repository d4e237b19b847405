"""One live watch: takes samples, logs them, passes on the windows that they close."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from modicum import __version__
from modicum.calls import EnergyWindow, UserError
from modicum.energy.samples import GpuFacts, Sample
from modicum.energy.watch import GpuSource, Watcher, complete_metrics_url
from modicum.energy.watch_log import FORMAT, LogHeader, LogWriter
from modicum.energy.watch_totals import WatchTotals
from modicum.outbound.client import Outbound


class LiveWatch:
    """Takes samples of running servers, logs them, and passes on the windows that they close.

    Args:
    servers: addresses of inference servers.
    sources: what energy is read from.
    interval_s: seconds between two samples, on average.
    log_path: a file to be made, for the raw samples.

    Attributes:
        tally: what was seen so far; `facts`: which GPUs. Both are there once `start` is over.
    """

    tally: WatchTotals
    facts: tuple[GpuFacts, ...]

    def __init__(
        self, servers: tuple[str, ...], sources: Sequence[GpuSource], interval_s: float, log_path: Path | None = None
    ) -> None:
        self._servers, self._sources, self._interval_s, self._log_path = servers, sources, interval_s, log_path

    async def start(self, provider: str) -> None:
        """Asks every GPU what it is.

        Raises:
            UserError: there is no source of energy, or something would be read, and so counted, twice.
        """
        if not self._sources:
            raise UserError(
                "no source of energy: remove --gpu none, or name an exporter with --dcgm http://host:9400/metrics"
            )
        self.facts = tuple([fact for source in self._sources for fact in await source.facts()])
        names = [fact.gpu for fact in self.facts]
        _check_distinct("--server", [complete_metrics_url(server) for server in self._servers])
        _check_distinct("GPU", names)
        self.tally = WatchTotals("watch", names, self._servers, provider)

    async def run(
        self,
        client: Outbound,
        stop: asyncio.Event,
        on_windows: Callable[[Sequence[EnergyWindow]], None],
        on_sample: Callable[[WatchTotals, Sample], None],
    ) -> None:
        """Until `stop` is set.

        Raises:
            UserError: a server does not answer the first time, or the log cannot be made.
        """
        with ExitStack() as files:
            samples = Watcher(client, self._servers, self._sources).samples(self._interval_s, stop)
            first = await anext(samples)  # a server that does not answer leaves no empty log behind
            log = self._open_log(files)
            async for sample in _prepended(first, samples):
                if log is not None:
                    log.write(sample)
                on_windows(self.tally.add(sample))
                on_sample(self.tally, sample)
            on_windows(self.tally.finish())

    def _open_log(self, files: ExitStack) -> LogWriter | None:
        path = self._log_path
        if path is None:
            return None
        try:
            file = files.enter_context(path.open("xb"))
        except FileExistsError:
            raise UserError(f"{path} exists already; a raw log is never overwritten: choose another name") from None
        except OSError as error:
            raise UserError(f"{path}: cannot be written ({error.strerror}); choose another place for --log") from None
        return LogWriter(file, LogHeader(FORMAT, self.facts, self._servers, self._interval_s, __version__))


def _check_distinct(what: str, names: Sequence[str]) -> None:
    """What is read twice would count twice."""
    for name in names:
        if names.count(name) > 1:
            raise UserError(f"{what} {name} is named twice; name each server and each exporter once")


async def _prepended(first: Sample, others: AsyncIterator[Sample]) -> AsyncIterator[Sample]:
    yield first
    async for sample in others:
        yield sample
