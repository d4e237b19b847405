"""What a load run comes to: times, rates, joules per token, at each concurrency; and the file that keeps it."""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from modicum.calls.errors import UserError
from modicum.calls.outside.regular_file import read_named
from modicum.calls.words.counted_nouns import number_of
from modicum.calls.words.percentages import percent
from modicum.energy.counter_curve import CounterCurve
from modicum.energy.load_generator import LoadRun, LoadStream
from modicum.energy.samples import GpuFacts, GpuReading

FORMAT = "modicum-energy-bench-1"
MOST_REASONS = 3
"""Reasons of failures that a remark names, the most frequent ones."""
BUSY_CLIENT = 0.8
"""A client that uses more of a core than this may have slowed the server's replies down."""


class BenchPoint(msgspec.Struct, frozen=True, kw_only=True):
    """The steady window of one run. Seconds, joules of all GPUs together; None: not measured."""

    concurrency: int
    repeat: int
    seconds: float
    prompt_tokens: float
    """Mean prompt of a finished request, as the server counted it."""
    output_tokens: float
    finished: int
    failures: int
    failure_reasons: dict[str, int] = {}
    """Why, each with how often."""
    time_to_first_token_s: tuple[float, float]
    """Median and 99th percentile."""
    time_between_tokens_s: tuple[float, float]
    """Median and 99th percentile of the gaps between pieces of a stream."""
    tokens_per_second: float
    """Generated, all streams together."""
    tokens_per_second_each: float
    """Generated, of one stream: what a user sees."""
    joules: float | None
    joules_per_generated_token: float | None
    tokens_per_watt: float | None
    mean_watts: float | None
    power_limit_watts: float | None
    """Sum over the GPUs."""
    remarks: tuple[str, ...] = ()


class BenchResult(msgspec.Struct, frozen=True):
    format: str
    model: str
    gpus: tuple[GpuFacts, ...]
    points: tuple[BenchPoint, ...]
    made_with: str = ""


def measure_point(run: LoadRun, repeat: int, readings: Sequence[GpuReading], gpus: Sequence[GpuFacts]) -> BenchPoint:
    """What one load run comes to at its concurrency: times, rates, and joules per token.

    Raises:
        UserError: no request got as far as a token, or none finished in the window.
    """
    start, end = run.steady_from, run.steady_to
    finished = [stream for stream in run.streams if stream.finished is not None and stream.generated_tokens]
    if not finished or end <= start:
        raise UserError(
            f"no request finished at concurrency {run.concurrency}; make --seconds longer or --output-tokens smaller"
        )
    per_piece = sum(stream.generated_tokens or 0 for stream in finished) / sum(
        max(1, len(stream.pieces)) for stream in finished
    )
    tokens = per_piece * sum(1 for stream in run.streams for moment in stream.pieces if start <= moment <= end)
    gaps = [
        later - sooner
        for stream in run.streams
        for sooner, later in zip(stream.pieces, stream.pieces[1:], strict=False)
        if start <= sooner and later <= end
    ]
    waits = [stream.pieces[0] - stream.started for stream in run.streams if stream.pieces and stream.started >= start]
    waits = waits or [stream.pieces[0] - stream.started for stream in run.streams if stream.pieces]
    joules = _sum_joules(readings, start, end)
    seconds = end - start
    limits = {reading.gpu: reading.power_limit_watts for reading in readings}
    known_limits = [limit for limit in limits.values() if limit is not None]
    gap = _compute_quantiles(gaps, per_piece)
    return BenchPoint(
        concurrency=run.concurrency,
        repeat=repeat,
        seconds=seconds,
        prompt_tokens=_mean([stream.prompt_tokens for stream in finished]),
        output_tokens=_mean([stream.generated_tokens for stream in finished]),
        finished=sum(1 for stream in finished if (stream.finished or 0) <= end),
        failures=run.failures,
        failure_reasons=run.failure_reasons,
        time_to_first_token_s=_compute_quantiles(waits, 1.0),
        time_between_tokens_s=gap,
        tokens_per_second=tokens / seconds,
        tokens_per_second_each=tokens / seconds / run.concurrency,
        joules=joules,
        joules_per_generated_token=joules / tokens if joules is not None and tokens else None,
        tokens_per_watt=tokens / joules if joules else None,
        mean_watts=joules / seconds if joules is not None else None,
        power_limit_watts=sum(known_limits) if known_limits and len(known_limits) == len(gpus) else None,
        remarks=_list_remarks(run, finished, joules, readings),
    )


def _sum_joules(readings: Sequence[GpuReading], start: float, end: float) -> float | None:
    gpus = sorted({reading.gpu for reading in readings})
    parts = [
        CounterCurve([reading for reading in readings if reading.gpu == gpu]).joules_between(start, end) for gpu in gpus
    ]
    known = [part for part in parts if part is not None]
    return sum(known) if known and len(known) == len(parts) else None


def _compute_quantiles(values: Sequence[float], tokens_per_value: float) -> tuple[float, float]:
    """Median and 99th percentile per token; NaN never: without a value both are 0."""
    if not values:
        return 0.0, 0.0
    median, high = np.quantile(np.array(values) / tokens_per_value, [0.5, 0.99])
    return float(median), float(high)


def _mean(values: Sequence[int | None]) -> float:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else 0.0


def _list_remarks(
    run: LoadRun, finished: Sequence[LoadStream], joules: float | None, readings: Sequence[GpuReading]
) -> tuple[str, ...]:
    remarks = []
    if run.client_load > BUSY_CLIENT:
        remarks.append(f"this client used {percent(run.client_load, 0)} of a core and may have been the limit")
    if run.steady_to - run.steady_from < 5:
        remarks.append("the window is shorter than 5 s: too short for the energy counter")
    if len(finished) < run.concurrency:
        remarks.append("fewer requests finished than there were streams: the window is short compared with a request")
    if run.failures:
        counted = sorted(run.failure_reasons.items(), key=lambda one: -one[1])[:MOST_REASONS]
        why = "; ".join(f"{times} x {reason}" for reason, times in counted)
        remarks.append(f"{number_of(run.failures, 'request')} failed" + (f": {why}" if why else ""))
    if run.resent:
        remarks.append(
            "the server closes connections after a reply; requests on these were sent again at once and are no failures"
        )
    if joules is None and readings:
        remarks.append("the energy readings do not cover the window")
    slowed = sorted({word for reading in readings for word in reading.slowed_by})
    if slowed:
        remarks.append(f"the clocks were throttled: {', '.join(slowed)}")
    return tuple(remarks)


def write_result(path: Path, result: BenchResult) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=1) + b"\n")


def read_result(path: Path) -> BenchResult:
    """Reads the file that `write_result` wrote.

    Raises:
        UserError: the file is not there, or no result of a bench.
    """
    try:
        result = msgspec.json.decode(read_named(path), type=BenchResult)
    except (msgspec.DecodeError, RecursionError):
        raise UserError(f"{path}: not a result of 'modicum energy bench --out'") from None
    if result.format != FORMAT:
        raise UserError(f"{path}: its format is '{result.format:.40}', not {FORMAT}")
    return result
