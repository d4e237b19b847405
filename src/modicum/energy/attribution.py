"""What each call cost in energy: shares of what was measured, idle and unseen work on their own lines.

In an interval a step's energy is divided by the number of requests in the batch; a prompt or generated token is charged
to whose it is. With the additive law of `split` that is the Shapley value of each step (compare Han et al., ISCA 2025).
Shares are scaled so that they, idle and the unseen part sum to what was measured.
"""

import itertools
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from modicum.calls.outside.regular_file import read_named
from modicum.calls.problem import Problem
from modicum.energy.energy_split import Split
from modicum.energy.regime_spans import RegimeSpan
from modicum.energy.window_cutter import Interval

SHORT_SECONDS = 2.0
"""A lone request shorter than this is not measured but shared out by rule: counters refresh too slowly for it."""


class ServedCall(msgspec.Struct, frozen=True):
    """A call that a gateway passed on to the watched servers. Times on the clock of the samples (`Sample.wall` or
    `Sample.at`: one of the two for all).
    """

    call_id: str
    started: float
    first_token: float | None
    """None: no token came; the whole time is prompt work."""
    finished: float
    uncached_prompt_tokens: int
    generated_tokens: int


class CallEnergy(msgspec.Struct, frozen=True):
    call_id: str
    joules: float
    """Active energy: without idle."""
    idle_joules: float
    """Idle power while the call ran, shared among the calls that ran then."""
    generated_tokens: int
    short: bool
    """Shared out by rule over less than 2 s: an estimate rather than a measurement."""


class EnergyAttribution(msgspec.Struct, frozen=True):
    """Joules of a recording, given to calls. `calls`, `idle_joules` and `unseen_joules` sum to `measured_joules`;
    the idle power while calls ran is in `idle_joules`, not in the calls.
    """

    calls: tuple[CallEnergy, ...]
    measured_joules: float
    idle_joules: float
    unseen_joules: float
    """Active energy of tokens that no given call explains: other clients of the server, or calls not recorded."""
    rule: str
    """`split`: by the fitted law. `occupancy`: by time in the server, where no split could be fitted. `mixed`: some
    stretches by one, some by the other.
    """


class _Share(msgspec.Struct):
    weight: float
    occupancy: float


def attribute(intervals: Sequence[Interval], calls: Sequence[ServedCall], split: Split | None) -> EnergyAttribution:
    """Shares out the energy of `intervals`. Without a split nothing is called idle but what quiet time shows."""
    active = {call.call_id: 0.0 for call in calls}
    idle_of = dict.fromkeys(active, 0.0)
    idle_total = unseen = measured = 0.0
    ordered = sorted(calls, key=lambda call: call.started)
    running: list[ServedCall] = []
    next_call = 0
    for interval in intervals:
        while next_call < len(ordered) and ordered[next_call].started < interval.end:
            running.append(ordered[next_call])
            next_call += 1
        running = [call for call in running if call.finished > interval.start]
        measured += interval.joules
        idle = min(interval.joules, _idle_joules(interval, split))
        idle_total += idle
        shares = _shares(interval, running, split)
        whole = _sum_all_weights(interval, split, shares)
        for call_id, share in shares.items():
            if whole > 0:
                active[call_id] += (interval.joules - idle) * share.weight / whole
        seen = sum(share.weight for share in shares.values()) / whole if whole > 0 else 0.0
        unseen += (interval.joules - idle) * (1 - seen)
        occupied = sum(share.occupancy for share in shares.values())
        for call_id, share in shares.items():
            if occupied > 0:
                idle_of[call_id] += idle * share.occupancy / occupied
    return EnergyAttribution(
        calls=tuple(
            CallEnergy(
                call.call_id,
                active[call.call_id],
                idle_of[call.call_id],
                call.generated_tokens,
                short=call.finished - call.started < SHORT_SECONDS,
            )
            for call in calls
        ),
        measured_joules=measured,
        idle_joules=idle_total,
        unseen_joules=unseen,
        rule="split" if split is not None else "occupancy",
    )


def attribute_spans(found: Sequence[RegimeSpan], calls: Sequence[ServedCall]) -> EnergyAttribution:
    """Shares out each stretch by its own law; a call that ran in two has a part of both."""
    return merge_attributions(
        [
            attribute(
                stretch.intervals,
                [call for call in calls if call.started < stretch.end and call.finished >= stretch.start],
                stretch.law,
            )
            for stretch in found
        ]
    )


def merge_attributions(parts: Sequence[EnergyAttribution]) -> EnergyAttribution:
    """Several times or servers as one; a call stands once."""
    calls: dict[str, CallEnergy] = {}
    for call in itertools.chain.from_iterable(part.calls for part in parts):
        known = calls.get(call.call_id)
        if known is not None:
            call = msgspec.structs.replace(  # noqa: PLW2901 - the sum stands for it
                call, joules=known.joules + call.joules, idle_joules=known.idle_joules + call.idle_joules
            )
        calls[call.call_id] = call
    rules = {part.rule for part in parts}
    return EnergyAttribution(
        calls=tuple(calls.values()),
        measured_joules=sum(part.measured_joules for part in parts),
        idle_joules=sum(part.idle_joules for part in parts),
        unseen_joules=sum(part.unseen_joules for part in parts),
        rule=rules.pop() if len(rules) == 1 else "mixed",
    )


def _idle_joules(interval: Interval, split: Split | None) -> float:
    if interval.quiet:
        return interval.joules
    return split.coefficients[0] * interval.seconds if split is not None else 0.0


def _overlap(start: float, end: float, interval: Interval) -> float:
    return max(0.0, min(end, interval.end) - max(start, interval.start))


def _shares(interval: Interval, running: Iterable[ServedCall], split: Split | None) -> dict[str, _Share]:
    """Weight of each call in an interval, in joules of the law (or seconds without one)."""
    inside = [(call, _overlap(call.started, call.finished, interval)) for call in running]
    inside = [(call, seconds) for call, seconds in inside if seconds > 0]
    if split is None:
        return {call.call_id: _Share(seconds, seconds) for call, seconds in inside}
    batch = {call.call_id: part for call, part in _batch_shares(interval, [call for call, _ in inside])}
    _, per_step, per_prompt, per_generated = split.coefficients
    shared = interval.steps if split.counts_steps and interval.steps is not None else interval.busy_seconds
    known = _measure_known_load(interval, [seconds for _, seconds in inside])
    return {
        call.call_id: _Share(
            weight=per_step * shared * batch[call.call_id] * known
            + per_prompt * _prompt_tokens(call, interval)
            + per_generated * _generated_tokens(call, interval),
            occupancy=seconds,
        )
        for call, seconds in inside
    }


def _measure_known_load(interval: Interval, seconds: Sequence[float]) -> float:
    """The part of the running requests that the given calls are, by time; 1 where the server saw no more."""
    seen = sum(seconds)
    return min(1.0, seen / interval.running_seconds) if interval.running_seconds > 0 else 1.0


def _batch_shares(interval: Interval, calls: Sequence[ServedCall]) -> Iterable[tuple[ServedCall, float]]:
    """Integral of 1/batch over each call's time in the interval, as a part of the time in which any call ran: calls
    that run together pay for a step in equal parts, a lone one pays alone.
    """
    edges = sorted(
        {interval.start, interval.end}
        | {min(max(call.started, interval.start), interval.end) for call in calls}
        | {min(max(call.finished, interval.start), interval.end) for call in calls}
    )
    parts = dict.fromkeys((call.call_id for call in calls), 0.0)
    covered = 0.0
    for left, right in itertools.pairwise(edges):
        here = [call for call in calls if call.started <= left and call.finished >= right]
        if here:
            covered += right - left
            for call in here:
                parts[call.call_id] += (right - left) / len(here)
    for call in calls:
        yield call, parts[call.call_id] / covered if covered > 0 else 0.0


def _prompt_tokens(call: ServedCall, interval: Interval) -> float:
    """Prompt tokens worked on in the interval, taken as spread evenly up to the first token."""
    end = call.first_token if call.first_token is not None else call.finished
    return call.uncached_prompt_tokens * _share_of_time(call.started, end, interval)


def _generated_tokens(call: ServedCall, interval: Interval) -> float:
    start = call.first_token if call.first_token is not None else call.finished
    return call.generated_tokens * _share_of_time(start, call.finished, interval)


def _share_of_time(start: float, end: float, interval: Interval) -> float:
    if end <= start:
        return 1.0 if interval.start <= start < interval.end else 0.0
    return _overlap(start, end, interval) / (end - start)


def _sum_all_weights(interval: Interval, split: Split | None, shares: dict[str, _Share]) -> float:
    """What the weights would sum to if every request of the interval were known: by the server's own counters."""
    given = sum(share.weight for share in shares.values())
    if split is None:
        return max(given, interval.running_seconds)
    _, per_step, per_prompt, per_generated = split.coefficients
    shared = interval.steps if split.counts_steps and interval.steps is not None else interval.busy_seconds
    counted = (
        per_step * shared + per_prompt * interval.uncached_prompt_tokens + per_generated * interval.generated_tokens
    )
    return max(given, counted)


LAST_SECOND = 7_258_118_400.0
"""2200: a later time is in milliseconds, or none."""


def read_calls(path: Path) -> tuple[list[ServedCall], list[Problem]]:
    """Calls from a file with one JSON object a line, times in seconds since 1970. Lines that are no call, or whose
    times contradict each other, are problems.
    """
    decoder = msgspec.json.Decoder(ServedCall)
    calls, problems = [], []
    for number, line in enumerate(read_named(path).splitlines(), 1):
        if not line.strip():
            continue
        try:
            call = decoder.decode(line)
        except (msgspec.DecodeError, RecursionError) as error:
            problems.append(Problem(str(path), f"no call ({error})", number))
            continue
        first = call.started if call.first_token is None else call.first_token
        if not 0 <= call.started <= call.finished <= LAST_SECOND:
            problems.append(Problem(str(path), "its times are not seconds since 1970", number))
            continue
        if not call.started <= first <= call.finished:
            problems.append(Problem(str(path), "started, first_token and finished are not in order", number))
            continue
        calls.append(call)
    return calls, problems
