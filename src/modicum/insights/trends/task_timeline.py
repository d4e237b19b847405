"""One task call by call: what was sent, what of it came from the cache, and where the cache was lost and why."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from modicum.calls import Basis
from modicum.insights.timelines import FAR_BELOW

LONG_PAUSE_S = 300


class TaskStep(msgspec.Struct, frozen=True, kw_only=True):
    """One call of a task."""

    call_id: str
    started: datetime
    model: str
    agent: str
    prompt_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    completion_tokens: int
    cost_usd: Decimal | None
    basis: Basis
    lost_cache: bool
    """It read far less than the call before it in its conversation had left in the cache."""
    cause: str
    """Why the cache was lost; empty where it was not."""
    remark: str
    """What happened, in words; empty where all went well."""


class TaskTimeline(msgspec.Struct, frozen=True, kw_only=True):
    steps: list[TaskStep]
    calls_count: int
    calls_unpriced: int
    cost_usd: Decimal | None
    basis: Basis
    minutes: float
    breaks: int
    written_again_tokens: int
    """Tokens that calls which lost the cache wrote to it."""


def build_timeline(rows: Iterable[Mapping[str, Any]]) -> TaskTimeline:
    """From the rows of the question `task_calls`."""
    rows = list(rows)
    steps, before = list[TaskStep](), dict[str, Mapping[str, Any]]()
    for row in rows:
        conversation = row["conversation"] or row["entry_id"]
        steps.append(_make_step(row, before.get(conversation)))
        before[conversation] = row
    known = [step.cost_usd for step in steps if step.cost_usd is not None]
    basis = Basis.EXACT if known else Basis.UNKNOWN
    for step in steps:
        if step.cost_usd is not None:
            basis |= step.basis
    lost = [step for step in steps if step.lost_cache]
    ends = [row["finished"] or row["started"] for row in rows]
    return TaskTimeline(
        steps=steps,
        calls_count=sum(int(row["calls_count"]) for row in rows),
        calls_unpriced=sum(int(row["calls_count"]) for row in rows if row["cost_usd"] is None),
        cost_usd=sum(known, Decimal(0)) if known else None,
        basis=basis,
        minutes=(max(ends) - rows[0]["started"]).total_seconds() / 60 if rows else 0.0,
        breaks=len(lost),
        written_again_tokens=sum(step.cache_write_tokens for step in lost),
    )


def _make_step(row: Mapping[str, Any], before: Mapping[str, Any] | None) -> TaskStep:
    cause = _cause_of(row, before)
    remarks = [f"cache lost: {cause}"] if cause else []
    if row["status"] != "ok":
        reason = row["finish_reason"]
        remarks.append(f"{row['status']} ({reason})" if reason else str(row["status"]))
    elif row["finish_reason"] in {"length", "max_tokens"}:
        remarks.append("cut off at the output limit")
    return TaskStep(
        call_id=row["entry_id"],
        started=row["started"],
        model=row["model"],
        agent=row["agent"],
        prompt_tokens=int(row["prompt_tokens"]),
        cache_read_tokens=int(row["cache_read_tokens"]),
        cache_write_tokens=int(row["cache_write_tokens"]),
        completion_tokens=int(row["completion_tokens"]),
        cost_usd=row["cost_usd"],
        basis=Basis(row["cost_basis"]),
        lost_cache=bool(cause),
        cause=cause,
        remark=", ".join(remarks),
    )


def _cause_of(row: Mapping[str, Any], before: Mapping[str, Any] | None) -> str:
    """Why a call read far less than stood in the cache; empty where it did not."""
    if before is None:
        return ""
    left = int(before["cache_read_tokens"]) + int(before["cache_write_tokens"])
    is_cached = int(row["cache_read_tokens"]) + int(row["cache_write_tokens"]) > 0
    if not (is_cached and left and int(row["cache_read_tokens"]) < FAR_BELOW * left):
        return ""
    if row["cache_miss"] or row["break_cause"]:
        return str(row["cache_miss"] or row["break_cause"]).replace("_", " ")
    if row["model"] != before["model"]:
        return "another model"
    pause_s = (row["started"] - before["started"]).total_seconds()
    return f"a pause of {pause_s / 60:,.0f} minutes" if pause_s >= LONG_PAUSE_S else "no cause on record"
