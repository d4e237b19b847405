"""What stands for `$figures` in a question: entries, and days that were summed where these say the same.

They do where every name and condition that the question asks by is one that the sums keep apart.
"""

from collections.abc import Mapping
from typing import Any

from modicum.ledger.asking.conditions import COLUMNS
from modicum.ledger.asking.several_dimensions import DIMENSION
from modicum.ledger.rollups.day_spans import Spans
from modicum.ledger.rollups.figures import plain_rows, summed_rows

FIGURES = "$figures"
_NOT_SUMMED = ("task", "tag")
_OF_DAYS = ("day", "week", "month")


def can_be_summed(text: str, parameters: Mapping[str, Any], zone: str) -> bool:
    """Whether a question gets the same answer from sums.

    Args:
        text: the question, as its file has it.
        parameters: what it is asked with.
        zone: in which days were summed; empty: none was.
    """
    if not zone or FIGURES not in text:
        return False
    by = parameters.get("by", [])
    names = [by] if isinstance(by, str) else list(by)
    conditions = parameters.get("where") or {}
    if any(name in _NOT_SUMMED for name in names) or any(
        name in _NOT_SUMMED or name not in COLUMNS for name in conditions
    ):
        return False
    cuts_days = any(name in _OF_DAYS for name in names) or "$zone" in DIMENSION.sub("", text)
    return not cuts_days or parameters.get("zone") == zone


def figure_rows(
    text: str, parameters: Mapping[str, Any], table: str = "entries", spans: Spans | None = None, zone: str = ""
) -> tuple[str, dict[str, Any]]:
    """The question with its rows written out, and the parameters with the bounds of their times.

    Args:
        text: the question, as its file has it.
        parameters: what it is asked with, `since` and `until` among it.
        table: where entries are.
        spans: which parts of the time are summed; None: nothing is.
        zone: in which days were summed.
    """
    if FIGURES not in text:
        return text, dict(parameters)
    values = dict(parameters)
    if spans is None or not spans.summed:
        return text.replace(
            FIGURES, f"({plain_rows(table, 'started >= $since AND started < $until')}) AS figures"
        ), values
    rows, conditions = [], []
    for number, (since, until) in enumerate(spans.summed):
        letter = chr(ord("a") + number)
        conditions.append(f"(started >= $summed_since_{letter} AND started < $summed_until_{letter})")
        values |= {f"summed_since_{letter}": since, f"summed_until_{letter}": until}
    values["summed_zone"] = zone
    rows.append(summed_rows(f"zone = $summed_zone AND ({' OR '.join(conditions)})"))
    for number, (since, until) in enumerate(spans.plain):
        letter = chr(ord("a") + number)
        rows.append(plain_rows(table, f"started >= $plain_since_{letter} AND started < $plain_until_{letter}"))
        values |= {f"plain_since_{letter}": since, f"plain_until_{letter}": until}
    return text.replace(FIGURES, f"({' UNION ALL '.join(rows)}) AS figures"), values
