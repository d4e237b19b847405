"""Files of task results -> results, each file recognised from its content."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from modicum.calls import Problem
from modicum.calls.task_result import TaskResult
from modicum.importers.files import head, records
from modicum.importers.task_results import inspect_log, lm_eval, promptfoo, swe_bench, tau2
from modicum.importers.task_results.result_format import Numbered, ResultOptions, label_files
from modicum.importers.task_results.table import read_csv_table, read_table

FORMATS = (inspect_log.FORMAT, promptfoo.FORMAT, lm_eval.FORMAT, swe_bench.FORMAT, tau2.FORMAT)
"""Of evaluation tools; what none of them recognises is a table."""
_ZIP = b"PK\x03\x04"


def read_task_results(paths: Sequence[Path], options: ResultOptions) -> Iterator[TaskResult | Problem]:
    """The results of these files, and what could not be read, with its place. Never raises for bad data."""
    options = replace(options, file_labels=label_files(paths))
    for path in paths:
        yield from _read_file(path, options)


def _read_file(path: Path, options: ResultOptions) -> Iterator[TaskResult | Problem]:
    start = head(path)
    if isinstance(start, Problem):
        yield start
        return
    first = start.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not first:
        yield Problem(str(path), "the file is empty")
    elif start.startswith(_ZIP):
        yield from inspect_log.read_inspect_archive(path, options)
    elif first[:1] in {b"{", b"["}:
        yield from _read_json(path, options)
    else:
        line = first.partition(b"\n")[0]
        yield from read_csv_table(path, "\t" if line.count(b"\t") > line.count(b",") else ",", options)


def _read_json(path: Path, options: ResultOptions) -> Iterator[TaskResult | Problem]:
    rows = records(path)
    before: list[Numbered | Problem] = []
    for row in rows:
        before.append(row)
        if not isinstance(row, Problem):
            break
    else:
        yield from (row for row in before if isinstance(row, Problem))
        if not before:
            yield Problem(str(path), "the file holds no results")
        return
    record = before[-1]
    assert not isinstance(record, Problem)  # noqa: S101 - the loop ended at a record
    every = chain(before, rows)
    for form in FORMATS:
        if form.recognise(record[1]):
            yield from form.read(path, every, options)
            return
    yield from read_table(path, every, options)
