"""CSV tables of what several models made of the same prompts -> what routing learns from. See docs/routing.md."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from modicum.calls import Problem, UserError
from modicum.calls.errors import accepted_are
from modicum.calls.outside.storable import storable
from modicum.calls.words.counted_nouns import number_of
from modicum.context.tool_work import ToolWork, work_of
from modicum.importers.csv_rows import csv_rows, text_lines
from modicum.importers.task_results.table import COLUMNS
from modicum.routing.outcome_table import OutcomeTable
from modicum.routing.stage import Stage

PROMPT = ("prompt", "question", "input", "instruction", "text")
TASK = COLUMNS["task"]
MODEL = ("model", "arm", "model_name", "model_id", "llm")
FAMILY = ("family", "group", "subject", "category", "dataset", "language")
ANSWER = ("answer", "prediction")
STAGE = ("depth", "errors", "errors_in_a_row", "last_tool", "has_written")
"""Where an agent stood in its task when the model was asked: a row per moment, then, and model."""
UNITS = {"usd": COLUMNS["cost"], "seconds": ("seconds", "duration_s", "latency_s"), "joules": COLUMNS["joules"]}
_ENDINGS = {
    **dict.fromkeys(("cost_usd", "usd", "cost", "total_cost"), "usd"),
    **dict.fromkeys(("seconds", "latency_s"), "seconds"),
    "joules": "joules",
    **dict.fromkeys(("answer", "response", "model_response", "prediction"), "answer"),
}
_SEPARATORS = ":", "|"
_MOST_BAD = 0.5
"""Share of a column's cells that may be no outcomes; of a column with more we say that it is no model's."""
_SCALES = 1.0, 10.0, 100.0
_FEWEST_ABOVE = 0.05
"""Share of outcomes above 1 from which a column is taken for one of another scale, and not for faulty."""
_WORDS = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0, "pass": 1.0, "fail": 0.0, "correct": 1.0, "incorrect": 0.0}
_NOTHING = {"", "na", "n/a", "nan", "null", "none", "-"}


@dataclass
class _Task:
    name: str
    prompt: str
    family: str
    stage: Stage | None = None
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
    stage: Mapping[str, str]
    """What is said of the stage; none: rows are whole tasks."""
    scale: float = 1.0
    """The best outcome there can be."""


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
    rows: list[tuple[int, dict[str, str]]] = []
    before = len(problems)
    for item in csv_rows(path, _delimiter(path)):
        if isinstance(item, Problem):
            problems.append(item)
            continue
        line, cells = item
        if not header:
            header = [storable(cell.strip()) for cell in cells]
        elif len(cells) != len(header):
            problems.append(
                Problem(str(path), f"{number_of(len(cells), 'cell')} where the header has {len(header)}", line)
            )
        else:
            rows.append((line, dict(zip(header, map(storable, cells), strict=True))))
    if not rows:
        return
    columns = _plan(path, header, [row for _, row in rows], outcome, family)
    if columns.scale != 1:
        problems.append(Problem(str(path), f"outcomes reach beyond 1: they are divided by {columns.scale:g}", 1))
    for line, row in rows:
        try:
            _add(tasks, row, columns, default)
        except ValueError as error:
            problems.append(Problem(str(path), f"not a row of outcomes: {error}", line))
    problems[before:] = sorted(problems[before:], key=lambda problem: problem.line or 0)


def _delimiter(path: Path) -> str:
    """Comma, semicolon or tab: what its first line has most of."""
    first = next((line for _, line in text_lines(path) if not isinstance(line, Problem)), "")
    return max(",", ";", "\t", key=first.count)


def _plan(path: Path, header: Sequence[str], rows: Sequence[Mapping[str, str]], outcome: str, family: str) -> _Columns:
    by_lower = {name.lower().replace(" ", "_"): name for name in reversed(header)}

    def first(names: Iterable[str]) -> str:
        return next((by_lower[name] for name in names if name in by_lower), "")

    prompt, model, task = first(PROMPT), first(MODEL), first(TASK)
    if not prompt:
        raise UserError(f"{path}: no column holds the prompts; {accepted_are(PROMPT)}")
    if family and family.lower() not in by_lower:
        raise UserError(f"{path}: there is no column '{family:.80}'; {accepted_are(header)}")
    family_column = by_lower[family.lower()] if family else first(FAMILY)
    costs = {unit: column for unit, names in UNITS.items() if (column := first(names))}
    stage = {name: by_lower[name] for name in STAGE if name in by_lower}
    if model:
        graded = first((outcome.lower(),) if outcome else COLUMNS["outcome"])
        if not graded:
            raise UserError(f"{path}: no column holds outcomes; name it with --outcome ({accepted_are(header)})")
        scale = _scale([row[graded] for row in rows])
        return _Columns(prompt, task, family_column, model, graded, first(ANSWER), costs, {}, {}, {}, stage, scale)
    others = [name for name in header if name and name not in {prompt, task, family_column, *stage.values()}]
    beside = {column: split for column in others if (split := _split(column, others)) is not None}
    costs_of = {(kind, name): column for column, (name, kind) in beside.items() if kind != "answer"}
    answers_of = {name: column for column, (name, kind) in beside.items() if kind == "answer"}
    outcomes_of: dict[str, str] = {}
    for scale in _SCALES:
        outcomes_of = {
            name: name for name in others if name not in beside and _holds_outcomes([row[name] for row in rows], scale)
        }
        if outcomes_of:
            return _Columns(
                prompt, task, family_column, "", "", "", {}, outcomes_of, costs_of, answers_of, stage, scale
            )
    raise UserError(f"{path}: there is neither a column 'model' nor one for each model; see docs/routing.md")


def _split(column: str, others: Sequence[str]) -> tuple[str, str] | None:
    """Of a column that says something else of a model: the model, and what."""
    for separator in _SEPARATORS:
        name, _, end = column.rpartition(separator)
        if name and (kind := _ENDINGS.get(end.strip().lower())) is not None:
            return name, kind
    for end, kind in _ENDINGS.items():  # gpt-4o_cost, where there is a column gpt-4o
        name = column[: -len(end) - 1]
        if column.lower().endswith(f"_{end}") and name in others:
            return name, kind
    return None


def _holds_outcomes(cells: Sequence[str], scale: float) -> bool:
    """Whether nearly all that stands in a column are outcomes, and anything at all."""
    filled = good = 0
    for cell in cells:
        try:
            filled += _number(cell, scale) is not None
        except ValueError:
            filled += 1
        else:
            good += cell.strip().lower() not in _NOTHING
    return filled > 0 and good >= (1 - _MOST_BAD) * filled


def _scale(cells: Sequence[str]) -> float:
    """By what outcomes are divided so that they lie in 0..1; 1 where only a few, which must be faulty, lie above."""
    values = []
    for cell in cells:
        try:
            values.append(float(cell))
        except ValueError:
            continue
    above = [value for value in values if value > 1]
    if len(above) < _FEWEST_ABOVE * max(1, len(values)):
        return 1.0
    return next((scale for scale in _SCALES if max(above) <= scale), 1.0)


def _add(tasks: dict[str, _Task], row: Mapping[str, str], columns: _Columns, default: str) -> None:
    prompt = row[columns.prompt]
    if not prompt.strip():
        raise ValueError("the prompt is empty")
    name = row[columns.task].strip() if columns.task else ""
    identity = f"task {name}" if name else (f"prompt {prompt}" if columns.model else f"row {len(tasks)}")
    stage = _stage(row, columns.stage) if columns.stage else None
    if stage is not None:
        identity += f" at {stage}"
    if columns.model:
        model, graded = row[columns.model].strip(), _number(row[columns.outcome], columns.scale)
        if not model:
            raise ValueError("the model is empty")
        found = {model: graded}
        costs = {(unit, model): _amount(row[column]) for unit, column in columns.costs.items()}
        answers = {model: row[columns.answer].strip()} if columns.answer else {}
    else:
        found = {each: _number(row[column], columns.scale) for each, column in columns.outcomes_of.items()}
        costs = {key: _amount(row[column]) for key, column in columns.costs_of.items()}
        answers = {each: row[column].strip() for each, column in columns.answers_of.items()}
    family = row[columns.family].strip() if columns.family else default
    task = tasks.setdefault(identity, _Task(name or prompt, prompt, family, stage))
    for each, value in found.items():
        task.outcomes.setdefault(each, []).extend([] if value is None else [value])
    for key, amount in costs.items():
        task.costs.setdefault(key, []).extend([] if amount is None else [amount])
    task.answers.update(answers)


def _stage(row: Mapping[str, str], columns: Mapping[str, str]) -> Stage:
    """Where the agent stood; what is empty or has no column is nothing yet."""
    cells = {name: row[column].strip() for name, column in columns.items()}
    try:
        depth, errors, in_a_row = (int(cells.get(name) or 0) for name in STAGE[:3])
    except ValueError:
        raise ValueError("depth and errors must be whole numbers") from None
    if min(depth, errors, in_a_row) < 0 or errors > depth or in_a_row > errors:
        raise ValueError("depth, errors and errors_in_a_row contradict each other")
    written = cells.get("has_written", "").lower()
    if written not in _NOTHING and written not in _WORDS and written not in {"0", "1"}:
        raise ValueError("has_written is neither true nor false")
    last_tool = cells.get("last_tool", "")
    wrote = _WORDS.get(written, 1.0 if written == "1" else 0.0) > 0 or work_of(last_tool) is ToolWork.WRITES
    return Stage(depth, errors, in_a_row, last_tool, wrote)


def _number(text: str, scale: float) -> float | None:
    word = text.strip().lower()
    if word in _NOTHING:
        return None
    value = _WORDS.get(word)
    if value is None:
        try:
            value = float(word) / scale
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
    has_stages = any(task.stage is not None for task in tasks)
    return OutcomeTable(
        tuple(models),
        tuple(task.prompt for task in tasks),
        outcomes,
        families,
        costs,
        answers,
        tasks=tuple(task.name for task in tasks) if has_stages else (),
        stages=tuple(task.stage or Stage() for task in tasks) if has_stages else (),
    )
