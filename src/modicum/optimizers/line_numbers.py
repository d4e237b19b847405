"""Numbered lines of a file with the number on every tenth line: a third of what reading a file sends is line numbers.

What is left out follows from what stays, to the byte: `with_line_numbers` gives the text back. An agent that changes
files quotes them without their numbers, so nothing that it quotes is touched.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from modicum.calls.rule import Safety
from modicum.optimizers.arrival import SHOWS_EARLY_CHARACTERS, arrival_rule

NOTE = "[modicum: of the next "
_NOTE_END = " lines every tenth shows its number]"
_NOTE_LINE = re.compile(rf"{re.escape(NOTE)}(\d{{1,9}}){re.escape(_NOTE_END)}")
EVERY = 10
FEWEST_LINES = 12
"""In a row; the note takes more than fewer numbers do."""
_PREFIX = re.compile(r"([ 0]{0,8})(\d{1,9})(→|\t|\| ?|: )")
"""As agents number files: `     1→`, `     1` with a tab (`cat -n`), `00001| `, `1: `."""
_QUICK = re.compile(r"^[ 0]{0,8}\d{1,9}(?:→|\t|\||: )", re.MULTILINE)


def without_line_numbers(text: str) -> str:
    """The text with a number on the first and every tenth line only, of each run of lines that are numbered one by one.
    A text that holds our note stays.
    """
    if NOTE in text or _QUICK.search(text, 0, SHOWS_EARLY_CHARACTERS) is None:
        return text
    lines = text.split("\n")
    edited: list[str] = []
    end = 0
    for start, stop, cuts in _runs(lines):
        edited += lines[end:start]
        edited.append(f"{NOTE}{stop - start:,}{_NOTE_END}".replace(",", ""))
        edited += [lines[place][cut:] for place, cut in zip(range(start, stop), cuts, strict=True)]
        end = stop
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
        number, width, mark = int(first[2]), len(first[1] + first[2]), first[3]
        for count in range(min(int(note[1]), len(lines) - place)):
            shown = count == 0 or (number + count) % EVERY == 0
            prefix = "" if shown else _prefix(number + count, width, mark, first[1])
            restored.append(prefix + lines[place + count])
        place += int(note[1])
    return "\n".join(restored)


def _runs(lines: list[str]) -> Iterator[tuple[int, int, list[int]]]:
    """Runs of lines that are numbered one by one in one style: where each begins and ends, and of every line how many
    characters of it are left out.
    """
    match = _PREFIX.match
    place, count = 0, len(lines)
    while place < count:
        first = match(lines[place])
        if first is None:
            place += 1
            continue
        start, number, mark = place, int(first[2]), first[3]
        width, fill = len(first[1] + first[2]), first[1]
        if str(number) != first[2] or (fill and fill != fill[0] * len(fill)):
            place += 1
            continue
        cuts = [0]
        place += 1
        while place < count:
            prefix = _prefix(number + place - start, width, mark, fill)
            if not lines[place].startswith(prefix):
                break
            cuts.append(0 if (number + place - start) % EVERY == 0 else len(prefix))
            place += 1
        if place - start >= FEWEST_LINES:
            yield start, place, cuts


@lru_cache(maxsize=16_384)
def _prefix(number: int, width: int, mark: str, fill: str) -> str:
    return f"{str(number).rjust(width, fill[0]) if fill else number}{mark}"


LINE_NUMBERS = arrival_rule(
    "content.line_numbers",
    without_line_numbers,
    safety=Safety.LOSSLESS,
    purpose="numbered lines with the number on every tenth",
    may_fit=lambda text: _QUICK.search(text, 0, SHOWS_EARLY_CHARACTERS) is not None,
)._replace(must_be_chosen=True)
"""As JSON without white space: a request that is taken apart for it costs more time than a default rule may take."""
