"""A watch as it comes in: samples to windows, sums and the split. A live watch and a replay of its log go through the
same `Tally`, so they cannot differ; memory stays bounded however long a watch runs.
"""

from collections import deque
from collections.abc import Sequence
from pathlib import Path

import msgspec

from modicum.calls.energy_window import EnergyWindow
from modicum.calls.problem import Problem
from modicum.energy.energy_split import Split, fit_split
from modicum.energy.sample_intervals import IntervalBuilder, list_gpus
from modicum.energy.samples import Sample
from modicum.energy.watch_figures import WatchFigures
from modicum.energy.window_cutter import LEAST_WINDOW_S, Interval, WindowCutter, join_intervals

LAST_S = 30.0
SPLIT_S = 24 * 3600.0
"""The split is of the last day at most: intervals before are summed up and forgotten."""
MOST_KINDS_MISSING = 100


class WatchReport(msgspec.Struct, frozen=True):
    """What a recording comes to. The same for a live watch and for a replay of its log."""

    figures: WatchFigures | None
    """None: no interval could be used."""
    last: WatchFigures | None
    """Of the last 30 s."""
    split: Split | None
    """Of the last regime (`Measuring`), a day at most; None: too few windows in it."""
    windows: int
    """Windows of 5 s or longer in the time of the split."""
    batches: tuple[float, ...]
    """Running requests at once in each of these windows in which any ran."""
    split_seconds: float
    """Measured time that the split is of."""
    regimes: int
    """How many there were: a restart, another model or power limit begins a new one."""
    energy_counted: bool
    kinds: tuple[str, ...]
    """Kinds of servers that answered."""
    problems: tuple[Problem, ...]


class WatchTotals:
    """Takes samples one by one and keeps what they come to: windows, sums, and the split.

    Args:
        source: is named in problems.
        gpus: whose energy is summed up.
        servers: whose counters are read.
        provider: the name under which calls to these servers are booked; empty: nobody said.
    """

    def __init__(self, source: str, gpus: Sequence[str], servers: Sequence[str], provider: str = "") -> None:
        self._source = source
        self._gpus, self._servers, self._provider = tuple(sorted(gpus)), tuple(sorted(servers)), provider
        self._measuring = IntervalBuilder(source, self._gpus)
        self._cutter = WindowCutter()
        self._total: Interval | None = None
        self._seconds = 0.0
        self._recent: deque[Interval] = deque()
        self._windows: deque[Interval] = deque()
        self._regime: str | None = None
        self._regimes = 0
        self._missing: dict[str, int] = {}
        self._kinds: set[str] = set()

    def add(self, sample: Sample) -> list[EnergyWindow]:
        """The windows that are closed now: nothing that comes later changes them."""
        self._kinds.update(reading.kind for reading in sample.servers)
        for text in sample.missing:
            if text in self._missing or len(self._missing) < MOST_KINDS_MISSING:
                self._missing[text] = self._missing.get(text, 0) + 1
        return self._add_intervals(self._measuring.add(sample))

    def finish(self) -> list[EnergyWindow]:
        """The window under way, at the end of the recording."""
        closed = self._add_intervals(self._measuring.finish())
        return closed + self._record_windows(self._cutter.finish())

    def report(self, expert_share: float | None = None) -> WatchReport:
        missing = (f"{text} ({times} times)" if times > 1 else text for text, times in sorted(self._missing.items()))
        return WatchReport(
            figures=None if self._total is None else WatchFigures.of([self._total], self._seconds),
            last=self.last,
            # The window under way is in the sums, and in no split until it is closed.
            split=fit_split(list(self._recent), list(self._windows), expert_share),
            windows=len(self._windows),
            batches=tuple(
                window.running_seconds / window.busy_seconds for window in self._windows if window.busy_seconds
            ),
            split_seconds=sum(interval.seconds for interval in self._recent),
            regimes=self._regimes,
            energy_counted=self._measuring.energy_counted,
            kinds=tuple(sorted(self._kinds)),
            problems=(*self._measuring.problems, *(Problem(self._source, text) for text in missing)),
        )

    @property
    def last(self) -> WatchFigures | None:
        """The figures of the last 30 s, without the work of a report."""
        found: list[Interval] = []
        for interval in reversed(self._recent):
            if interval.end <= self._recent[-1].end - LAST_S:
                break
            found.append(interval)
        return WatchFigures.of(found[::-1])

    def _add_intervals(self, intervals: Sequence[Interval]) -> list[EnergyWindow]:
        closed: list[EnergyWindow] = []
        for interval in intervals:
            closed += self._record_windows(self._cutter.add(interval))
            if interval.regime != self._regime:
                self._regime, self._regimes = interval.regime, self._regimes + 1
                self._recent.clear()
                self._windows.clear()
            self._total = interval if self._total is None else join_intervals((self._total, interval))
            self._seconds += interval.seconds
            self._recent.append(interval)
            for kept in (self._recent, self._windows):
                while kept and kept[0].end < interval.end - SPLIT_S:
                    kept.popleft()
        return closed

    def _record_windows(self, closed: Sequence[Interval]) -> list[EnergyWindow]:
        self._windows.extend(window for window in closed if window.seconds >= LEAST_WINDOW_S)
        return [self._record(window) for window in closed]

    def _record(self, window: Interval) -> EnergyWindow:
        return EnergyWindow(
            started=window.start + window.wall_offset,
            seconds=window.seconds,
            gpus=self._gpus,
            servers=self._servers,
            provider=self._provider,
            joules=window.joules,
            counted=self._measuring.energy_counted,
            generated_tokens=window.generated_tokens,
            prompt_tokens=window.prompt_tokens,
            cached_tokens=window.cached_tokens,
            steps=window.steps,
            running_seconds=window.running_seconds,
            busy_seconds=window.busy_seconds,
            regime=window.regime,
        )


def make_report(
    samples: Sequence[Sample], source: str, gpus: Sequence[str] = (), expert_share: float | None = None
) -> WatchReport:
    """What a whole recording comes to. Without `gpus`: all that are in the samples. `expert_share`: as `fit_split`."""
    tally = _add_all(samples, source, gpus, "")
    for sample in samples:
        tally.add(sample)
    tally.finish()
    return tally.report(expert_share)


def list_energy_windows(
    samples: Sequence[Sample], source: str, provider: str = "", gpus: Sequence[str] = ()
) -> tuple[EnergyWindow, ...]:
    """All usable time of a recording as records, for a sink: their joules sum to what was measured."""
    tally = _add_all(samples, source, gpus, provider)
    return (*(window for sample in samples for window in tally.add(sample)), *tally.finish())


def _add_all(samples: Sequence[Sample], source: str, gpus: Sequence[str], provider: str) -> WatchTotals:
    servers = {reading.server for sample in samples for reading in sample.servers}
    return WatchTotals(source, gpus or list_gpus(samples), tuple(servers), provider)


def write_windows(path: Path, records: Sequence[EnergyWindow]) -> None:
    """One JSON object a line; what a ledger can take in later."""
    with path.open("ab") as file:
        for record in records:
            file.write(msgspec.json.encode(record) + b"\n")
