"""Outcomes that people or other programs wrote down: CSV with a header, or JSON lines. Plain or gzipped.

Fields: `task`, `name`, `value`, `time`, and if there is one, `id` (an identity of its own) and `source`.

Lines may also be requests of OTLP, as a collector's file exporter writes them: of their metrics, Claude Code's counters
of commits, pull requests and lines are outcomes, and of their logs the results of evaluations
(`gen_ai.evaluation.result`); other requests have none. Scores of Langfuse and feedback of LangSmith are read as their
APIs give them (`platform_scores.py`).
"""

import math
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from modicum.calls import Outcome, Problem
from modicum.calls.outcome import checked_time
from modicum.calls.words.counted_nouns import number_of
from modicum.importers.csv_rows import csv_rows, text_lines
from modicum.importers.files import head
from modicum.importers.outcomes import platform_scores
from modicum.providers.opentelemetry import claude_code_telemetry, evaluation_event, otlp

GATEWAY = "gateway:"
"""How ids begin of outcomes that were reported to the gateway."""
FIELDS = ("task", "name", "value", "time")
_WORDS = {"true": 1.0, "false": 0.0}


def read_outcomes(path: Path) -> Iterator[Outcome | Problem]:
    """The outcomes of a file, and what could not be read, with its place. Never raises for bad data."""
    start = head(path)
    if isinstance(start, Problem):
        yield start
        return
    first = start.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if not first:
        yield Problem(str(path), "the file is empty")
    elif first in {b"[", b"{"} and platform_scores.is_scores(path):
        yield from platform_scores.read_scores(path)
    elif first == b"[":
        yield Problem(str(path), "a JSON array where lines are expected: write one object a line")
    elif first == b"{":
        yield from _json_lines(path)
    else:
        yield from _csv_rows(path)


def outcome_id(task: str, name: str, time: datetime) -> str:
    """The identity of an outcome whose source gives it none."""
    return msgspec.json.encode([task, name, time.astimezone(UTC)]).decode()


def _json_lines(path: Path) -> Iterator[Outcome | Problem]:
    for number, line in text_lines(path):
        if isinstance(line, Problem):
            yield line
            continue
        if not line.strip():
            continue
        try:
            row = msgspec.json.decode(line, type=dict[str, Any])
        except (msgspec.DecodeError, RecursionError):
            yield Problem(str(path), "no JSON object on this line", number)
            continue
        if row.keys() & OTLP:
            yield from _counted(row, path, number)
        else:
            yield _outcome(row, path, number)


OTLP = frozenset(f"resource{kind}" for kind in ("Metrics", "_metrics", "Logs", "_logs", "Spans", "_spans"))


def _counted(row: Mapping[str, Any], path: Path, number: int) -> Iterator[Outcome | Problem]:
    points = (
        point
        for resource, metric in otlp.raw_metrics(row)
        if otlp.metric_name(metric) in claude_code_telemetry.COUNTERS
        for point in otlp.points_in(resource, metric)
    )
    for found in claude_code_telemetry.outcomes_from(points, "telemetry|"):
        yield Problem(str(path), f"not an outcome: {found}", number) if isinstance(found, str) else found
    for resource, record in otlp.raw_log_records(row):
        try:
            span = otlp.log_span_from(record, resource)
            if evaluation_event.is_evaluation(span):
                yield evaluation_event.outcome_from_event(span, "evaluation|")
        except ValueError as error:
            yield Problem(str(path), f"not an outcome: {error}", number)


def _csv_rows(path: Path) -> Iterator[Outcome | Problem]:
    columns: list[str] = []
    lacks_columns = False
    for row in csv_rows(path):
        if isinstance(row, Problem):
            yield row
        elif lacks_columns:
            continue  # the rest says nothing that can be used, but what cannot be read is still shown
        elif not columns:
            number, cells = row
            columns = [cell.strip().lower() for cell in cells]
            if missing := [field for field in FIELDS if field not in columns]:
                lacks_columns = True
                reason = f"the header lacks {', '.join(missing)}: the first line must say {','.join(FIELDS)}"
                yield Problem(str(path), reason, number)
        elif len(row[1]) != len(columns):
            yield Problem(str(path), f"{number_of(len(row[1]), 'cell')} where the header has {len(columns)}", row[0])
        else:
            yield _outcome(dict(zip(columns, row[1], strict=True)), path, row[0])


def _outcome(row: Mapping[str, Any], path: Path, number: int) -> Outcome | Problem:
    try:
        task, name = _word(row, "task"), _word(row, "name")
        value, time = _value(row.get("value")), _time(row.get("time"))
        known = _identity(row.get("id")) or outcome_id(task, name, time)
        source = row.get("source") or "file"
    except ValueError as error:
        return Problem(str(path), f"not an outcome: {error}", number)
    return Outcome(outcome_id=known, task=task, name=name, value=value, time=time, source=str(source))


def _identity(known: object) -> str:
    """The row's own id; what was reported to the gateway belongs to the key that did, and no file replaces it."""
    if not known:
        return ""
    if str(known).startswith(GATEWAY):
        raise ValueError(f"the id begins with '{GATEWAY}', as those that the gateway gives; give it another, or none")
    return str(known)


def _word(row: Mapping[str, Any], field: str) -> str:
    word = row.get(field)
    if not isinstance(word, str) or not word.strip():
        raise ValueError(f"{field} is missing")
    return word.strip()


def _value(value: object) -> float:
    """A share in 0..1 or a count; true and false are 1 and 0."""
    if isinstance(value, str):
        word = value.strip().lower()
        try:
            value = _WORDS[word] if word in _WORDS else float(word)
        except ValueError:
            raise ValueError("value is no number") from None
    if not isinstance(value, int | float):
        raise ValueError("value is no number")  # noqa: TRY004 - bad data, not a bad program
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number) or number < 0:
        raise ValueError("value is negative or not finite")
    return number


def _time(text: object) -> datetime:
    """A time in UTC; one without zone is taken for UTC."""
    try:
        at = datetime.fromisoformat(text if isinstance(text, str) else "")
    except ValueError:
        raise ValueError("time is missing or no time like 2026-01-31T12:00:00Z") from None
    return checked_time(at)
