"""Agents that go in circles now: of conversations with a call lately, the newest loop of a tool."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

import msgspec
import numpy as np

from modicum.insights.repetition import WAIT_SECONDS, find_loops
from modicum.insights.segment_costs import hash_rows
from modicum.ledger.rows import Row
from modicum.ledger.store import Store

MOST_CONVERSATIONS = 50


class RunningLoop(msgspec.Struct, frozen=True, kw_only=True):
    """A tool of one conversation that gives the same again and again."""

    name: str
    """Whose, in the dimensions that were asked for."""
    conversation: str
    task: str
    """Empty: its calls name none."""
    tool: str
    repeats: int
    """Results that came a third time or more often."""
    since: datetime
    """When the first of them came."""
    cost_usd: Decimal | None
    """Of the calls that brought them; None: of no such call is the cost known."""


def find_running_loops(
    store: Store, dimensions: Sequence[tuple[str, str]], since: datetime, least_repeats: int
) -> list[RunningLoop]:
    """The loops of calls that began since then, those with the most repeats first; the same rule as the finding E1.

    Args:
        store: the ledger.
        dimensions: by what owners are named, each with its tag.
        since: how far back is looked.
        least_repeats: how often a result has to come beyond the second time.
    """
    rows = store.ask(
        "circling_results",
        by=[by for by, _ in dimensions],
        tag=[tag for _, tag in dimensions],
        zone="UTC",
        since=since,
        times=3,
        most=MOST_CONVERSATIONS,
    )
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row["conversation"], []).append(row)
    found = [loop for group in groups.values() for loop in _loops_of(group) if loop.repeats >= least_repeats]
    return sorted(found, key=lambda one: (-one.repeats, one.conversation, one.tool))


def _loops_of(rows: Sequence[Row]) -> list[RunningLoop]:
    """Of one conversation: a loop for each tool that is in one."""
    results = [row for row, waited in zip(rows, _waits(rows), strict=True) if row["tool"] is not None and not waited]
    questions = np.array([row["detail"] for row in results], np.int64)
    keys = hash_rows(questions, np.array([row["digest"] for row in results], np.int64))
    periods = find_loops(keys, np.zeros(len(results), np.int64), questions=questions)
    of_tool: dict[str, list[Row]] = {}
    for row, period in zip(results, periods.tolist(), strict=True):
        if period:
            of_tool.setdefault(row["tool"], []).append(row)
    return [_sum_loop(tool, repeated) for tool, repeated in of_tool.items()]


def _waits(rows: Sequence[Row]) -> list[bool]:
    """For every row whether its call began long after the reply before it."""
    waits, before, current, is_late = [], None, None, False
    for row in rows:
        if row["entry_id"] != current:
            is_late = before is not None and (row["started"] - before).total_seconds() >= WAIT_SECONDS
            current, before = row["entry_id"], row["finished"]
        waits.append(is_late)
    return waits


def _sum_loop(tool: str, repeated: Sequence[Row]) -> RunningLoop:
    calls = {row["entry_id"]: row["cost_usd"] for row in repeated}
    known = [usd for usd in calls.values() if usd is not None]
    return RunningLoop(
        name=repeated[-1]["name"],
        conversation=repeated[-1]["conversation"],
        task=repeated[-1]["task"],
        tool=tool,
        repeats=len(repeated),
        since=repeated[0]["started"],
        cost_usd=sum(known, Decimal(0)) if known else None,
    )
