"""Sample files of lm-evaluation-harness (`--log_samples`): a line per document and filter, without tokens or cost."""

import re
from collections.abc import Iterator
from pathlib import Path

from modicum.calls import Problem
from modicum.calls.errors import accepted_are
from modicum.calls.task_result import TaskResult
from modicum.calls.words.counted_nouns import number_of
from modicum.importers.task_results.result_format import (
    Numbered,
    Record,
    ResultFormat,
    ResultOptions,
    arm_label,
    file_label,
    float_of,
)
from modicum.providers.fields import label, listed, text

_STAMP = re.compile(r"^samples_(.+?)(_\d{4}-\d\d-\d\dT.*)?$")


def read_lm_eval(
    path: Path, rows: Iterator[Numbered | Problem], options: ResultOptions
) -> Iterator[TaskResult | Problem]:
    """A result per document, by one metric and one filter: the first, unless `outcome` is METRIC or METRIC,FILTER."""
    metric, _, chosen_filter = options.outcome.partition(",")
    other_filters = 0
    name = file_label(path)
    task_name = match[1] if (match := _STAMP.match(name)) else name
    for row in rows:
        if isinstance(row, Problem):
            yield row
            continue
        number, record = row
        try:
            # Files of one task have the same name under every model: the folder tells them apart.
            arm = arm_label(options, path, {"model": path.resolve().parent.name}, default="model")
        except ValueError as error:
            yield Problem(str(path), str(error))
            return
        metrics = [text(metric) for metric in listed(record.get("metrics"))]
        metric = metric or (metrics[0] if metrics else "")
        if metrics and metric not in metrics:
            yield Problem(str(path), f"there is no metric '{metric}'; {accepted_are(metrics)}", number)
            return
        chosen_filter = chosen_filter or text(record.get("filter"))
        if text(record.get("filter")) != chosen_filter:
            other_filters += 1
            continue
        document = label(record.get("doc_hash")) or label(record.get("doc_id"))
        yield TaskResult(
            arm=arm,
            task=f"{task_name}/{document}",
            run_id=f"{label(record.get('doc_id'))}/{path}",
            outcome=_grade(record.get(metric)),
            group="",
            place=f"{path.name}:{number}",
        )
    if other_filters:
        lines = number_of(other_filters, "line of another filter is", "lines of other filters are")
        reason = f"{lines} left out: '{metric},{chosen_filter}' grades"
        yield Problem(str(path), f"{reason}; choose another with --outcome METRIC,FILTER")


def _grade(value: object) -> float | None:
    return float(value) if isinstance(value, bool) else float_of(value)


def _recognise(record: Record) -> bool:
    return "doc_id" in record and ("resps" in record or "filtered_resps" in record)


FORMAT = ResultFormat("lm-eval", _recognise, read_lm_eval)
