"""Numbered lines of a file with the number on every tenth line: a third of what reading a file sends is line numbers.

What is left out follows from what stays, to the byte: `with_line_numbers` gives the text back. An agent that changes
files quotes them without their numbers, so nothing that it quotes is touched.
"""

import re
from collections.abc import Iterator
from functools import lru_cache, partial
from typing import NamedTuple

from modicum.calls.rule import Safety
from modicum.optimizers.arrival import arrival_rule, shows_early

NOTE = "[modicum: of the next "
_NOTE_END = " lines every tenth shows its number]"
_NOTE_LINE = re.compile(rf"{re.escape(NOTE)}(\d{{1,9}}){re.escape(_NOTE_END)}")
EVERY = 10
_BLOCK = 256
"""Numbers whose prefixes are made at once."""
FEWEST_LINES = 12
"""In a row; the note takes more than fewer numbers do."""
_PREFIX = re.compile(r"([ 0]{0,8})(\d{1,9})(→|\t|\| ?|: )")
"""As agents number files: `     1→`, `     1` with a tab (`cat -n`), `00001| `, `1: `."""
_QUICK = re.compile(r"[ 0]{0,8}\d{1,9}(?:→|\t|\||: )")


def without_line_numbers(text: str) -> str:
    """The text with a number on the first and every tenth line only, of each run of lines that are numbered one by one.
    A text that holds our note stays.
    """
    if NOTE in text or not shows_early(_QUICK, text):
        return text
    lines = text.split("\n")
    edited: list[str] = []
    end = 0
    for start, run in _runs(lines):
        edited += lines[end:start]
        edited.append(f"{NOTE}{len(run)}{_NOTE_END}")
        edited += run
        end = start + len(run)
    return "\n".join([*edited, *lines[end:]]) if end else text


def with_line_numbers(text: str) -> str:
    """The text from which the numbers were left out."""
    lines = text.split("\n")
    restored: list[str] = []
    place = 0
    while place < len(lines):
        note = _NOTE_LINE.fullmatch(lines[place])
        first = _PREFIX.match(lines[place + 1]) if note and place + 1 < len(lines) else None
        if note is None or first is None:
            restored.append(lines[place])
            place += 1
            continue
        place += 1
        number, style = int(first[2]), _Style(len(first[1] + first[2]), first[3], first[1][:1])
        for count in range(min(int(note[1]), len(lines) - place)):
            shown = count == 0 or (number + count) % EVERY == 0
            restored.append(lines[place + count] if shown else style.prefix(number + count) + lines[place + count])
        place += int(note[1])
    return "\n".join(restored)


def number_prefix(line: str) -> int:
    """How many characters at a line's beginning are its number, as agents number files; 0: it has none."""
    prefix = _PREFIX.match(line)
    return 0 if prefix is None else prefix.end()


def _runs(lines: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Runs of lines that are numbered one by one in one style: where each begins, and its lines as they are sent."""
    place, count = 0, len(lines)
    while place < count:
        first = _PREFIX.match(lines[place])
        if first is None:
            place += 1
            continue
        number, fill, last = int(first[2]), first[1], place + FEWEST_LINES - 1
        style = _Style(len(first[1] + first[2]), first[3], fill[:1])
        is_plain = str(number) == first[2] and fill == fill[:1] * len(fill)
        if not is_plain or last >= count or not lines[last].startswith(style.prefix(number + FEWEST_LINES - 1)):
            place += 1
            continue
        edited = _edit_run(lines, place, number, style)
        edited[0] = lines[place]
        if len(edited) >= FEWEST_LINES:
            yield place, edited
        place += len(edited)


def _edit_run(lines: list[str], start: int, number: int, style: "_Style") -> list[str]:
    """The run that begins there with a line of this number, as it is sent. A block of lines at a time, because a loop
    over single lines takes longer than a rule that runs on every call may.
    """
    edited: list[str] = []
    while start < len(lines):
        at = number % _BLOCK
        prefixes = _prefixes(number // _BLOCK, style)[at : at + 2 * max(len(edited), FEWEST_LINES)]
        own = lines[start : start + len(prefixes)]
        bare, end = list(map(str.removeprefix, own, prefixes)), len(own)
        if len("".join(own)) - len("".join(bare)) != len("".join(prefixes[:end])):  # faster than a look at each
            end = list(map(str.startswith, own, prefixes)).index(False)
        every_tenth = slice(-number % EVERY, end, EVERY)
        bare[every_tenth] = own[every_tenth]
        edited += bare[:end]
        if end < len(prefixes):
            break
        start, number = start + end, number + end
    return edited


class _Style(NamedTuple):
    """How a file's lines are numbered."""

    width: int
    """Characters up to the number's last digit, on the first line of the run."""
    mark: str
    """Between number and line."""
    fill: str
    """What short numbers are filled with on the left; empty: nothing."""

    def prefix(self, number: int) -> str:
        return f"{str(number).rjust(self.width, self.fill) if self.fill else number}{self.mark}"


@lru_cache(maxsize=128)
def _prefixes(block: int, style: _Style) -> tuple[str, ...]:
    """Of the lines whose numbers are in a block."""
    return tuple(map(style.prefix, range(block * _BLOCK, (block + 1) * _BLOCK)))


LINE_NUMBERS = arrival_rule(
    "content.line_numbers",
    without_line_numbers,
    safety=Safety.LOSSLESS,
    purpose="numbered lines with the number on every tenth",
    may_fit=partial(shows_early, _QUICK),
)
