"""CSV tables of what several models made of the same prompts -> what routing learns from. See docs/routing.md."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from modicum.calls import Problem, UserError
from modicum.calls.errors import accepted_are
from modicum.calls.outside.storable import storable
from modicum.importers.csv_rows import csv_rows
from modicum.importers.task_results.table import COLUMNS
from modicum.routing.outcome_table import OutcomeTable

PROMPT = ("prompt", "question", "input", "instruction", "text")
TASK = COLUMNS["task"]
MODEL = ("model", "arm")
FAMILY = ("family", "group", "subject", "category", "dataset", "language")
ANSWER = ("answer", "prediction")
UNITS = {"usd": COLUMNS["cost"], "seconds": ("seconds", "duration_s", "latency_s"), "joules": COLUMNS["joules"]}
_ENDINGS = {"cost_usd": "usd", "usd": "usd", "cost": "usd", "seconds": "seconds", "joules": "joules"}
_WORDS = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0, "pass": 1.0, "fail": 0.0, "correct": 1.0, "incorrect": 0.0}
_NOTHING = {"", "na", "n/a", "nan", "null", "none", "-"}


@dataclass
class _Task:
    prompt: str
    family: str
    outcomes: dict[str, list[float]] = field(default_factory=dict)
    costs: dict[tuple[str, str], list[float]] = field(default_factory=dict)
    """By unit and model."""
    answers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Columns:
    prompt: str
    task: str
    family: str
    model: str
    """Empty: a column per model."""
    outcome: str
    answer: str
    costs: Mapping[str, str]
    """A row per model: column of each unit."""
    outcomes_of: Mapping[str, str]
    """A column per model: its outcomes."""
    costs_of: Mapping[tuple[str, str], str]
    """The same, by unit and model."""
    answers_of: Mapping[str, str]


def read_outcome_tables(
    paths: Sequence[Path], *, models: Sequence[str] = (), outcome: str = "", family: str = ""
) -> tuple[OutcomeTable, list[Problem]]:
    """The tasks of one or more files. A file without a column of families is a family where there are several files.

    Args:
        paths: CSV files, plain or packed.
        models: those that take part; none: all.
        outcome: the column of outcomes, where its name is no usual one.
        family: the column of families, likewise.

    Raises:
        UserError: a file has no column that says what was asked, or how it went.
    """
    tasks: dict[str, _Task] = {}
    problems: list[Problem] = []
    for path in paths:
        default = path.name.split(".")[0] if len(paths) > 1 else ""
        _read_file(path, tasks, problems, default, outcome, family)
    if not tasks:
        reason = f": {problems[0]}" if problems else ""
        raise UserError(f"{', '.join(map(str, paths)):.200} holds no tasks{reason}")
    names = list(dict.fromkeys(model for task in tasks.values() for model in task.outcomes))
    if missing := [model for model in models if model not in names]:
        raise UserError(f"there is no model '{missing[0]:.80}' in the table; {accepted_are(names)}")
    return _make_table(list(tasks.values()), list(models) or names), problems


def _read_file(
    path: Path, tasks: dict[str, _Task], problems: list[Problem], default: str, outcome: str, family: str
) -> None:
    header: list[str] = []
    columns: _Columns | None = None
    for item in csv_rows(path, "\t" if ".tsv" in path.name else ","):
        if isinstance(item, Problem):
            problems.append(item)
            continue
        line, cells = item
        if columns is None:
            header = [storable(cell.strip()) for cell in cells]
            columns = _plan(path, header, outcome, family)
        elif len(cells) != len(header):
            problems.append(Problem(str(path), f"{len(cells)} cells where the header has {len(header)}", line))
        else:
            try:
                _add(tasks, dict(zip(header, map(storable, cells), strict=True)), columns, default)
            except ValueError as error:
                problems.append(Problem(str(path), f"not a row of outcomes: {error}", line))


def _plan(path: Path, header: Sequence[str], outcome: str, family: str) -> _Columns:
    by_lower = {name.lower(): name for name in reversed(header)}

    def first(names: Iterable[str]) -> str:
        return next((by_lower[name] for name in names if name in by_lower), "")

    prompt, model, task = first(PROMPT), first(MODEL), first(TASK)
    if not prompt:
        raise UserError(f"{path}: no column holds the prompts; {accepted_are(PROMPT)}")
    if family and family.lower() not in by_lower:
        raise UserError(f"{path}: there is no column '{family:.80}'; {accepted_are(header)}")
    family_column = by_lower[family.lower()] if family else first(FAMILY)
    costs = {unit: column for unit, names in UNITS.items() if (column := first(names))}
    if model:
        graded = first((outcome.lower(),) if outcome else COLUMNS["outcome"])
        if not graded:
            raise UserError(f"{path}: no column holds outcomes; name it with --outcome ({accepted_are(header)})")
        return _Columns(prompt, task, family_column, model, graded, first(ANSWER), costs, {}, {}, {})
    others = [name for name in header if name and name not in {prompt, task, family_column}]
    costs_of = {
        (_ENDINGS[end], name): column
        for column in others
        if (end := _split(column)[1]) in _ENDINGS
        for name in (_split(column)[0],)
    }
    answers_of = {_split(column)[0]: column for column in others if _split(column)[1] == "answer"}
    outcomes_of = {
        column: column for column in others if column not in set(costs_of.values()) | set(answers_of.values())
    }
    if not outcomes_of:
        raise UserError(f"{path}: there is neither a column 'model' nor one for each model; see docs/routing.md")
    return _Columns(prompt, task, family_column, "", "", "", {}, outcomes_of, costs_of, answers_of)


def _split(column: str) -> tuple[str, str]:
    name, _, end = column.rpartition(":")
    return name, end.lower()


def _add(tasks: dict[str, _Task], row: Mapping[str, str], columns: _Columns, default: str) -> None:
    prompt = row[columns.prompt]
    if not prompt.strip():
        raise ValueError("the prompt is empty")
    name = row[columns.task].strip() if columns.task else ""
    identity = f"task {name}" if name else (f"prompt {prompt}" if columns.model else f"row {len(tasks)}")
    if columns.model:
        model, graded = row[columns.model].strip(), _number(row[columns.outcome])
        if not model:
            raise ValueError("the model is empty")
        found = {model: graded}
        costs = {(unit, model): _amount(row[column]) for unit, column in columns.costs.items()}
        answers = {model: row[columns.answer].strip()} if columns.answer else {}
    else:
        found = {each: _number(row[column]) for each, column in columns.outcomes_of.items()}
        costs = {key: _amount(row[column]) for key, column in columns.costs_of.items()}
        answers = {each: row[column].strip() for each, column in columns.answers_of.items()}
    family = row[columns.family].strip() if columns.family else default
    task = tasks.setdefault(identity, _Task(prompt, family))
    for each, value in found.items():
        task.outcomes.setdefault(each, []).extend([] if value is None else [value])
    for key, amount in costs.items():
        task.costs.setdefault(key, []).extend([] if amount is None else [amount])
    task.answers.update(answers)


def _number(text: str) -> float | None:
    word = text.strip().lower()
    if word in _NOTHING:
        return None
    value = _WORDS.get(word)
    if value is None:
        try:
            value = float(word)
        except ValueError:
            raise ValueError("the outcome is neither a number nor true or false") from None
    if not (math.isfinite(value) and 0 <= value <= 1):
        raise ValueError("the outcome lies outside 0..1")
    return value


def _amount(text: str) -> float | None:
    if text.strip().lower() in _NOTHING:
        return None
    try:
        value = float(text)
    except ValueError:
        raise ValueError("a cost is no number") from None
    if not (math.isfinite(value) and value >= 0):
        raise ValueError("a cost is negative or endless")
    return value


def _make_table(tasks: list[_Task], models: list[str]) -> OutcomeTable:
    """Several runs of one task by one model count as their mean."""

    def mean(values: list[float] | None) -> float:
        return sum(values) / len(values) if values else math.nan

    outcomes = np.array([[mean(task.outcomes.get(model)) for model in models] for task in tasks])
    costs = {
        unit: np.array([[mean(task.costs.get((unit, model))) for model in models] for task in tasks])
        for unit in UNITS
        if any(key[0] == unit for task in tasks for key in task.costs)
    }
    has_answers = any(task.answers for task in tasks)
    answers = tuple(tuple(task.answers.get(model) for model in models) for task in tasks) if has_answers else None
    has_families = any(task.family for task in tasks)
    families = tuple(task.family for task in tasks) if has_families else ()
    return OutcomeTable(tuple(models), tuple(task.prompt for task in tasks), outcomes, families, costs, answers)
