"""Outcomes and calls by the size of the context, printed."""

from typing import TYPE_CHECKING

import click

from modicum.calls.words.counted_nouns import number_of
from modicum.calls.words.percentages import percent
from modicum.cli.terminal import output

if TYPE_CHECKING:
    from modicum.insights.trends.context_sizes import ContextSizes


def print_context_sizes(found: "ContextSizes") -> None:
    """A row for each size of prompts, and what else may explain the differences."""
    if len(found.rows) < 2:
        return
    click.echo()
    output.print_table(
        [
            "prompts from",
            "calls",
            "cost a call",
            "tools that failed",
            "tasks up to here",
            "calls each",
            "reached",
        ],
        [
            [
                number_of(row.from_tokens, "token"),
                output.count(row.calls),
                "" if row.cost_per_call_usd is None else f"${row.cost_per_call_usd:.3f}",
                _format_share(row.failed_results, row.tool_results, row.failed_low, row.failed_high),
                output.count(row.tasks),
                "" if row.calls_per_task is None else f"{row.calls_per_task:.0f}",
                _format_share(row.reached, row.tasks_with_outcome, row.reached_low, row.reached_high),
            ]
            for row in found.rows
        ],
    )
    if found.failed_within is not None:
        output.print_text(
            f"  in the same session ({found.sessions_within} of them), tools fail "
            f"{_format_change(found.failed_within)} [{_format_change(found.failed_within_low)}, "
            f"{_format_change(found.failed_within_high)}] more behind its larger prompts"
        )
    if found.difference is not None:
        output.print_text(f"  {_describe_difference(found)}")
    elif found.lacks:
        output.print_text(f"  outcomes by size of context: lacks {found.lacks}")
    output.print_text(f"  no cause: {'; '.join(found.confounders)}")


def _describe_difference(found: "ContextSizes") -> str:
    line = f"tasks with an outcome above 0: {_format_change(found.difference)} among those with larger contexts"
    if found.difference_within is None:
        return f"{line}; no two of one model and project can be compared"
    return f"{line}; {_format_change(found.difference_within)} within one model and project ({found.tasks_within})"


def _format_change(share: float | None) -> str:
    return "unknown" if share is None else percent(share, sign="+")


def _format_share(count: int, whole: int, low: float | None, high: float | None) -> str:
    if not whole or low is None or high is None:
        return ""
    return f"{percent(count / whole)} [{percent(low)}, {percent(high)}]"
