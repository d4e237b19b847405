"""Reports of the SWE-bench harness: one for a whole run with lists of instances, or one object per instance.

Whatever was submitted and is not resolved has failed: an empty patch, an error and a failed test alike. The reports
hold no tokens; cost and calls stand in the details of the bash-only submissions.
"""

from collections.abc import Iterator
from pathlib import Path

from modicum.calls import Problem
from modicum.calls.task_result import TaskResult
from modicum.calls.words.counted_nouns import number_of
from modicum.importers.task_results.result_format import (
    Numbered,
    Record,
    ResultFormat,
    ResultOptions,
    arm_label,
    float_of,
)
from modicum.providers.fields import listed, mapping, text

SUBMITTED = ("submitted_ids", "completed_ids", "unresolved_ids", "empty_patch_ids", "error_ids", "incomplete_ids")
_LEFT_OUT = "incomplete_ids"
"""Instances of the data set that were never submitted stand here: no runs."""


def read_swe_bench(
    path: Path, rows: Iterator[Numbered | Problem], options: ResultOptions
) -> Iterator[TaskResult | Problem]:
    """A result per instance."""
    for row in rows:
        if isinstance(row, Problem):
            yield row
            continue
        try:
            arm = arm_label(options, path, {})
        except ValueError as error:
            yield Problem(str(path), str(error))
            continue
        yield from _of_lists(arm, path, row[1]) if _has_lists(row[1]) else _of_instances(arm, path, row[1])


def _of_lists(arm: str, path: Path, report: Record) -> Iterator[TaskResult | Problem]:
    resolved = {text(name) for name in listed(report.get("resolved_ids"))}
    names = [text(name) for field in SUBMITTED if field != _LEFT_OUT for name in listed(report.get(field))]
    if both := resolved & {text(name) for name in listed(report.get("unresolved_ids"))}:
        yield Problem(
            str(path), f"{number_of(len(both), 'instance is', 'instances are')} both resolved and unresolved; left out"
        )
    for name in sorted({*names, *resolved} - both - {""}):
        yield TaskResult(
            arm=arm, task=name, outcome=float(name in resolved), group=_repository(name), place=f"{path.name}, {name}"
        )


def _of_instances(arm: str, path: Path, report: Record) -> Iterator[TaskResult | Problem]:
    for name, item in report.items():
        instance = mapping(item)
        if not isinstance(instance.get("resolved"), bool):
            yield Problem(str(path), "an instance does not say whether it is resolved")
            continue
        yield TaskResult(
            arm=arm,
            task=name,
            outcome=float(instance["resolved"]),
            cost_usd=float_of(instance.get("cost")),
            group=_repository(name),
            place=f"{path.name}, {name}",
        )


def _repository(name: str) -> str:
    """`django__django-11066` is a task of `django__django`: tasks of one repository resemble each other."""
    return name.rpartition("-")[0]


def _has_lists(report: Record) -> bool:
    return isinstance(report.get("resolved_ids"), list)


def _recognise(record: Record) -> bool:
    first = next(iter(record.values()), None)
    return _has_lists(record) or (isinstance(first, dict) and isinstance(first.get("resolved"), bool))


FORMAT = ResultFormat("swe-bench", _recognise, read_swe_bench)
