"""The same Claude Code transcripts counted in the ways that tools count them, so that a user sees why figures differ.

One call stands in several rows whose output count grows. Summing rows counts it several times; taking the first row
loses most of its output; leaving out progress rows loses subagents.
"""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from modicum.calls import Call, Problem, Usage
from modicum.importers.claude_code.usage import NAME, Best, add_row, calls_of, decode_row
from modicum.importers.files import lines
from modicum.importers.read_logs import recognise

WAYS = {
    "every_row": "every row with usage summed, as if each were a call",
    "first_row": "of each call the first row: its output has hardly begun",
    "greatest_row": "of each call the row with the greatest total (modicum, ccusage daily)",
    "greatest_row_without_progress": "as above, without calls that stand only in progress rows (ccusage session)",
}


class CountedRecords(msgspec.Struct):
    """Records by way of counting. Every record is to be priced as one call."""

    ways: dict[str, list[Call]]
    problems: list[Problem]


def counted(files: Iterable[Path]) -> CountedRecords:
    """The transcripts among these files, counted in every way; other formats are passed over."""
    found = CountedRecords({way: [] for way in WAYS}, [])
    first: dict[str, Call] = {}
    greatest: dict[str, Call] = {}
    for path in files:
        known = recognise(path)
        if isinstance(known, Problem):
            found.problems.append(known)
        elif known.format_name == NAME:
            _count(path, found, first, greatest)
    found.ways["first_row"] = list(first.values())
    found.ways["greatest_row"] = list(greatest.values())
    found.ways["greatest_row_without_progress"] = [call for call in greatest.values() if call.place != "progress"]
    return found


def _count(path: Path, found: CountedRecords, first: dict[str, Call], greatest: dict[str, Call]) -> None:
    """Rows are read one at a time, each as if it were alone; then all of the file together."""
    whole: dict[str, Best] = {}
    for item in lines(path):
        if isinstance(item, Problem):
            found.problems.append(item)
            continue
        number, line = item
        if b'"output_tokens"' not in line:
            continue
        alone: dict[str, Best] = {}
        try:
            row = decode_row(line)
            reason = add_row(row, alone) or add_row(row, whole)
        except (ValueError, RecursionError) as error:
            reason = f"not counted: {error}"
        if reason:
            found.problems.append(Problem(str(path), reason, number))
        for call in calls_of(alone, path):
            found.ways["every_row"].append(call)
            first.setdefault(call.call_id, call)
    for call in calls_of(whole, path):
        known = greatest.get(call.call_id)
        if known is None or call.revision > known.revision:
            greatest[call.call_id] = call


def output_replaced(calls: Iterable[Call], estimates: dict[str, int]) -> list[Call]:
    """The calls with our count of the content as their output, where there is one."""
    return [
        msgspec.structs.replace(call, usage=_with_output(call.usage, estimates.get(call.call_id))) for call in calls
    ]


def _with_output(usage: Usage, tokens: int | None) -> Usage:
    return usage if tokens is None else msgspec.structs.replace(usage, output_visible=tokens, output_reasoning=0)
