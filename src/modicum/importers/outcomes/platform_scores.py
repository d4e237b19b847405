"""Scores of Langfuse and feedback of LangSmith, as their APIs and exports give them: documents, arrays or JSON lines.

Langfuse (`GET /api/public/v2/scores`, `GET /api/public/v3/scores` with `fields=subject`, blob export): `name`, `value`,
`dataType`, and what it is about. LangSmith (`GET /api/v1/feedback`): `key`, `score`, `run_id`, `trace_id`; its
`session_id` is the project. The task is named as the imported calls name it: Langfuse's session, else its trace;
LangSmith's trace, else its run.

Read on 2026-11-30: langfuse/langfuse, fern/apis/server, scores-v2.yml, scores-v3.yml and commons.yml (`value` of a
category: the generated clients); LangSmith, https://docs.langchain.com/langsmith/feedback-data-format and `Feedback` in
langchain-ai/langsmith-sdk, python/langsmith/schemas.py.

Traps, each with a test: a list of scores may stand under `data`. Langfuse: a score of a trace has no session of its
own, v2 gives the trace's under `trace`. The `value` of a category is 0 if no config maps it, so the word counts first,
and a number only with a config. TEXT and CORRECTION have no score, whatever number stands there. LangSmith: feedback
may have only a comment; with `error` its evaluator failed.
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
    has_place = has_place or "subject" in row or "projectId" in row  # v3 has a subject, and only if it is asked for
    return "name" in row and has_place and any(name in row for name in ("dataType", "data_type"))


def _is_langsmith(row: Row) -> bool:
    return "key" in row and "score" in row and "run_id" in row


def _langfuse(row: Row) -> Outcome:
    at = checked_moment(first(row, "timestamp", "createdAt", "created_at"))
    return _outcome("langfuse", row, _langfuse_task(row), label(row.get("name")), _langfuse_value(row), at)


def _langfuse_task(row: Row) -> str:
    trace, subject = row.get("trace"), row.get("subject")
    session = first(row, "sessionId", "session_id") or (trace.get("sessionId") if isinstance(trace, Mapping) else None)
    if task := label(session) or label(first(row, "traceId", "trace_id")):
        return task
    if not isinstance(subject, Mapping):
        return ""
    kind = subject.get("kind")
    if kind == "observation":
        return label(subject.get("traceId"))
    return label(subject.get("id")) if kind in {"trace", "session"} else ""  # an experiment is many tasks


def _langfuse_value(row: Row) -> Any:
    kind, value = first(row, "dataType", "data_type"), row.get("value")
    if kind in {"TEXT", "CORRECTION"}:
        return None
    if kind != "CATEGORICAL" and value is not None and not isinstance(value, str):
        return value
    word = first(row, "stringValue", "string_value") or value
    if isinstance(word, str) and (score := _WORDS.get(word.strip().lower())) is not None:
        return score
    return value if kind != "CATEGORICAL" or first(row, "configId", "config_id") else None


def _langsmith(row: Row) -> Outcome:
    task = label(row.get("trace_id")) or label(row.get("run_id"))
    at = checked_moment(first(row, "created_at", "modified_at"))
    if row.get("error") is True:
        raise ValueError("its evaluator ended in an error")
    score, value = row.get("score"), row.get("value")
    if score is None:
        score = _WORDS.get(str(value).strip().lower())
    return _outcome("langsmith", row, task, label(row.get("key")), score, at)


def _outcome(source: str, row: Row, task: str, name: str, value: Any, at: Any) -> Outcome:
    identity = label(row.get("id"))
    if not identity:
        raise ValueError("it has no id")
    if not task or not name:
        raise ValueError(
            "it names no trace, session or run (v3 of Langfuse: ask for fields=subject)"
            if not task
            else "it has no name"
        )
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
