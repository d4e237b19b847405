"""What each side counted: ours from cells of a bill, theirs from usage reports (as calls) and cost reports."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date
from decimal import Decimal
from typing import Any

from modicum.calls import Basis, Entry
from modicum.ledger.asking.several_dimensions import BETWEEN
from modicum.reports.reconciliation.differences import Name, Side

READS = ("cache_read", "cache_read_audio", "cache_read_image")


def our_side(cells: Iterable[Mapping[str, Any]], *, with_models: bool, with_keys: bool) -> dict[Name, Side]:
    """From cells of a bill by day (UTC), provider, model and key."""
    sides: dict[Name, Side] = {}
    for cell in cells:
        if cell["is_report"]:
            continue
        day, provider, model, key = str(cell["name"]).split(BETWEEN)
        name = date.fromisoformat(day), provider, model if with_models else "", key if with_keys else ""
        one = sides.setdefault(name, Side(0, 0, 0, 0, Decimal(0)))
        outputs = sum(int(cell[bucket] or 0) for bucket in cell if bucket.startswith("output_") and _is_bucket(bucket))
        inputs = sum(int(cell[bucket] or 0) for bucket in cell if bucket.startswith(("input_", "cache_")))
        _add(one, int(cell["calls"]), inputs, sum(int(cell[bucket] or 0) for bucket in READS), outputs)
        one.calls_unpriced += int(cell["calls_unpriced"] or 0)
        if cell["cost_usd"] is not None:
            one.usd = (one.usd or Decimal(0)) + cell["cost_usd"]
            one.basis |= Basis(cell["cost_basis"])
    return sides


def their_side(
    reports: Iterable[Entry],
    costs: Mapping[tuple[date, str, str], Decimal],
    keys: Mapping[str, str],
    *,
    with_models: bool,
    with_keys: bool,
) -> dict[Name, Side]:
    """From what reports say; where one leaves a count out, the basis is unknown.

    Dollars are those of a cost report; without one nobody knows what they charged.

    Args:
        reports: rows of usage reports, as entries.
        costs: dollars by day, provider and model.
        keys: our names for the ids of their keys.
        with_models: whether sides are by model.
        with_keys: whether they are by key; costs have none.
    """
    sides: dict[Name, Side] = {}
    for entry in reports:
        call = entry.call
        key = keys.get(call.owner.key, call.owner.key) if with_keys else ""
        name = call.started.astimezone(UTC).date(), call.provider, call.model if with_models else "", key
        usage = call.usage
        one = sides.setdefault(name, Side(0, 0, 0, 0))
        _add(one, call.calls_count, usage.prompt_tokens, usage.cache_read_tokens, usage.completion_tokens)
        one.basis |= call.usage_basis | call.output_basis
    for (day, provider, model), usd in costs.items() if not with_keys else ():
        one = sides.setdefault((day, provider, model if with_models else "", ""), Side())
        one.usd = (one.usd or Decimal(0)) + usd
    return sides


def _add(side: Side, calls: int, prompt: int, read: int, completion: int) -> None:
    side.calls += calls
    side.prompt_tokens = (side.prompt_tokens or 0) + prompt
    side.cache_read_tokens = (side.cache_read_tokens or 0) + read
    side.completion_tokens = (side.completion_tokens or 0) + completion


def _is_bucket(column: str) -> bool:
    return column not in {"output_tokens_estimated", "output_seconds", "output_basis"}
