"""What one's own servers drew: booked windows of energy, shared out over the ledger's calls.

A call belongs to a server if its tag `server` is the server's address, or if it is booked under the provider that the
windows name. Windows that share a GPU with an earlier one in the same seconds (two watches at once) are left out.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any

import msgspec

from modicum.calls import Basis, EnergyWindow
from modicum.calls.energy_window import parse_models
from modicum.energy.attribution import EnergyAttribution, ServedCall, attribute_spans, merge_attributions
from modicum.energy.carbon import JOULES_PER_KWH
from modicum.energy.regime_spans import RegimeSpan, cut_by_regime
from modicum.energy.window_cutter import LEAST_WINDOW_S, Interval

Row = Mapping[str, Any]

LEAST_COVERED = 0.95
"""A call is measured if windows cover so much of its time."""
OVERLAP_S = 0.01


class EnergyLaw(msgspec.Struct, frozen=True, kw_only=True):
    """One fit and the time that it is for."""

    servers: tuple[str, ...]
    regime: str
    """`modicum.calls.EnergyWindow.regime`"""
    models: tuple[str, ...]
    """Empty: the servers do not say."""
    since: datetime
    until: datetime
    seconds: float
    """Measured time."""
    window_error: float | None
    """Mean relative error of a window that is left out of the fit; None: too few windows, shared out by time."""


class Consumption(msgspec.Struct, frozen=True, kw_only=True):
    attribution: EnergyAttribution
    """Calls, idle and unseen sum to what was measured. Of all servers together."""
    measured_calls: frozenset[str]
    """Calls whose time is covered by windows; of others only a part of the energy is known."""
    seconds: float
    windows: int
    windows_overlapping: int
    """Left out: another watch measured the same GPU then."""
    counted: bool
    """All from energy counters."""
    laws: tuple[EnergyLaw, ...]
    """By what the windows were shared out: one for each set of servers, regime and week or two."""


class EnergyTotals(msgspec.Struct, frozen=True, kw_only=True):
    """Kilowatt-hours of the GPUs in a span. `idle` and `busy` sum to `measured`."""

    measured: float
    idle: float
    busy: float
    basis: Basis
    """Exact: energy counters; estimated: power summed up."""
    idle_basis: Basis
    """Estimated: by the fitted split; lower bound: pauses alone, where no split could be fitted."""
    seconds: float
    windows: int
    windows_overlapping: int


def sum_energy(windows: Sequence[EnergyWindow]) -> EnergyTotals | None:
    """The energy of these windows together; None where nothing was measured: unknown is not 0."""
    found = share_energy(windows, [])
    if found is None:
        return None
    shared = found.attribution
    return EnergyTotals(
        measured=shared.measured_joules / JOULES_PER_KWH,
        idle=shared.idle_joules / JOULES_PER_KWH,
        busy=shared.unseen_joules / JOULES_PER_KWH,
        basis=Basis.EXACT if found.counted else Basis.ESTIMATED,
        idle_basis=Basis.ESTIMATED if shared.rule == "split" else Basis.LOWER_BOUND,
        seconds=found.seconds,
        windows=found.windows,
        windows_overlapping=found.windows_overlapping,
    )


def share_energy(windows: Sequence[EnergyWindow], rows: Sequence[Row], provider: str = "") -> Consumption | None:
    """Shares the windows out. `rows` are of the question `energy_calls`; `provider` was served by every server.

    None where there are no windows.
    """
    kept, overlapping = leave_out_overlaps(windows)
    if not kept:
        return None
    sites: dict[tuple[tuple[str, ...], tuple[str, ...]], list[EnergyWindow]] = {}
    for window in kept:
        sites.setdefault((window.gpus, window.servers), []).append(window)
    parts, laws, measured, taken_calls = [], list[EnergyLaw](), set(), set()
    for site in sites.values():
        # A call is served once: where several sites claim it, the first one in time has it.
        calls = [call for call in _select_calls(rows, site, provider) if call.call_id not in taken_calls]
        covered = _Coverage(site)
        calls = [call for call in calls if covered.share(call) > 0]
        taken_calls |= {call.call_id for call in calls}
        measured |= {call.call_id for call in calls if covered.share(call) >= LEAST_COVERED}
        found = cut_by_regime([_interval(window) for window in site], _drop_short)
        parts.append(attribute_spans(found, calls))
        laws += [describe_law(site[0].servers, stretch) for stretch in found]
    return Consumption(
        attribution=merge_attributions(parts),
        laws=tuple(laws),
        measured_calls=frozenset(measured),
        seconds=sum(window.seconds for window in kept),
        windows=len(kept),
        windows_overlapping=overlapping,
        counted=all(window.counted for window in kept),
    )


def add_energy(cells: Iterable[Row], rows: Sequence[Row], found: Consumption | None) -> list[Row]:
    """Cells of the question `yield` with `joules` and `calls_measured` of each task under each name.

    A call's joules are its active energy and its share of the idle power while it ran; pauses belong to nobody.
    """
    if found is None:
        return list(cells)
    joules = {call.call_id: call.joules + call.idle_joules for call in found.attribution.calls}
    sums: dict[tuple[str, str], tuple[float, int]] = {}
    for row in rows:
        if row["is_chosen"] and row["entry_id"] in found.measured_calls:
            spent, calls = sums.get((row["name"], row["task"]), (0.0, 0))
            sums[row["name"], row["task"]] = spent + joules[row["entry_id"]], calls + 1
    with_joules: list[Row] = []
    for cell in cells:
        # The first cell of a task under a name has it all; others, of other bases, nothing more.
        spent, calls = sums.pop((cell["name"], cell["task"]), (0.0, 0))
        with_joules.append({**cell, "joules": spent, "calls_measured": calls})
    return with_joules


def find_time_span(windows: Sequence[EnergyWindow]) -> tuple[datetime, datetime]:
    """From the beginning of the first to the end of the last."""
    ends = max(window.started + window.seconds for window in windows)
    return datetime.fromtimestamp(min(window.started for window in windows), UTC), datetime.fromtimestamp(ends, UTC)


def leave_out_overlaps(windows: Sequence[EnergyWindow]) -> tuple[list[EnergyWindow], int]:
    """Windows in order of time, none of which shares a GPU with another at one moment; how many were left out."""
    kept: list[EnergyWindow] = []
    busy_until: dict[str, float] = {}
    for window in sorted(windows, key=lambda window: (window.started, -window.seconds)):
        if any(busy_until.get(gpu, 0.0) > window.started + OVERLAP_S for gpu in window.gpus):
            continue
        kept.append(window)
        busy_until.update(dict.fromkeys(window.gpus, window.started + window.seconds))
    return kept, len(windows) - len(kept)


def _select_calls(rows: Iterable[Row], site: Sequence[EnergyWindow], provider: str) -> list[ServedCall]:
    servers = {_host_and_port(server) for server in site[0].servers}
    providers = {window.provider for window in site} | {provider}
    calls = []
    for row in rows:
        named = _host_and_port(row["server"]) in servers if row["server"] else row["provider"] in providers
        first = row["first_token"]
        if not row["provider"] and not row["server"]:
            continue
        if named and row["started"] <= (first or row["started"]) <= row["finished"]:
            calls.append(
                ServedCall(
                    row["entry_id"],
                    row["started"].timestamp(),
                    first.timestamp() if first else None,
                    row["finished"].timestamp(),
                    int(row["computed_prompt_tokens"]),
                    int(row["generated_tokens"]),
                )
            )
    return calls


def _host_and_port(url: str) -> str:
    """Host and port: `http://gpu1:8000/metrics` and `gpu1:8000` are the same server."""
    return url.partition("://")[2].partition("/")[0].lower() if "://" in url else url.partition("/")[0].lower()


def _interval(window: EnergyWindow) -> Interval:
    return Interval(
        start=window.started,
        end=window.started + window.seconds,
        joules=window.joules,
        generated_tokens=window.generated_tokens,
        prompt_tokens=window.prompt_tokens,
        cached_tokens=window.cached_tokens,
        steps=window.steps,
        running_seconds=window.running_seconds,
        busy_seconds=window.busy_seconds,
        waiting=0.0,
        regime=window.regime,
    )


def _drop_short(intervals: Sequence[Interval]) -> list[Interval]:
    """Windows have been cut already; short ones are good for sums only."""
    return [interval for interval in intervals if interval.seconds >= LEAST_WINDOW_S]


def describe_law(servers: tuple[str, ...], stretch: RegimeSpan) -> EnergyLaw:
    return EnergyLaw(
        servers=servers,
        regime=stretch.regime,
        models=parse_models(stretch.regime),
        since=datetime.fromtimestamp(stretch.start, UTC),
        until=datetime.fromtimestamp(stretch.end, UTC),
        seconds=stretch.seconds,
        window_error=stretch.law.window_error if stretch.law is not None else None,
    )


class _Coverage:
    """How much of a call's time lies in windows, which do not overlap and are in order."""

    def __init__(self, site: Sequence[EnergyWindow]) -> None:
        self._starts = [window.started for window in site]
        self._lengths = [window.seconds for window in site]
        self._before = [0.0, *accumulate(self._lengths)]

    def _until(self, at: float) -> float:
        index = bisect_right(self._starts, at) - 1
        return self._before[index] + min(at - self._starts[index], self._lengths[index]) if index >= 0 else 0.0

    def share(self, call: ServedCall) -> float:
        # A call without length (a log in whole seconds) is as long as a moment.
        end = max(call.finished, call.started + 1e-3)
        return (self._until(end) - self._until(call.started)) / (end - call.started)
