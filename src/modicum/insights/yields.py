"""The yield: what came of the tokens. Outcomes per million tokens and cost per outcome, as ratios of sums.

It is a fold of cells, as the question `yield` gives them: what one task cost within one name of a dimension, per basis,
and the value of the task's outcome. What cannot be known is told apart and never dropped: tasks without the outcome,
calls without a price, calls outside any task.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from modicum.calls import Basis
from modicum.calls.words.counted_nouns import number_of
from modicum.energy.carbon import JOULES_PER_KWH
from modicum.insights.dimensions import TIMES
from modicum.insights.scoping.persons import PERSONAL
from modicum.statistics.ratios import ratio_of_sums

Cell = Mapping[str, Any]

CONFIDENCE = 0.95
MILLION = 1e6


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """A ratio of sums with its 95 % interval, clustered by task."""

    value: float | None
    low: float | None
    high: float | None
    tasks: int
    """Tasks whose figures are all known, and so are in both sums."""
    no_interval: str
    """Why there is no interval; empty where there is one."""
    caution: str = ""
    """Why an interval that is given may be too narrow; empty where the data give no reason."""


class YieldLine(msgspec.Struct, frozen=True, kw_only=True):
    """The yield of one name, or the total. What is said of tasks holds for the part of them that is under this name."""

    name: str
    tasks: int
    """Tasks that have the outcome. All figures are of these, but for those named `without_outcome` and `outside`."""
    tasks_shared: int
    """Tasks of these that worked under other names as well, so that their outcome was shared out."""
    tasks_failed: int
    """Tasks whose outcome sums to 0."""
    outcomes: float
    """Sum of the values, shares of shared tasks included."""
    calls: int
    calls_unpriced: int
    tokens: int
    """All tokens as they were counted, whatever they cost."""
    tokens_basis: Basis
    effective_tokens: float | None
    """Tokens weighed by price, uncached input = 1; None where no call has a weight."""
    cost_usd: Decimal | None
    basis: Basis
    """The weakest basis of the costs, and with them of the effective tokens."""
    cost_usd_by_basis: dict[Basis, Decimal]
    outcomes_per_million_effective_tokens: Estimate
    outcomes_per_million_tokens: Estimate
    cost_per_outcome_usd: Estimate
    cost_per_outcome_all_tasks_usd: Estimate
    """As if the tasks without the outcome had tried for it and got nothing."""
    outcomes_per_kwh: Estimate | None
    """Over tasks of which every call was measured on a watched server, failed ones included; None where none was."""
    energy_kwh: float | None
    """What the GPUs drew for those tasks, idle power while their calls ran included; None: not measured."""
    cost_failed_usd: Decimal | None
    tasks_without_outcome: int
    cost_without_outcome_usd: Decimal | None
    calls_outside_tasks: int
    cost_outside_tasks_usd: Decimal | None


class Yield(msgspec.Struct, frozen=True, kw_only=True):
    outcome: str
    by: str
    total: YieldLine
    rows: list[YieldLine]
    """By what they cost, the dearest first; times in their order."""
    rules: list[str]
    """What one must know to read the figures, in sentences."""


class TaskYield(msgspec.Struct, kw_only=True):
    """What one task did under one name."""

    task: str
    value: float | None
    """The task's outcome, or this part's share of it; None where the task has none."""
    is_failed: bool
    """The outcome of the whole task is 0."""
    is_shared: bool = False
    calls: int = 0
    calls_uncounted: int = 0
    calls_unpriced: int = 0
    calls_unweighted: int = 0
    tokens: int = 0
    tokens_basis: Basis = Basis.EXACT
    effective_tokens: float = 0.0
    joules: float = 0.0
    calls_measured: int = 0
    """Calls whose energy is known and in `joules`."""
    cost_by_basis: dict[Basis, Decimal] = msgspec.field(default_factory=dict)

    @property
    def cost(self) -> Decimal:
        return sum(self.cost_by_basis.values(), Decimal(0))


def build(cells: Iterable[Cell], outcome: str, by: str) -> Yield:
    """The yield of these cells, which must be all cells of their tasks."""
    cells = list(cells)
    named = _group_by_task(cells)
    _share_out([part for parts in named.values() for part in parts])
    rows = [_sum_parts(name, parts) for name, parts in named.items()]
    if by in TIMES or by in PERSONAL:  # nobody is ranked
        rows.sort(key=lambda line: line.name)
    else:
        rows.sort(key=lambda line: (-_total_cost(line), line.name))
    whole = _group_by_task({**cell, "name": "total"} for cell in cells)
    total = _sum_parts("total", whole.get("total", []))
    return Yield(outcome=outcome, by=by, total=total, rows=rows, rules=_list_rules(total, rows, by))


def _group_by_task(cells: Iterable[Cell]) -> dict[str, list[TaskYield]]:
    """Cells of one task and name, whatever their basis, are one part."""
    parts: dict[tuple[str, str], TaskYield] = {}
    for cell in cells:
        task, value = cell["task"], cell["value_sum"]
        known = None if value is None or not task else float(value)
        part = parts.setdefault((cell["name"], task), TaskYield(task=task, value=known, is_failed=known == 0))
        part.calls += int(cell["calls"])
        part.calls_uncounted += int(cell["calls_uncounted"])
        part.calls_unpriced += int(cell["calls_unpriced"])
        part.calls_unweighted += int(cell["calls_unweighted"])
        part.tokens += int(cell["tokens"])
        part.effective_tokens += float(cell["effective_tokens"] or 0)
        part.joules += cell.get("joules", 0.0)
        part.calls_measured += cell.get("calls_measured", 0)
        part.tokens_basis |= Basis(cell["usage_basis"]) | Basis(cell["output_basis"])
        if cell["cost_usd"] is not None:
            basis = Basis(cell["cost_basis"])
            part.cost_by_basis[basis] = part.cost_by_basis.get(basis, Decimal(0)) + cell["cost_usd"]
    named: dict[str, list[TaskYield]] = {}
    for (name, _), part in parts.items():
        named.setdefault(name, []).append(part)
    return named


def _share_out(parts: Iterable[TaskYield]) -> None:
    """A task under several names: its outcome is shared by what the task cost under each.

    That claims no more than that within one task every dollar bought the same. Where a call has no price, it is shared
    by tokens; where nothing was counted either, by calls.
    """
    of_task: dict[str, list[TaskYield]] = {}
    for part in parts:
        if part.value is not None:
            of_task.setdefault(part.task, []).append(part)
    for together in of_task.values():
        if len(together) == 1:
            continue
        weights = [float(part.cost) for part in together]
        if any(part.calls_unpriced for part in together) or not sum(weights):
            weights = [float(part.tokens) for part in together]
        if any(part.calls_uncounted for part in together) or not sum(weights):
            weights = [float(part.calls) for part in together]
        for part, weight in zip(together, weights, strict=True):
            assert part.value is not None  # noqa: S101 - only such were gathered
            part.value *= weight / sum(weights)
            part.is_shared = True


def _sum_parts(name: str, parts: Sequence[TaskYield]) -> YieldLine:
    reached = [part for part in parts if part.value is not None]
    without = [part for part in parts if part.value is None and part.task]
    outside = [part for part in parts if not part.task]
    failed = [part for part in reached if part.is_failed]
    by_basis: dict[Basis, Decimal] = {}
    tokens_basis = Basis.EXACT if reached else Basis.UNKNOWN
    for part in reached:
        tokens_basis |= part.tokens_basis
        for basis, cost in part.cost_by_basis.items():
            by_basis[basis] = by_basis.get(basis, Decimal(0)) + cost
    basis = Basis.EXACT if by_basis else Basis.UNKNOWN
    for each in by_basis:
        basis |= each
    weighed = [part for part in reached if part.calls_unweighted < part.calls]
    priced = [part for part in reached if not part.calls_unpriced]
    measured = [part for part in reached if part.calls and part.calls_measured == part.calls]
    priced_without = [part for part in without if not part.calls_unpriced]
    return YieldLine(
        name=name,
        tasks=len(reached),
        tasks_shared=sum(part.is_shared for part in reached),
        tasks_failed=len(failed),
        outcomes=sum(part.value or 0.0 for part in reached),
        calls=sum(part.calls for part in reached),
        calls_unpriced=sum(part.calls_unpriced for part in reached),
        tokens=sum(part.tokens for part in reached),
        tokens_basis=tokens_basis,
        effective_tokens=sum(part.effective_tokens for part in weighed) if weighed else None,
        cost_usd=_sum_cost(reached),
        basis=basis,
        cost_usd_by_basis=by_basis,
        outcomes_per_million_effective_tokens=_per_million(
            [(part, part.effective_tokens) for part in reached if not part.calls_unweighted]
        ),
        outcomes_per_million_tokens=_per_million([(part, part.tokens) for part in reached if not part.calls_uncounted]),
        cost_per_outcome_usd=_cost_per_outcome(priced),
        cost_per_outcome_all_tasks_usd=_cost_per_outcome([*priced, *priced_without]),
        outcomes_per_kwh=_per_kwh(measured),
        energy_kwh=sum(part.joules for part in measured) / JOULES_PER_KWH if measured else None,
        cost_failed_usd=_sum_cost(failed),
        tasks_without_outcome=len(without),
        cost_without_outcome_usd=_sum_cost(without),
        calls_outside_tasks=sum(part.calls for part in outside),
        cost_outside_tasks_usd=_sum_cost(outside),
    )


def _sum_cost(parts: Sequence[TaskYield]) -> Decimal | None:
    """What is known of their cost; None where none of it is, 0 where there are no parts."""
    if parts and not any(part.cost_by_basis for part in parts):
        return None
    return sum((part.cost for part in parts), Decimal(0))


def _per_million(parts: Sequence[tuple[TaskYield, float]]) -> Estimate:
    return _estimate([part.value or 0.0 for part, _ in parts], [tokens / MILLION for _, tokens in parts])


def _per_kwh(parts: Sequence[TaskYield]) -> Estimate | None:
    if not parts:
        return None
    return _estimate([part.value or 0.0 for part in parts], [part.joules / JOULES_PER_KWH for part in parts])


def _cost_per_outcome(parts: Sequence[TaskYield]) -> Estimate:
    return _estimate([float(part.cost) for part in parts], [part.value or 0.0 for part in parts])


def _estimate(above: Sequence[float], below: Sequence[float]) -> Estimate:
    """Each part is a task of its own within its line: the parts are the clusters."""
    ratio = ratio_of_sums(above, below, confidence=CONFIDENCE)
    return Estimate(
        value=ratio.value,
        low=ratio.low,
        high=ratio.high,
        tasks=len(above),
        no_interval=ratio.no_interval if ratio.value is not None else "nothing to divide by: no outcome, or no count",
        caution=ratio.caution,
    )


def _total_cost(line: YieldLine) -> Decimal:
    return (line.cost_usd or Decimal(0)) + (line.cost_without_outcome_usd or Decimal(0))


def _list_rules(total: YieldLine, rows: Sequence[YieldLine], by: str) -> list[str]:
    rules = [
        "Every figure is a ratio of sums over tasks, failed ones included; intervals are 95 %, clustered by task.",
        "Effective tokens are weighed by price within each model (uncached input = 1).",
    ]
    if shared := sum(row.tasks_shared for row in rows):
        rules.append(
            f"A task under more than one {by} shares its outcome by what it cost under each "
            f"(by tokens where a price is missing): {shared} such parts."
        )
    else:
        rules.append(f"Every task stands under one {by} and counts there in full.")
    if Basis.LOWER_BOUND in total.cost_usd_by_basis:
        rules.append(
            "Where logged output is a lower bound, so is the cost per outcome; outcomes per tokens are at most as said."
        )
    if total.tasks_without_outcome:
        rules.append(
            "Tasks without the outcome stand apart; cost_per_outcome_all_tasks_usd takes them for tried and failed."
        )
    if total.calls_unpriced:
        rules.append(
            f"{number_of(total.calls_unpriced, 'call has', 'calls have')} no known cost: tasks with such calls are "
            "left out of "
            "ratios that need one."
        )
    return rules


def yield_document(
    found: Yield, by: str, zone: str, since: datetime | None, until: datetime | None, holdings: Mapping[str, Any]
) -> dict[str, Any]:
    """The one JSON object of `modicum yield --json`; its fields are explained in docs/yield.md.

    Args:
        found: the figures.
        by: what they were cut by, as the user wrote it.
        zone: in which days were cut.
        since: the first moment; None: no beginning. `until` likewise.
        until: the first moment after it.
        holdings: the outcome's row of the question `outcomes`.
    """
    total = msgspec.structs.asdict(found.total)
    del total["name"]
    return {
        "outcome": found.outcome,
        "by": by,
        "since": since,
        "until": until,
        "timezone": zone,
        **total,
        "tasks_without_calls": holdings["tasks_without_calls"],
        "outcomes_without_calls": holdings["value_sum_without_calls"],
        "rules": found.rules,
        "rows": found.rows,
    }
