"""Logs of Inspect: JSON, or `.eval`, a ZIP file with a JSON document per sample."""

import sys
import zipfile as plain_zipfile
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from modicum.calls import Problem
from modicum.calls.errors import accepted_are
from modicum.calls.task_result import TaskResult, total_of
from modicum.importers.task_results.result_format import (
    Numbered,
    Record,
    ResultFormat,
    ResultOptions,
    arm_label,
    count_of,
    float_of,
)
from modicum.providers.fields import label, listed, mapping, text
from modicum.providers.json_values import decoded

# Inspect packs its logs with zstd, which the zipfile of Python before 3.14 does not know.
zipfile = import_module("zipfile" if sys.version_info >= (3, 14) else "backports.zstd.zipfile")
_GRADES = {"C": 1.0, "I": 0.0, "P": 0.5, "N": 0.0}
"""Inspect's letters, as its own accuracy takes them: correct, incorrect, partial, no answer."""
MOST_SAMPLE_BYTES = 256 * 1024 * 1024


def read_inspect(
    path: Path, rows: Iterator[Numbered | Problem], options: ResultOptions
) -> Iterator[TaskResult | Problem]:
    """A result per sample and epoch."""
    for row in rows:
        if isinstance(row, Problem):
            yield row
        else:
            samples = iter(listed(row[1].get("samples")))
            yield from _results(path, mapping(row[1].get("eval")), samples, options)


def read_inspect_archive(path: Path, options: ResultOptions) -> Iterator[TaskResult | Problem]:
    """As `read_inspect`, of a `.eval` file. Unpacked sample by sample."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            start = next((name for name in ("header.json", "_journal/start.json") if name in names), None)
            if start is None:
                yield Problem(str(path), "a ZIP file that is no log of Inspect")
                return
            header = mapping(decoded(archive.read(start)))
            samples = _archived_samples(archive)
            yield from _results(path, mapping(header.get("eval")), samples, options)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, RecursionError, EOFError) as error:
        yield Problem(str(path), f"the log of Inspect cannot be unpacked: {type(error).__name__}")


def _archived_samples(archive: plain_zipfile.ZipFile) -> Iterator[Any]:
    for entry in archive.infolist():
        if entry.filename.startswith("samples/") and entry.filename.endswith(".json"):
            # A small file must not become a large one.
            yield decoded(archive.read(entry)) if entry.file_size <= MOST_SAMPLE_BYTES else None


def _results(
    path: Path, header: Record, samples: Iterator[Any], options: ResultOptions
) -> Iterator[TaskResult | Problem]:
    labels = {"model": text(header.get("model")), "agent": text(header.get("solver"))}
    try:
        arm = arm_label(options, path, labels)
    except ValueError as error:
        yield Problem(str(path), str(error))
        return
    name = text(header.get("task"))
    scorer = options.outcome
    count = 0
    for count, item in enumerate(samples, 1):
        sample = mapping(item)
        scores = mapping(sample.get("scores"))
        if not sample or not (sample_id := label(sample.get("id"))):
            yield Problem(str(path), f"sample {count} has no id, or is too large")
            continue
        scorer = scorer or next(iter(scores), "")
        if scores and scorer not in scores:
            yield Problem(str(path), f"sample {count} has no score '{scorer}'; {accepted_are(scores)}")
            continue
        prompt, completion = _tokens(mapping(sample.get("model_usage")))
        yield TaskResult(
            arm=arm,
            task=f"{name}/{sample_id}",
            run_id=label(sample.get("uuid")) or f"{path.name}/{label(sample.get('epoch'))}",
            outcome=_grade(mapping(scores.get(scorer)).get("value")),
            prompt_tokens=prompt,
            completion_tokens=completion,
            total_tokens=total_of(prompt, completion),
            cost_usd=_cost(mapping(sample.get("model_usage"))),
            seconds=float_of(sample.get("total_time")),
            place=f"{path.name}, sample {sample_id}",
        )
    if not count:
        yield Problem(
            str(path), "the log has no samples: was it written with --no-log-samples, or is it the header alone?"
        )


def _tokens(usage: Record) -> tuple[int | None, int | None]:
    """Of all models together, judges included where Inspect counts them there.

    The total tells whether cached tokens stand within the input: what is no output is prompt.
    """
    prompt = completion = 0
    for each in usage.values():
        one = mapping(each)
        output, whole = count_of(one.get("output_tokens")), count_of(one.get("total_tokens"))
        given = count_of(one.get("input_tokens"))
        if output is None or given is None:
            return None, None
        prompt += max(given, whole - output) if whole is not None else given
        completion += output
    return (prompt, completion) if usage else (None, None)


def _cost(usage: Record) -> float | None:
    costs = [float_of(mapping(each).get("total_cost")) for each in usage.values()]
    if not costs or any(cost is None for cost in costs):
        return None
    return sum(cost for cost in costs if cost is not None)


def _grade(value: Any) -> float | None:
    if isinstance(value, str):
        return _GRADES.get(value.strip().upper())
    return float(value) if isinstance(value, bool) else float_of(value)


def _recognise(record: Record) -> bool:
    header = record.get("eval")
    return isinstance(header, dict) and "model" in header and ("samples" in record or "status" in record)


FORMAT = ResultFormat("inspect", _recognise, read_inspect)
