"""Scores of Langfuse and feedback of LangSmith, as their APIs and exports give them: documents, arrays or JSON lines.

Langfuse (`GET /api/public/scores`, blob export): `name`, `value`, `dataType` NUMERIC, BOOLEAN or CATEGORICAL, and one
of `sessionId`, `traceId`. LangSmith (`GET /api/v1/feedback`): `key`, `score`, `run_id`, `trace_id`. The task is named
as the imported calls name it: Langfuse's session, else its trace; LangSmith's trace, else its run.

Traps, each with a test: a category is no number, unless it is a word for passed or failed; a list of scores may stand
under `data`; feedback may have no score and only a comment.
"""

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from modicum.calls import Outcome, Problem
from modicum.calls.outcome import checked_time
from modicum.importers.files import records
from modicum.providers.fields import checked_moment, first, label

Row = Mapping[str, Any]
_WORDS = {
    **dict.fromkeys(("pass", "passed", "true", "correct", "yes", "good", "success"), 1.0),
    **dict.fromkeys(("fail", "failed", "false", "incorrect", "no", "bad", "failure"), 0.0),
}


def is_scores(path: Path) -> bool:
    """Whether the first object of a file is such a score, or holds a list of them."""
    for item in records(path):
        if not isinstance(item, Problem):
            return any(_is_langfuse(row) or _is_langsmith(row) for row in _rows(item[1]))
    return False


def read_scores(path: Path) -> Iterator[Outcome | Problem]:
    """The outcomes of a file, and what could not be read, with its place."""
    for item in records(path):
        if isinstance(item, Problem):
            yield item
            continue
        number, record = item
        for row in _rows(record):
            try:
                yield _langfuse(row) if _is_langfuse(row) else _langsmith(row)
            except ValueError as error:
                yield Problem(str(path), f"not an outcome: {error}", number)


def _rows(record: Row) -> list[Row]:
    inner = record.get("data")
    if isinstance(inner, list):
        return [row for row in inner if isinstance(row, Mapping)]
    return [record]


def _is_langfuse(row: Row) -> bool:
    has_place = any(name in row for name in ("traceId", "trace_id", "sessionId", "session_id"))
    return "name" in row and has_place and any(name in row for name in ("dataType", "data_type"))


def _is_langsmith(row: Row) -> bool:
    return "key" in row and "score" in row and "run_id" in row


def _langfuse(row: Row) -> Outcome:
    task = label(first(row, "sessionId", "session_id")) or label(first(row, "traceId", "trace_id"))
    value = row.get("value")
    if value is None or isinstance(value, str):
        value = _WORDS.get(str(first(row, "stringValue", "string_value") or value or "").strip().lower(), value)
    at = checked_moment(first(row, "timestamp", "createdAt", "created_at"))
    return _outcome("langfuse", row, task, label(row.get("name")), value, at)


def _langsmith(row: Row) -> Outcome:
    task = label(row.get("trace_id")) or label(row.get("run_id"))
    at = checked_moment(first(row, "created_at", "modified_at"))
    score = row.get("score")
    if score is None and isinstance(word := row.get("value"), str):
        score = _WORDS.get(word.strip().lower())
    return _outcome("langsmith", row, task, label(row.get("key")), score, at)


def _outcome(source: str, row: Row, task: str, name: str, value: Any, at: Any) -> Outcome:
    identity = label(row.get("id"))
    if not identity:
        raise ValueError("it has no id")
    if not task or not name:
        raise ValueError("it names no trace, session or run" if not task else "it has no name")
    if at is None:
        raise ValueError("it has no time")
    if not isinstance(value, int | float):
        raise ValueError("its value is a category or a comment, and no number")  # noqa: TRY004 - bad data
    number = float(value)
    if not math.isfinite(number) or number < 0:
        raise ValueError("its value is negative or not finite")
    return Outcome(
        outcome_id=f"{source}:{identity}", task=task, name=name, value=number, time=checked_time(at), source=source
    )
