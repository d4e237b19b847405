"""Results of promptfoo (`promptfoo eval -o results.json`): a row per test, provider and prompt.

A reply that came from promptfoo's own cache took nothing this time: what it took is not known, and is not 0.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from modicum.calls import Problem
from modicum.calls.task_result import TaskResult, total_of
from modicum.calls.words.counted_nouns import number_of
from modicum.importers.task_results.result_format import (
    Numbered,
    Record,
    ResultFormat,
    ResultOptions,
    arm_label,
    count_of,
    float_of,
)
from modicum.providers.fields import listed, mapping, text


def read_promptfoo(
    path: Path, rows: Iterator[Numbered | Problem], options: ResultOptions
) -> Iterator[TaskResult | Problem]:
    """A result per row. Arms are providers, and providers with prompts where several prompts were tried."""
    for row in rows:
        if isinstance(row, Problem):
            yield row
            continue
        items = _rows_of(row[1])
        prompts = {_prompt(mapping(item)) for item in items}
        cached = 0
        for number, item in enumerate(items, 1):
            result = mapping(item)
            cached += _is_cached(result)
            try:
                yield _result(path, number, result, options, several_prompts=len(prompts) > 1)
            except ValueError as error:
                yield Problem(str(path), f"row {number}: {error}")
        if cached:
            yield Problem(
                str(path),
                f"{number_of(cached, 'reply', 'replies')} came from promptfoo's cache: what they took is unknown",
            )


def _result(path: Path, number: int, result: Record, options: ResultOptions, *, several_prompts: bool) -> TaskResult:
    provider = mapping(result.get("provider"))
    model = text(provider.get("label")) or text(provider.get("id")) or text(result.get("provider"))
    prompt_name = _prompt(result)
    labels = {
        "model": model,
        "prompt": prompt_name,
        "arm": f"{model} | {prompt_name}" if several_prompts and prompt_name else model,
    }
    arm = arm_label(options, path, labels, default="arm")
    usage = mapping(result.get("tokenUsage")) or mapping(mapping(result.get("response")).get("tokenUsage"))
    cached = _is_cached(result)
    prompt = None if cached else count_of(usage.get("prompt"))
    completion = None if cached else count_of(usage.get("completion"))
    milliseconds = None if cached else float_of(result.get("latencyMs"))
    return TaskResult(
        arm=arm,
        task=_task(result, number),
        outcome=_outcome(result, options.outcome),
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=total_of(prompt, completion),
        cost_usd=None if cached else float_of(result.get("cost")),
        seconds=None if milliseconds is None else milliseconds / 1000,
        place=f"{path.name}, row {number}",
    )


def _outcome(result: Record, name: str) -> float | None:
    """Whether it passed; a score by name (`score`, or one of promptfoo's named scores) where asked for."""
    if name == "score":
        return float_of(result.get("score"))
    if name and name != "success":
        return float_of(mapping(result.get("namedScores")).get(name))
    success = result.get("success")
    return float(success) if isinstance(success, bool) else None


def _task(result: Record, number: int) -> str:
    """What is asked: the test's variables and name, which repeats share, and not its place in the run."""
    test = mapping(result.get("testCase"))
    variables = result.get("vars") or test.get("vars")
    name = text(test.get("description"))
    if variables:
        digest = hashlib.sha256(json.dumps(variables, sort_keys=True, default=str).encode()).hexdigest()[:12]
        return f"{name} {digest}".strip()
    place: Any = result.get("testIdx")
    return name or f"test {place if place is not None else number}"


def _prompt(result: Record) -> str:
    prompt = result.get("prompt")
    if isinstance(prompt, Mapping):
        # A label may be the whole prompt: its first words are enough to tell prompts apart, its digest makes sure.
        words = text(prompt.get("label")) or text(prompt.get("raw"))
        if len(words) > 40:
            return f"{' '.join(words[:32].split())}... {hashlib.sha256(words.encode()).hexdigest()[:6]}"
        return words
    return text(result.get("promptId"))


def _is_cached(result: Record) -> bool:
    return mapping(result.get("response")).get("cached") is True


def _rows_of(document: Record) -> list[Any]:
    results = document.get("results")
    return listed(results) or listed(mapping(results).get("results"))


def _recognise(record: Record) -> bool:
    rows = _rows_of(record)
    return bool(rows) and isinstance(rows[0], dict) and {"success", "provider"} <= rows[0].keys()


FORMAT = ResultFormat("promptfoo", _recognise, read_promptfoo)
