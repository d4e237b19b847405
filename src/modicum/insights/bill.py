"""The bill: what was spent, by one dimension, with the basis of every figure.

It is a fold of cells. A cell is what the question `bill` gives: sums over calls that share a name in the dimension and
the basis of their figures. The ledger makes cells in SQL; `make_cells` makes the same from entries, for bills that go
straight from logs. From there on there is one path.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from modicum.calls import BUCKETS, Basis, BucketCosts, Entry, Problem, Usage
from modicum.calls.cost import sum_costs
from modicum.calls.outside.tabular import Tabular
from modicum.calls.problem import problem_rows
from modicum.calls.project_names import merge_projects
from modicum.calls.usage import sum_usages
from modicum.insights.dimensions import NAMELESS, TIMES, find_names
from modicum.insights.scoping.persons import PERSONAL
from modicum.ledger.asking.several_dimensions import BETWEEN

Cell = Mapping[str, Any]


class Latency(msgspec.Struct, frozen=True):
    """Means over the calls whose log has the times; absent where none has."""

    calls: int
    first_token_seconds: float | None
    output_tokens_per_second: float | None


class BillLine(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a bill, or its total."""

    name: str
    """In one dimension; in several, all names with ` / ` between them."""
    names: tuple[str, ...] = ()
    """In each dimension, where there are several."""
    calls: int
    usage: Usage
    """By the names of the glossary; see `docs/glossary.md`."""
    prompt_tokens: int
    completion_tokens: int
    cost_usd: Decimal | None
    """Sum of the costs that are known; None where none is. `calls_unpriced` and `calls_without_usage` are not in it."""
    basis: Basis
    """The weakest basis of the costs in the sum."""
    cost_usd_by_basis: dict[Basis, Decimal]
    cost_usd_by_bucket: dict[str, Decimal]
    """May sum to less than `cost_usd` where a log reports only totals."""
    calls_unpriced: int = 0
    """Calls whose usage is known, and for which no price is."""
    calls_without_usage: int = 0
    """Calls whose log or reply does not tell what they used: no price would help."""
    calls_in_progress_rows: int = 0
    """Subagent calls that stand only in progress rows, which other readers of Claude Code logs leave out."""
    completion_tokens_estimated: int | None = None
    """Our count of the output, where the logged one is a lower bound. Beside it, never in it."""
    cost_usd_of_estimated_output: float | None = None
    """What that output would cost."""
    latency: Latency | None = None


class Bill(Tabular, msgspec.Struct, frozen=True, kw_only=True):
    """What was spent, in rows of one dimension or several."""

    by: str
    total: BillLine
    rows: list[BillLine]
    models_unpriced: list[str] = []
    usage_reports: BillLine | None = None
    """What the provider's own usage reports say, where there are logs too. They count the same calls, so they are set
    beside the bill and never added to it. Without logs they are the bill."""

    def to_dicts(self) -> list[dict[str, Any]]:
        return [{"name": row.name, **_names(row, self.by), **_figures(row)} for row in self.rows]


def build(cells: Iterable[Cell], by: str | Sequence[str]) -> Bill:
    """The bill of these cells. Rows of a time dimension are in order of time, others by cost, unpriced ones first; by
    several dimensions, in the order of the first, and within it of the next.
    """
    cells = list(cells)
    logged = [cell for cell in cells if not cell["is_report"]] or cells
    reported = [cell for cell in cells if cell["is_report"]] if logged is not cells else []
    reports = _sum_cells("usage reports", reported) if reported else None
    total = _sum_cells("total", logged)
    dimensions = (by,) if isinstance(by, str) else tuple(by)
    whole = ",".join(dimensions)
    if whole == "bucket":
        return Bill(by=whole, total=total, rows=_bucket_lines(total), usage_reports=reports)
    named: dict[tuple[str, ...], list[Cell]] = {}
    merged = [_project_names(logged, place) if one == "project" else {} for place, one in enumerate(dimensions)]
    for cell in logged:
        names = tuple(shown.get(name, name) for shown, name in zip(merged, _names_of(cell), strict=True))
        named.setdefault(names, []).append(cell)
    rows = _in_order([_sum_cells(_join(names), group, names) for names, group in named.items()], dimensions, 0)
    unpriced = sorted(line.name for line in rows if line.calls_unpriced) if whole == "model" else []
    return Bill(by=whole, total=total, rows=rows, models_unpriced=unpriced, usage_reports=reports)


def _names_of(cell: Cell) -> list[str]:
    name: str = cell["name"]
    return name.split(BETWEEN)


def _join(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else " / ".join(name or NAMELESS for name in names)


def _in_order(rows: list[BillLine], dimensions: Sequence[str], place: int) -> list[BillLine]:
    """Rows of one name side by side, names in order of time or of cost, those with unpriced calls first."""
    groups: dict[str, list[BillLine]] = {}
    for row in rows:
        groups.setdefault((row.names or (row.name,))[place], []).append(row)
    if dimensions[place] in TIMES or dimensions[place] in PERSONAL:  # nobody is ranked
        names = sorted(groups)
    else:
        names = sorted(groups, key=lambda name: (not _has_unpriced(groups[name]), -_cost(groups[name]), name))
    if place + 1 == len(dimensions):
        return [row for name in names for row in groups[name]]
    return [row for name in names for row in _in_order(groups[name], dimensions, place + 1)]


def _has_unpriced(rows: Iterable[BillLine]) -> bool:
    return any(row.calls_unpriced + row.calls_without_usage for row in rows)


def _cost(rows: Iterable[BillLine]) -> Decimal:
    return sum((row.cost_usd or Decimal(0) for row in rows), Decimal(0))


def _project_names(cells: Iterable[Cell], place: int) -> dict[str, str]:
    """One name for each project. Ledgers hold spellings that were booked before there was one."""
    calls: dict[str, int] = {}
    for cell in cells:
        name = _names_of(cell)[place]
        calls[name] = calls.get(name, 0) + int(cell["calls"] or 0)
    return merge_projects(calls)


def _sum_cells(name: str, cells: list[Cell], names: tuple[str, ...] = ()) -> BillLine:
    def whole(column: str) -> int:
        return sum(int(cell[column] or 0) for cell in cells)

    by_basis: dict[Basis, Decimal] = {}
    for cell in cells:
        if cell["cost_usd"] is not None:
            basis = Basis(cell["cost_basis"])
            by_basis[basis] = by_basis.get(basis, Decimal(0)) + cell["cost_usd"]
    weakest = Basis.EXACT if by_basis else Basis.UNKNOWN
    for basis in by_basis:
        weakest |= basis
    without_usage = sum(
        int(cell["calls_unpriced"] or 0)
        for cell in cells
        if Basis.UNKNOWN in {Basis(cell["usage_basis"]), Basis(cell["output_basis"])}
    )
    usage = Usage(*(whole(bucket) for bucket in BUCKETS))
    estimated = [cell for cell in cells if cell["output_tokens_estimated"] is not None]
    return BillLine(
        name=name,
        names=names if len(names) > 1 else (),
        calls=whole("calls"),
        usage=usage,
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        cost_usd=sum(by_basis.values(), Decimal(0)) if by_basis else None,
        basis=weakest,
        cost_usd_by_basis=by_basis,
        cost_usd_by_bucket={
            bucket: sum((cell[f"cost_{bucket}_usd"] or Decimal(0) for cell in cells), Decimal(0))
            for bucket in BucketCosts.__struct_fields__
        },
        calls_unpriced=whole("calls_unpriced") - without_usage,
        calls_without_usage=without_usage,
        calls_in_progress_rows=whole("calls_in_progress_rows"),
        completion_tokens_estimated=whole("output_tokens_estimated") if estimated else None,
        cost_usd_of_estimated_output=(
            round(sum(float(cell["cost_estimated_output_usd"] or 0) for cell in estimated), 6) if estimated else None
        ),
        latency=_latency(cells),
    )


def _latency(cells: list[Cell]) -> Latency | None:
    calls = sum(cell["calls_with_first_token"] for cell in cells)
    if not calls:
        return None
    waited = sum(float(cell["first_token_seconds"] or 0) for cell in cells)
    seconds = sum(float(cell["output_seconds"] or 0) for cell in cells)
    tokens = sum(int(cell["timed_output_tokens"] or 0) for cell in cells)
    return Latency(calls, waited / calls, tokens / seconds if seconds else None)


def _bucket_lines(total: BillLine) -> list[BillLine]:
    """The total, cut by bucket instead of by calls."""
    lines = []
    for bucket in (*BUCKETS, "requests"):
        usage = Usage(**{bucket: getattr(total.usage, bucket)}) if bucket in BUCKETS else Usage()
        cost = total.cost_usd_by_bucket[bucket]
        output = bucket.startswith("output")
        if not (usage.total_tokens or cost):
            continue
        lines.append(
            BillLine(
                name=bucket,
                calls=total.calls,
                usage=usage,
                prompt_tokens=usage.prompt_tokens,
                completion_tokens=usage.completion_tokens,
                cost_usd=cost,
                # What makes the whole a lower bound is its output; the input buckets were counted to the end.
                basis=total.basis if output or total.basis is not Basis.LOWER_BOUND else Basis.EXACT,
                cost_usd_by_basis={},
                cost_usd_by_bucket={bucket: cost},
            )
        )
    return lines


def make_cells(
    entries: Iterable[Entry], by: str | Sequence[str], tag: str | Sequence[str], zone: ZoneInfo
) -> list[dict[str, Any]]:
    """The cells of entries, as the question `bill` would give them. `by` and `tag` are lists for several dimensions."""
    dimensions = [(by, tag)] if isinstance(by, str) and isinstance(tag, str) else zip(by, tag, strict=True)
    name_of = find_names([*dimensions], zone)
    groups: dict[tuple[str, Basis, Basis, Basis, bool], list[Entry]] = {}
    for entry in entries:
        call = entry.call
        key = (name_of(entry), call.usage_basis, call.output_basis, entry.cost.basis, call.source.endswith("-usage"))
        groups.setdefault(key, []).append(entry)
    return [_make_cell(key, group) for key, group in groups.items()]


def _make_cell(key: tuple[str, Basis, Basis, Basis, bool], group: list[Entry]) -> dict[str, Any]:
    name, usage_basis, output_basis, cost_basis, is_report = key
    known = [entry.cost.usd for entry in group if entry.cost.usd is not None]
    cell: dict[str, Any] = {
        "name": name,
        "usage_basis": usage_basis,
        "output_basis": output_basis,
        "cost_basis": cost_basis,
        "is_report": is_report,
        "calls": sum(entry.call.calls_count for entry in group),
        "calls_unpriced": sum(entry.call.calls_count for entry in group if entry.cost.usd is None),
        "calls_in_progress_rows": sum(entry.call.calls_count for entry in group if entry.call.place == "progress"),
        "cost_usd": sum(known, Decimal(0)) if known else None,
    }
    usage = sum_usages(entry.call.usage for entry in group)
    cell |= {bucket: getattr(usage, bucket) for bucket in BUCKETS}
    priced = [entry.cost.by_bucket for entry in group if entry.cost.by_bucket is not None]
    costs = sum_costs(priced)
    for bucket in BucketCosts.__struct_fields__:
        cell[f"cost_{bucket}_usd"] = getattr(costs, bucket) if priced else None
    estimated = [entry for entry in group if entry.call.output_tokens_estimated is not None]
    cell["output_tokens_estimated"] = (
        sum(entry.call.output_tokens_estimated or 0 for entry in estimated) if estimated else None
    )
    cell["cost_estimated_output_usd"] = sum(_estimated_output_usd(entry) for entry in estimated) if estimated else None
    return cell | _sum_times(group)


def _estimated_output_usd(entry: Entry) -> float:
    output = entry.call.usage.output_visible
    if entry.cost.by_bucket is None or not output or entry.call.output_tokens_estimated is None:
        return 0.0
    return float(entry.cost.by_bucket.output_visible) / output * entry.call.output_tokens_estimated


def _sum_times(group: list[Entry]) -> dict[str, Any]:
    waited = tokens = seconds = 0.0
    calls = 0
    for entry in group:
        call = entry.call
        if call.first_token is None:
            continue
        calls += 1
        waited += (call.first_token - call.started) / timedelta(seconds=1)
        if call.finished is not None and call.finished > call.first_token:
            tokens += call.usage.completion_tokens
            seconds += (call.finished - call.first_token) / timedelta(seconds=1)
    return {
        "calls_with_first_token": calls,
        "first_token_seconds": waited,
        "timed_output_tokens": tokens,
        "output_seconds": seconds,
    }


def bill_document(
    bill: Bill,
    by: str,
    zone: str,
    since: datetime | None,
    until: datetime | None,
    problems: Sequence[Problem],
) -> dict[str, Any]:
    """The one JSON object of `modicum bill --json`; its fields are explained in docs/bill.md.

    Args:
        bill: the figures.
        by: what it was cut by, as the user wrote it.
        zone: in which days were cut.
        since: its first moment; None: no beginning. `until` likewise.
        until: the first moment after it.
        problems: what could not be read.
    """
    return {
        "by": by,
        "since": since,
        "until": until,
        "timezone": zone,
        **_figures(bill.total),
        "models_unpriced": bill.models_unpriced,
        "usage_reports": None if bill.usage_reports is None else _figures(bill.usage_reports),
        "rows": msgspec.structs.replace(bill, by=by).to_dicts(),
        "problems": problem_rows(problems),
    }


def _names(line: BillLine, by: str) -> dict[str, Any]:
    """By each of several dimensions."""
    return {"names": dict(zip(by.split(","), line.names, strict=True))} if line.names else {}


def _figures(line: BillLine) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.structs.asdict(line)
    del fields["name"], fields["names"]
    return fields | {"usage": msgspec.structs.asdict(line.usage)}  # every bucket, also where it holds nothing
