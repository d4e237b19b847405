"""What was spent day by day within a dimension: the question `spend_by_day` folded, for charts and trends."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from modicum.calls import Basis

OTHERS = "(others)"
MOST_DAYS = 3_700


class DailySpend(msgspec.Struct, frozen=True, kw_only=True):
    """Sums of all days that are looked at, and of each day within each name, the dearest names first."""

    days: list[str]
    """Every day from the first to the last one that had calls, without gaps."""
    names: list[str]
    usd: list[list[Decimal]]
    """By name, then by day. Calls without a known price are in none."""
    calls: list[int]
    """By day."""
    bases: list[Basis]
    """By day: the weakest basis of the costs in the sum; UNKNOWN where none is known."""
    prompt_tokens: int
    cache_read_tokens: int
    completion_tokens: int
    effective_tokens: float | None
    """Tokens weighed by price, of the calls that have a weight; None where none has."""
    calls_unweighted: int


def fold_days(rows: Iterable[Mapping[str, Any]], most: int = 5) -> DailySpend:
    """Folds the rows of `spend_by_day`; names beyond the `most` dearest are one, called `OTHERS`.

    Sums of a provider's usage reports are left out where there are calls as well, as in a bill.
    """
    rows = list(rows)
    logged = [row for row in rows if not row["is_report"]] or rows
    by_name: dict[str, Decimal] = {}
    for row in logged:
        by_name[row["name"]] = by_name.get(row["name"], Decimal(0)) + (row["cost_usd"] or Decimal(0))
    ordered = sorted(by_name, key=lambda name: (-by_name[name], name))
    names = ordered if len(ordered) <= most + 1 else [*ordered[:most], OTHERS]
    place = {name: min(number, len(names) - 1) for number, name in enumerate(ordered)}
    days = _all_days([row["day"] for row in logged])
    day_place = {day: number for number, day in enumerate(days)}
    usd = [[Decimal(0)] * len(days) for _ in names]
    calls, bases = [0] * len(days), [Basis.UNKNOWN] * len(days)
    known = [False] * len(days)
    for row in logged:
        at = day_place[row["day"]]
        calls[at] += int(row["calls"])
        if row["cost_usd"] is not None:
            usd[place[row["name"]]][at] += row["cost_usd"]
            bases[at] = (Basis.EXACT if not known[at] else bases[at]) | Basis(row["cost_basis"])
            known[at] = True
    weights = [float(row["effective_tokens"]) for row in logged if row["effective_tokens"] is not None]
    return DailySpend(
        days=days,
        names=names,
        usd=usd,
        calls=calls,
        bases=bases,
        prompt_tokens=_whole(logged, "prompt_tokens"),
        cache_read_tokens=_whole(logged, "cache_read_tokens"),
        completion_tokens=_whole(logged, "completion_tokens"),
        effective_tokens=sum(weights) if weights else None,
        calls_unweighted=_whole(logged, "calls_unweighted"),
    )


def _whole(rows: Sequence[Mapping[str, Any]], column: str) -> int:
    return sum(int(row[column] or 0) for row in rows)


def _all_days(present: Sequence[str]) -> list[str]:
    """With the days on which nothing was called, unless that is more days than anybody draws."""
    if not present:
        return []
    first, last = date.fromisoformat(min(present)), date.fromisoformat(max(present))
    count = (last - first).days + 1
    if count > MOST_DAYS:
        return sorted(set(present))
    return [(first + timedelta(days=number)).isoformat() for number in range(count)]
