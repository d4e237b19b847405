"""Facts in instructions that change from call to call (dates, ids, folders, the state of git), moved behind all else.

A prompt cache reads what stands in front of the first change. A date in the third line of long instructions loses all
behind it with every new day. Nothing is left out: the lines stand at the end, in their order, under a line that says
so; with `cache.breakpoints` the mark stands in front of them.
"""

import re
from typing import NamedTuple

from modicum.calls import SegmentKind
from modicum.calls.change import NO_CHANGE, Change
from modicum.calls.facts import Facts
from modicum.calls.prompt import VOLATILE_NOTE, Prompt, tokens_by_length
from modicum.calls.rule import NetSaving, Rule, Safety

LEAST_TOKENS_BEHIND = 256
"""Of instructions behind the first such line: below it there is nothing to win."""
LONGEST_LINE = 200
_LABEL = r"^[ \t]*(?:[-*#>][ \t]*)*(?:\*\*)?<?"
_KINDS = {
    "date": re.compile(
        _LABEL + r"[^:=<>\n]{0,40}?\b(?:date|today|time|now|timestamp|heute|fecha)\b[^\n]{0,60}?"
        r"(?:\d{4}-\d{2}-\d{2}|\d{1,2}[./]\d{1,2}[./]\d{2,4}|\d{1,2}:\d{2}|"
        r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? \d{1,2}|\d{1,2} [a-z]{3,9} \d{4})",
        re.IGNORECASE,
    ),
    "id": re.compile(
        _LABEL + r"[^:=<>\n]{0,40}?(?:id|session|request|conversation|trace|run)(?:\*\*)?>?[ \t]*[:=>]?[ \t\"'`]*"
        r"(?<=[:=> \"'`])[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\b",
        re.IGNORECASE,
    ),
    "folder": re.compile(
        _LABEL + r"(?:cwd|pwd|(?:current |primary )?working (?:directory|dir|folder)|current (?:directory|folder))"
        r"(?:\*\*)?>?[ \t]*(?:[:=]|is |>)",
        re.IGNORECASE,
    ),
    "git": re.compile(
        _LABEL + r"(?:git ?status|git branch|current branch|git commit|head commit)(?:\*\*)?>?[ \t]*(?:[:=]|is |>)",
        re.IGNORECASE,
    ),
}
"""A label and a value on one line. What is no labelled line (a date in a sentence, an example) stays."""


class VolatileLine(NamedTuple):
    """A line of instructions that changes from call to call."""

    number: int
    """From 0."""
    kind: str
    """`date`, `id`, `folder` or `git`."""


def find_volatile_lines(text: str) -> list[VolatileLine]:
    """Lines that hold nothing but a label and a fact that changes."""
    return [
        VolatileLine(number, kind)
        for number, line in enumerate(text.split("\n"))
        if 0 < len(line) <= LONGEST_LINE
        for kind in [next((name for name, pattern in _KINDS.items() if pattern.match(line)), "")]
        if kind
    ]


def with_volatile_lines_last(text: str) -> str:
    """The text with these lines at its end. A text that holds our note, or where too little stands behind the first of
    them, stays.
    """
    if VOLATILE_NOTE in text:
        return text
    found = {line.number for line in find_volatile_lines(text)}
    if not found:
        return text
    lines = text.split("\n")
    stable = [line for number, line in enumerate(lines) if number not in found]
    if tokens_by_length("\n".join(stable[min(found) :])) <= LEAST_TOKENS_BEHIND:
        return text
    return "\n".join([*stable, VOLATILE_NOTE, *(lines[number] for number in sorted(found))])


def move_volatile_facts(prompt: Prompt, _facts: Facts) -> Change:
    """Moves them to the end of the last of the instructions in front of the conversation. Where a caller sets marks for
    the cache it has an order of its own.
    """
    if prompt.has_cache_marks:
        return NO_CHANGE
    replaced: dict[int, str] = {}
    kinds: set[str] = set()
    for unit in prompt.units:
        if unit.kind is not SegmentKind.SYSTEM:
            if unit.is_message:
                break
            continue
        text = unit.text
        if text is not None and (moved := with_volatile_lines_last(text)) != text:
            replaced[unit.place] = moved
            kinds |= {line.kind for line in find_volatile_lines(text)}
    if not replaced:
        return NO_CHANGE
    return Change(
        replaced=replaced, why=f"moved behind what stays the same in the instructions: {', '.join(sorted(kinds))}"
    )


VOLATILE_FACTS = Rule(
    "cache.volatile_facts",
    move_volatile_facts,
    Safety.LOSSLESS,
    is_cache_safe=True,
    purpose="dates, ids, folders and the state of git behind the rest of the instructions",
    weigh=lambda *_: NetSaving(is_certain=True),
    must_be_chosen=True,
)
