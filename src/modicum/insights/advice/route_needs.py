"""What a route's calls really needed of output and reasoning, and what to try with less of: a cap, a lower effort.

A route is a team's or app's calls to one model: what a variant of the settings can be about. Only calls that ended well
say what was needed. Nothing is applied: each proposal is a variant for an experiment.
"""

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from modicum.calls import Basis, CallStatus
from modicum.calls.words.counted_nouns import number_of
from modicum.calls.words.percentages import percent
from modicum.ledger.store import Store
from modicum.statistics.proportions import share_over_tasks

FEWEST_CALLS = 300
"""Of fewer calls the longest may well lie below the 99th percentile (0.99 ** 299 is 5 %)."""
FEWEST_TASKS = 20
"""Calls of one task resemble each other, and an experiment is drawn by task."""
KEPT_SHARE = 0.99
CAP_HEADROOM = 0.25
"""How far above the 99th percentile a cap lies."""
LEAST_CAP = 16
"""Some APIs refuse less."""
LOW_EFFORT = "low"
"""The least effort that all APIs with one know."""
MUCH_REASONING = 0.5
LITTLE_REASONING = 0.1
"""Shares of a route's output."""
CUT_OFF = frozenset({"length", "max_tokens", "max_output_tokens", "model_context_window_exceeded", "budget_cut_off"})
"""Words of APIs, and ours, for a reply that met a limit: it says nothing of what was needed."""
NOT_WELL = frozenset(
    {
        *("content_filter", "refusal", "safety", "recitation", "blocklist", "prohibited_content", "spii", "error"),
        *("failed", "incomplete", "cancelled", "malformed_function_call", "malformed_response", "no_image"),
    }
)

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class OutputCap(msgspec.Struct, frozen=True, kw_only=True):
    """A cap on output to try."""

    most_output_tokens: int
    calls_cut: int
    """Of the calls that ended well, those that had more."""
    share_cut: float
    share_cut_low: float
    share_cut_high: float
    """95 %, over tasks."""
    tokens_beyond: int
    usd_beyond: float | None
    """What was paid for them: the most that the cap could have saved. None: no price is known."""


class LowerEffort(msgspec.Struct, frozen=True, kw_only=True):
    """An effort to try."""

    effort: str
    why: str
    usd_at_most: float | None
    """What the route's reasoning cost. A lower effort saves a part of it. None: no price is known."""
    share_of_cost: float | None


class RouteNeeds(msgspec.Struct, frozen=True, kw_only=True):
    """What calls of one route needed."""

    route: str
    """`app/model`, with the team before it where there is one."""
    team: str
    app: str
    provider: str
    model: str
    calls: int
    calls_ended_well: int
    """What all figures of tokens are of."""
    calls_cut_off: int
    """That met a limit of output."""
    calls_failed: int
    """Or were refused, or broke off; and calls of tasks whose every outcome is 0."""
    calls_estimated: int
    """Of those that ended well: logged before the output was final, so what is taken is our own count of the reply."""
    calls_uncertain: int
    """That ended well, and of whose output less than the whole is known."""
    calls_missing: int
    """How many more have to end well before anything is proposed."""
    tasks: int
    tasks_missing: int
    cost_usd: float | None
    output_median: int | None
    output_p99: int | None
    output_most: int | None
    reasoning_median: int | None
    """None: no call of the route has reasoning that is counted apart."""
    reasoning_p99: int | None
    reasoning_share: float | None
    """Of the route's output."""
    cap: OutputCap | None
    why_no_cap: str
    effort: LowerEffort | None
    why_no_effort: str


def measure_needs(store: Store, span: tuple[datetime, datetime], outcome: str = "") -> list[RouteNeeds]:
    """What every route of that time needed, the dearest first.

    Args:
        store: the ledger.
        span: since, until.
        outcome: calls of tasks that have it, and never above 0, count as failed. Empty: no task counts as failed.
    """
    columns = store.ask_columns("route_outputs", since=span[0], until=span[1])
    failed_tasks = _failed_tasks(store, outcome) if outcome else frozenset[str]()
    names = list(zip(*(columns[name] for name in ("team", "app", "provider", "model")), strict=True))
    places: dict[tuple[str, str, str, str], list[int]] = {}
    for place, name in enumerate(names):
        places.setdefault(name, []).append(place)
    routes = [
        _measure(name, {key: column[rows] for key, column in columns.items()}, failed_tasks)
        for name, rows in places.items()
    ]
    return sorted(routes, key=lambda one: (-(one.cost_usd or 0.0), -one.calls, one.route))


def _failed_tasks(store: Store, outcome: str) -> frozenset[str]:
    rows = store.ask("named_outcomes", outcome=outcome)
    reached = {row["task"] for row in rows if row["value"] > 0}
    return frozenset(row["task"] for row in rows) - reached


def _measure(
    name: tuple[str, str, str, str], columns: Mapping[str, NDArray[Any]], failed_tasks: frozenset[str]
) -> RouteNeeds:
    team, app, provider, model = name
    reason = np.array([str(word).lower() for word in columns["finish_reason"]], dtype=object)
    cut = np.isin(reason, list(CUT_OFF))
    of_failed = np.array([task in failed_tasks for task in columns["task"]], dtype=np.bool_)
    failed = ~cut & ((columns["status"] != CallStatus.OK.value) | np.isin(reason, list(NOT_WELL)) | of_failed)
    ended = ~cut & ~failed
    exact = columns["output_basis"] == Basis.EXACT.value
    estimated = ended & ~exact & (columns["output_estimated"] >= 0)
    sure = (ended & exact) | estimated
    output = np.where(exact, columns["output"], columns["output_estimated"])[sure]
    reasoning = columns["reasoning"][sure]
    tasks = columns["task"][sure]
    count, task_count = len(output), len(set(tasks))
    missing, tasks_missing = max(0, FEWEST_CALLS - count), max(0, FEWEST_TASKS - task_count)
    why = _why_too_few(count, missing, tasks_missing)
    thinks = bool(reasoning.any())
    cost, share = _sum(columns["cost_usd"][sure]), float(reasoning.sum() / max(1, output.sum()))
    price = np.divide(
        columns["output_usd"], columns["output"], out=np.full(len(cut), np.nan), where=columns["output"] > 0
    )
    cap = None if why else _cap(output, tasks, price[sure])
    effort, why_no_effort = (None, why) if why else _effort(share, thinks, _sum(columns["reasoning_usd"][sure]), cost)
    return RouteNeeds(
        route="/".join(filter(None, (team, app, model))),
        team=team,
        app=app,
        provider=provider,
        model=model,
        calls=len(cut),
        calls_ended_well=count,
        calls_cut_off=int(cut.sum()),
        calls_failed=int(failed.sum()),
        calls_estimated=int(estimated.sum()),
        calls_uncertain=int(ended.sum()) - count,
        calls_missing=missing,
        tasks=task_count,
        tasks_missing=tasks_missing,
        cost_usd=_sum(columns["cost_usd"]),
        output_median=_quantile(output, 0.5),
        output_p99=_quantile(output, KEPT_SHARE),
        output_most=int(output.max()) if count else None,
        reasoning_median=_quantile(reasoning, 0.5) if thinks else None,
        reasoning_p99=_quantile(reasoning, KEPT_SHARE) if thinks else None,
        reasoning_share=share if thinks else None,
        cap=cap,
        why_no_cap=why,
        effort=effort,
        why_no_effort=why_no_effort,
    )


def _why_too_few(count: int, missing: int, tasks_missing: int) -> str:
    if not missing and not tasks_missing:
        return ""
    lacks = [number_of(missing, "more call") + " that ended well"] if missing else []
    lacks += [f"calls of {number_of(tasks_missing, 'more task')}"] if tasks_missing else []
    return f"too few: {number_of(count, 'call')} with a known output ended well; {' and '.join(lacks)} needed"


def _cap(output: Ints, tasks: NDArray[np.object_], price: Floats) -> OutputCap:
    """`price`: of a token of each call's output."""
    usual = _quantile(output, KEPT_SHARE)
    assert usual is not None  # noqa: S101 - only where there are enough
    most = round_up(max(LEAST_CAP, math.ceil(usual * (1 + CAP_HEADROOM))))
    over = output > most
    beyond = np.where(over, output - most, 0)
    low, high = share_over_tasks(over.astype(np.float64), np.asarray(tasks, dtype=str))
    return OutputCap(
        most_output_tokens=most,
        calls_cut=int(over.sum()),
        share_cut=float(over.mean()),
        share_cut_low=low,
        share_cut_high=high,
        tokens_beyond=int(beyond.sum()),
        usd_beyond=_sum(np.where(over, beyond * price, 0.0)) if np.isfinite(price).any() else None,
    )


def _effort(share: float, thinks: bool, usd: float | None, cost: float | None) -> tuple[LowerEffort | None, str]:
    """The effort to try, or why there is none."""
    if not thinks:
        return None, "no call of it has reasoning that the provider counts apart from its replies"
    if LITTLE_REASONING < share < MUCH_REASONING:
        return None, f"reasoning is {percent(share, 0)} of the output: neither most of it nor next to none"
    why = (
        f"reasoning is {percent(share, 0)} of the output: most of what is paid for it"
        if share >= MUCH_REASONING
        else f"reasoning is {percent(share, 0)} of the output: these calls hardly need it"
    )
    part = usd / cost if usd is not None and cost else None
    return LowerEffort(effort=LOW_EFFORT, why=why, usd_at_most=usd, share_of_cost=part), ""


def _sum(values: Floats) -> float | None:
    """Of those that are known; None: none is."""
    return float(np.nansum(values)) if np.isfinite(values).any() else None


def _quantile(values: Ints, share: float) -> int | None:
    """A value of the sample: at least this share of it is that or less."""
    return int(np.sort(values)[math.ceil(share * len(values)) - 1]) if len(values) else None


def round_up(number: int) -> int:
    """To two digits: 1,234 is 1,300."""
    unit = int(10 ** max(0, len(str(number)) - 2))
    return math.ceil(number / unit) * unit
