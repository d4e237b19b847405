"""What questions add up of entries, and by which names: the same columns of an entry, and of a day's sums.

A question that reads from `$figures` gets rows of both kinds: a day that was summed stands for its entries. A test
holds the table of the schema to this list.
"""

from collections.abc import Sequence

from modicum.calls import BUCKETS, BucketCosts

_SHOWN_PROVIDER = "CASE WHEN provider = '' THEN tag_value(tags, 'server') ELSE provider END"

NAMES: dict[str, str] = {
    "source": "source",
    "provider": "provider",
    "shown_provider": _SHOWN_PROVIDER,
    **{
        name: name
        for name in (
            *("model", "project", "branch", "agent", "team", "app", "user_name", "key_name", "tier", "region"),
            *("status", "place", "usage_basis", "output_basis", "cost_basis", "price_source", "requests", "caveats"),
        )
    },
}
"""What entries of one row have in common: a column, and what an entry has in it. Figures of each basis stay apart."""

_IS_TIMED = "finished > first_token"
WHOLE: dict[str, str] = {
    "calls": "calls_count",
    "calls_unpriced": "CASE WHEN cost_usd IS NULL THEN calls_count ELSE 0 END",
    "calls_unweighted": "CASE WHEN effective_tokens IS NULL THEN calls_count ELSE 0 END",
    "calls_in_progress_rows": "CASE WHEN place = 'progress' THEN calls_count ELSE 0 END",
    **{bucket: bucket for bucket in BUCKETS},
    "prompt_tokens": "uncached_tokens + cache_read_tokens + cache_write_tokens",
    "cache_read_tokens": "cache_read_tokens",
    "completion_tokens": "completion_tokens",
    "output_tokens_estimated": "output_tokens_estimated",
    "calls_with_first_token": "CASE WHEN first_token IS NULL THEN 0 ELSE 1 END",
    "timed_output_tokens": f"CASE WHEN {_IS_TIMED} THEN completion_tokens ELSE 0 END",
}
NUMBER: dict[str, str] = {
    "effective_tokens": "effective_tokens",
    "cost_estimated_output_usd": (
        "CASE WHEN output_visible > 0 THEN"
        " CAST(cost_output_visible_usd AS DOUBLE) / output_visible * output_tokens_estimated END"
    ),
    "first_token_seconds": "seconds_between(started, first_token)",
    "output_seconds": f"CASE WHEN {_IS_TIMED} THEN seconds_between(first_token, finished) ELSE 0 END",
}
MONEY: dict[str, str] = {
    "cost_usd": "cost_usd",
    **{f"cost_{bucket}_usd": f"cost_{bucket}_usd" for bucket in BucketCosts.__struct_fields__},
}
SUMS: dict[str, str] = {**WHOLE, **NUMBER, **MONEY}
"""What is added up: a column, and what an entry has in it. A sum of nothing known is NULL."""

_PLAIN = ", ".join(
    [f"{text} AS {name}" for name, text in NAMES.items()]
    + ["task", "tags", "started", "started AS first_started"]
    + [f"{text} AS {name}" for name, text in SUMS.items()]
)
_SUMMED = ", ".join([*NAMES, "'' AS task", "'{}' AS tags", "started", "first_started", *SUMS])


def plain_rows(table: str, condition: str) -> str:
    """A row an entry of `table`."""
    return f"SELECT {_PLAIN} FROM {table} WHERE {condition}"


def summed_rows(condition: str) -> str:
    """A row for all entries of a day that have all names in common; `started` is where the day begins."""
    return f"SELECT {_SUMMED} FROM rollups WHERE {condition}"


def sum_of_day(table: str, condition: str, begins: str) -> str:
    """What `rollups` holds of the entries of `table` that fit, all but the zone.

    Args:
        table: where entries are.
        condition: which of them, in SQL.
        begins: where their day begins, in SQL.
    """
    sums = ", ".join(f"sum({name}) AS {name}" for name in SUMS)
    rows = plain_rows(table, condition)
    names = ", ".join(NAMES)
    # Inside, `started` is the entry's; outside, the day's.
    return (
        f"SELECT {begins} AS started, {names}, min(first_started) AS first_started, {sums}"
        f" FROM ({rows}) AS figures GROUP BY {names}"
    )


def rollup_columns() -> Sequence[str]:
    """The columns of `rollups` that `sum_of_day` fills, in its order."""
    return ("started", *NAMES, "first_started", *SUMS)
