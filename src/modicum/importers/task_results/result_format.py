"""What every reader of task results is given and gives."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modicum.calls import Problem
from modicum.calls.task_result import TaskResult
from modicum.importers.unpacking import plain_name

Record = Mapping[str, Any]
Numbered = tuple[int | None, Record]

ROLES = (
    "arm",
    "task",
    "run",
    "outcome",
    "prompt",
    "completion",
    "tokens",
    "cost",
    "seconds",
    "joules",
    "group",
    "started",
)
"""What a column of a table may be."""


@dataclass(frozen=True)
class ResultOptions:
    by: str = ""
    """What names the arm: `file`, `model`, `agent`, `prompt`, or a column. Empty: what the source suggests."""
    outcome: str = ""
    """Which column, score or metric grades a run. Empty: what the source suggests."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Columns of a table by role, where their names do not say it."""
    file_labels: Mapping[Path, str] = field(default_factory=dict)
    """Of files that are read together, so that two of one name stay apart."""

    def file_label(self, path: Path) -> str:
        """The file as an arm."""
        return self.file_labels.get(path) or file_label(path)


@dataclass(frozen=True)
class ResultFormat:
    name: str
    recognise: Callable[[Record], bool]
    """Whether the first object of a file is of this source."""
    read: Callable[[Path, Iterator[Numbered | Problem], ResultOptions], Iterator[TaskResult | Problem]]


def file_label(path: Path) -> str:
    """The name of a file as an arm: without its endings."""
    name = plain_name(path.name)
    for ending in (".jsonl", ".json", ".csv", ".tsv", ".eval", ".ndjson"):
        name = name.removesuffix(ending)
    return name


def label_files(paths: Sequence[Path]) -> dict[Path, str]:
    """A name for each file; those whose names are the same have their folder before it."""
    names = Counter(file_label(path) for path in set(paths))
    return {
        path: file_label(path) if names[file_label(path)] == 1 else f"{path.resolve().parent.name}/{file_label(path)}"
        for path in paths
    }


def arm_label(options: ResultOptions, path: Path, labels: Mapping[str, str], *, default: str = "file") -> str:
    """The arm of a result of an evaluation tool.

    Raises:
        ValueError: the source has no such label; the message says which there are.
    """
    labels = {"file": options.file_label(path), **{name: label for name, label in labels.items() if label}}
    by = options.by or default
    if by not in labels:
        raise ValueError(f"it has no '{by}' to name arms by; --by accepts {', '.join(labels)}")
    return labels[by]


def float_of(value: Any) -> float | None:
    """The number, or None where there is none: no bool, no text."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def count_of(value: Any) -> int | None:
    """As `float_of`, for whole numbers."""
    number = float_of(value)
    return int(number) if number is not None and number == number and abs(number) < 1e18 else None  # noqa: PLR0124 - NaN
