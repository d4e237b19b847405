"""Providers' own usage reports: sums over many calls, to check a bill against and not to be added to it.

Their calls have the source `openai-usage` or `anthropic-usage`, no task, and `calls_count` for how many they stand.
Where a report does not say how many calls it sums up, it counts as one.
"""

from collections.abc import Mapping
from typing import Any

from modicum.calls import Basis
from modicum.calls.usage import MOST_TOKENS, checked_count, is_counted

MOST_AGGREGATED = MOST_TOKENS * 1_000_000
"""A sum over a day of a large organisation may hold more than any call can."""


def aggregated_count(name: str, value: Any) -> int:
    """A count in a report: JSON numbers, and numbers as text in a CSV (`59200.0`); nothing is 0.

    Raises:
        ValueError: it is no count.
    """
    if isinstance(value, str):
        if not value.strip():
            return 0
        try:
            value = float(value) if not value.strip().isdigit() else int(value)
        except ValueError:
            raise ValueError(f"{name} is no number") from None
    if isinstance(value, int | float) and not isinstance(value, bool) and MOST_TOKENS < value <= MOST_AGGREGATED:
        if value != int(value):
            raise ValueError(f"{name} is fractional: {value!r:.40}")
        return int(value)
    return checked_count(name, value)


def aggregated_bases(row: Mapping[str, Any], *, prompt: str, output: str, lacks_output: bool = False) -> list[Basis]:
    """How the counts of a row as a whole and its output are known: what is null or an empty cell was not counted.

    Args:
        row: a result of a page, or a row of a CSV.
        prompt: the name of the main count of the input.
        output: the name of the count of the output.
        lacks_output: sums without any output do not name it (embeddings).
    """
    counts = {name: row[name] for name in (prompt, output) if name in row}
    counts = {name: None if isinstance(count, str) and not count.strip() else count for name, count in counts.items()}
    basis = Basis.counted(is_counted(counts, prompt))
    return [basis, basis | Basis.counted(is_counted(counts, output, may_lack=lacks_output))]
