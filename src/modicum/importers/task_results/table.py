"""Tables with a row per run: CSV with a header, JSON lines or an array of objects. Columns by their usual names."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from modicum.calls import Problem
from modicum.calls.errors import accepted_are
from modicum.calls.outside.storable import storable
from modicum.calls.task_result import TaskResult, total_of
from modicum.calls.words.counted_nouns import number_of
from modicum.importers.csv_rows import csv_rows
from modicum.importers.task_results.result_format import Numbered, Record, ResultOptions
from modicum.providers.fields import moment

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "arm": ("arm", "competitor", "saver", "variant", "agent", "model", "prompt", "system", "endpoint", "config"),
    "task": ("task", "task_id", "case", "case_id", "instance_id", "problem_id", "question_id", "sample_id"),
    "run": ("run_id", "id", "uuid"),
    "outcome": ("success", "passed", "resolved", "correct", "is_correct", "outcome", "reward", "score", "value"),
    "prompt": ("prompt_tokens",),
    "completion": ("completion_tokens", "output_tokens"),
    "tokens": ("total_tokens", "tokens"),
    "cost": ("cost_usd", "total_cost_usd", "cost", "agent_cost", "instance_cost"),
    "seconds": ("seconds", "duration_s", "wall_s", "latency_s", "duration", "wall_ms", "duration_ms", "latency_ms"),
    "joules": ("joules", "energy_j"),
    "group": (),
    "started": ("started_at", "start_time", "timestamp", "created_at"),
}
"""The first of these that a table has; for the arm, the one that divides its rows."""
REPEATS = ("rep", "repeat", "trial", "epoch", "attempt", "seed")
"""Columns that number the runs of a task where no run has an id."""
UNCACHED = "input_tokens"
CACHED = (
    *("cache_read_tokens", "cache_read_input_tokens", "cache_creation_tokens"),
    *("cache_creation_input_tokens", "cache_write_tokens"),
)
"""Where a table has any of these, `input_tokens` is what was not cached, and the prompt is their sum."""
_WORDS = {
    **dict.fromkeys(("true", "yes", "pass", "passed", "success", "resolved", "correct"), 1.0),
    **dict.fromkeys(("false", "no", "fail", "failed", "failure", "unresolved", "incorrect", "wrong"), 0.0),
}
_NOTHING = {"", "na", "n/a", "nan", "null", "none", "-"}


@dataclass(frozen=True)
class _Plan:
    """Which column is what."""

    columns: Mapping[str, str]
    repeats: tuple[str, ...]
    prompt_parts: tuple[str, ...]


def read_csv_table(path: Path, delimiter: str, options: ResultOptions) -> Iterator[TaskResult | Problem]:
    """The runs of a CSV file with a header."""
    header: list[str] = []

    def rows() -> Iterator[Numbered | Problem]:
        for row in csv_rows(path, delimiter):
            if isinstance(row, Problem):
                yield row
            elif not header:
                header.extend(storable(cell.strip()) for cell in row[1])
            elif len(row[1]) != len(header):
                yield Problem(str(path), f"{number_of(len(row[1]), 'cell')} where the header has {len(header)}", row[0])
            else:
                yield row[0], dict(zip(header, row[1], strict=True))

    yield from read_table(path, rows(), options)


def read_table(
    path: Path, rows: Iterator[Numbered | Problem], options: ResultOptions
) -> Iterator[TaskResult | Problem]:
    """The runs of rows that are objects already."""
    records: list[Numbered] = []
    for row in rows:
        if isinstance(row, Problem):
            yield row
        else:
            records.append(row)
    if not records:
        yield Problem(str(path), "the table holds no rows")
        return
    names = list(dict.fromkeys(chain.from_iterable(record for _, record in records[:1000])))
    try:
        plan = _plan_columns(names, records, options)
    except ValueError as error:
        yield Problem(str(path), str(error))
        return
    for number, record in records:
        try:
            yield _result(path, number, record, plan, options)
        except ValueError as error:
            yield Problem(str(path), f"not a result: {error}", number)


def _plan_columns(names: Sequence[str], records: Sequence[Numbered], options: ResultOptions) -> _Plan:
    by_lower = {name.lower(): name for name in reversed(names)}
    by_lower = dict(reversed(by_lower.items()))
    chosen = dict(options.columns)
    if options.by and options.by != "file":
        chosen.setdefault("arm", options.by)
    if options.outcome:
        chosen.setdefault("outcome", options.outcome)
    columns: dict[str, str] = {}
    for role, usual in COLUMNS.items():
        if role in chosen:
            columns[role] = _chosen_column(role, chosen[role], by_lower)
        elif role == "arm":
            if options.by != "file" and (arm := _arm_column(by_lower, records)):
                columns["arm"] = arm
        elif match := next((by_lower[name] for name in usual if name in by_lower), None):
            columns[role] = match
    if "task" not in columns:
        hint = f"name it with --column task=NAME ({accepted_are(names)})"
        raise ValueError(f"no column says which task a row is of; {hint}")
    parts = [by_lower[name] for name in (UNCACHED, *CACHED) if name in by_lower]
    if "prompt" in columns or UNCACHED not in by_lower:
        parts = []
    return _Plan(columns, tuple(by_lower[name] for name in REPEATS if name in by_lower), tuple(parts))


def _chosen_column(role: str, name: str, by_lower: Mapping[str, str]) -> str:
    if name.lower() not in by_lower:
        raise ValueError(f"there is no column '{name}' for the {role}; {accepted_are(by_lower.values())}")
    return by_lower[name.lower()]


def _arm_column(by_lower: Mapping[str, str], records: Sequence[Numbered]) -> str | None:
    """The usual name of an arm that divides the rows. None: the file is one arm.

    Raises:
        ValueError: several do, and nobody knows which is meant.
    """
    dividing = [
        by_lower[name]
        for name in COLUMNS["arm"]
        if name in by_lower and len({str(record.get(by_lower[name])) for _, record in records}) > 1
    ]
    if len(dividing) > 1:
        raise ValueError(f"several columns could name the arms; choose one with --by ({accepted_are(dividing)})")
    return dividing[0] if dividing else None


def _result(path: Path, number: int | None, record: Record, plan: _Plan, options: ResultOptions) -> TaskResult:
    columns = plan.columns
    task = _label(record, columns["task"])
    if not task:
        raise ValueError(f"{columns['task']} is empty")
    arm = _label(record, columns["arm"]) if "arm" in columns else options.file_label(path)
    if not arm:
        raise ValueError(f"{columns['arm']} is empty")
    run = _label(record, columns["run"]) if "run" in columns else ""
    if not run and plan.repeats:
        run = "/".join((options.file_label(path), *(_label(record, name) for name in plan.repeats)))
    prompt = _count(record, columns.get("prompt"))
    if plan.prompt_parts:
        parts = [_count(record, name) for name in plan.prompt_parts]
        prompt = None if parts[0] is None else sum(part or 0 for part in parts)
    completion = _count(record, columns.get("completion"))
    total = _count(record, columns.get("tokens"))
    seconds = _number(record, columns.get("seconds"))
    if seconds is not None and columns["seconds"].lower().endswith("_ms"):
        seconds /= 1000
    place = f"{path.name}:{number}" if number is not None else path.name
    return TaskResult(
        arm=arm,
        task=task,
        run_id=run,
        outcome=_outcome(record, columns.get("outcome")),
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=total if total is not None else total_of(prompt, completion),
        cost_usd=_number(record, columns.get("cost")),
        seconds=seconds,
        joules=_number(record, columns.get("joules")),
        started_at=moment(record.get(columns["started"])) if "started" in columns else None,
        group=_label(record, columns["group"]) if "group" in columns else "",
        place=place,
    )


def _label(record: Record, column: str) -> str:
    value = record.get(column)
    return "" if value is None else storable(str(value)).strip()


def _outcome(record: Record, column: str | None) -> float | None:
    value = record.get(column) if column else None
    if isinstance(value, bool):
        return float(value)
    if isinstance(value, str) and (word := value.strip().lower()) in _WORDS:
        return _WORDS[word]
    return _number(record, column)


def _count(record: Record, column: str | None) -> int | None:
    number = _number(record, column)
    if number is None:
        return None
    if not math.isfinite(number):
        raise ValueError(f"{column} is no count")
    return int(number)


def _number(record: Record, column: str | None) -> float | None:
    """None where nothing stands.

    Raises:
        ValueError: it is no number.
    """
    value: Any = record.get(column) if column else None
    if value is None or (isinstance(value, str) and value.strip().lower() in _NOTHING):
        return None
    if isinstance(value, str):
        try:
            return float(value.strip().removeprefix("$"))
        except ValueError:
            raise ValueError(f"{column} is no number") from None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"{column} is no number")  # noqa: TRY004 - bad data, not a bad program
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{column} is too large") from None
