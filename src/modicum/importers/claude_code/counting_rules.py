"""The same Claude Code transcripts counted in the ways that tools count them, so that a user sees why figures differ.

One call stands in several rows whose output count grows. Summing rows counts it several times; taking the first row
loses most of its output; leaving out progress rows loses subagents.
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from modicum.calls import Call, Problem, Usage
from modicum.importers.claude_code.usage import NAME, USAGE_MARK, Best, add_line, calls_of
from modicum.importers.files import lines
from modicum.importers.read_logs import PLAUSIBLE_YEARS, recognise

WAYS = {
    "every_row": "every row with usage summed, as if each were a call",
    "first_row": "of each call the first row: its output has hardly begun",
    "greatest_row": "of each call the row with the greatest total (modicum, ccusage daily)",
    "greatest_row_without_progress": "as above, without calls that stand only in progress rows (ccusage session)",
}


class CountedRecords(msgspec.Struct):
    """Records by way of counting. Every record is to be priced as one call."""

    ways: dict[str, list[Call]]
    other_files: int = 0
    """Files of other formats, which are counted in one way only."""


def counted(files: Iterable[Path], source: str | None = None) -> CountedRecords:
    """The transcripts among these files, counted in every way. What is wrong in them, whoever reads them in full says;
    `source` as there.
    """
    found = CountedRecords({way: [] for way in WAYS})
    first: dict[str, Call] = {}
    greatest: dict[str, Call] = {}
    for path in files:
        known = recognise(path, source)
        if isinstance(known, Problem):
            continue
        if known.format_name == NAME:
            _count(path, found, first, greatest)
        else:
            found.other_files += 1
    found.ways["first_row"] = list(first.values())
    found.ways["greatest_row"] = list(greatest.values())
    found.ways["greatest_row_without_progress"] = [call for call in greatest.values() if call.place != "progress"]
    return found


def _count(path: Path, found: CountedRecords, first: dict[str, Call], greatest: dict[str, Call]) -> None:
    """Rows are read one at a time, each as if it were alone; then all of the file together."""
    whole: dict[str, Best] = {}
    for item in lines(path):
        if isinstance(item, Problem) or USAGE_MARK not in item[1]:
            continue
        alone: dict[str, Best] = {}
        add_line(item[1], alone)
        add_line(item[1], whole)
        for call in _calls(alone, path):
            found.ways["every_row"].append(call)
            first.setdefault(call.call_id, call)
    for call in _calls(whole, path):
        known = greatest.get(call.call_id)
        if known is None or call.revision > known.revision:
            greatest[call.call_id] = call


def _calls(rows: Mapping[str, Best], path: Path) -> Iterator[Call]:
    return (call for call in calls_of(rows, path) if call.started.year in PLAUSIBLE_YEARS)


def output_replaced(calls: Iterable[Call], estimates: dict[str, int]) -> list[Call]:
    """The calls with our count of the content as their output, where there is one."""
    return [
        msgspec.structs.replace(call, usage=_with_output(call.usage, estimates.get(call.call_id))) for call in calls
    ]


def _with_output(usage: Usage, tokens: int | None) -> Usage:
    return usage if tokens is None else msgspec.structs.replace(usage, output_visible=tokens, output_reasoning=0)
