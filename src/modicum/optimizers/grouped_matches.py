"""Matches of a search with each file's name once, above its lines, instead of on every line.

It is how `rg --heading` shows them. `matches_on_their_own` gives the text back to the byte, and a text for which it
would not stays as it is.
"""

import re
from collections.abc import Sequence
from functools import partial
from itertools import repeat
from typing import NamedTuple

from modicum.calls.rule import Safety
from modicum.optimizers.arrival import arrival_rule, shows_early

NOTE = "[modicum: each file's name stands above its lines]"
FEWEST_LINES = 6
_MATCH = re.compile(r"([^\s:][^:\n]{0,300}?\.\w{1,10}|[^\s:]{0,200}/[^\s:]{0,200}?)([:-])(\d{1,9}[:-])")
"""`path:12:text` where the line matches, `path-12-text` where it stands around a match."""
_QUICK = re.compile(r"[^\s:][^:\n]{0,400}[:-]\d{1,9}[:-]")
_LINE = re.compile(r"\d{1,9}([:-])")
_APART = "--"
_BOTH = " > "
"""Between a folder and a file's name in it. Claude Code shows a file from its working folder on lines with a colon, and
from the root on the others."""
_LOOK_AHEAD = 8
_MANY = 20
"""Headings, after which it is looked whether they are worth it."""
_RUN_LINES = 8
"""That are looked at together, and then twice as many."""
_NO_FILE = "\n"
"""No line begins so."""
_NUMBER = re.compile(r"\d{1,9}:")
_NOT_NUMBERED = re.compile(r"\n(?!\d{1,9}:)")
_AFTER_NAME = re.compile(r"([:-])\d{1,9}\1")


class _Match(NamedTuple):
    path: str
    mark: str
    rest: str
    """From the line's number on."""


class _Heading(NamedTuple):
    """The file whose matches follow."""

    folder: str
    """What lines without a colon show before the name."""
    name: str

    @property
    def is_plain(self) -> bool:
        """Whether it can be read back as it is shown."""
        return _BOTH not in f"{self.folder}{self.name}" and _LINE.match(str(self)) is None

    def path(self, line: str) -> str:
        return self.name if ":" in line else self.folder + self.name

    def rest_of(self, line: str) -> str:
        """A line without this file's name, from its number on; empty: it has another name, or none."""
        for path in (self.name, self.folder + self.name):
            if line.startswith(path) and (numbered := _AFTER_NAME.match(line, len(path))):
                rest = line[numbered.start() + 1 :]
                if self.path(numbered[1] + rest) == path:
                    return rest
        return ""

    def __str__(self) -> str:
        return f"{self.folder}{_BOTH}{self.name}" if self.folder else self.name


def group_matches(text: str) -> str:
    """The text with each file's name once. What a name stands before on fewer than six lines stays as it is, and so
    does a text that could not be told apart from one that was grouped.
    """
    if NOTE in text or not (shows_early(_QUICK, text) and shows_early(_MATCH, text)):
        return text
    edited = "\n".join(_group(text.split("\n")))
    return edited if 0 < len(edited) < len(text) else text


def _group(lines: list[str]) -> list[str]:
    """The lines under their headings; none: they stay as they are."""
    grouped, headings, others = [NOTE], 0, 0
    heading: _Heading | None = None
    colon, at, starts_with_number = _NO_FILE, 1, _NUMBER.match
    place, runs_from = 0, 0
    while place < len(lines):
        line = lines[place]
        if line[:at] == colon and starts_with_number(line, at):  # most lines
            run = _run(lines, place, colon) if place >= runs_from else []
            if place >= runs_from and not run:
                runs_from = place + _RUN_LINES
            grouped += run or [line[at:]]
            place += len(run) or 1
            continue
        place += 1
        if heading is not None and (rest := heading.rest_of(line)):
            grouped.append(rest)
            continue
        match = _split(line)
        if match is None:
            if _LINE.match(line):
                return []
            grouped.append(line)
            others += 1
            if line != _APART:
                heading, colon, at = None, _NO_FILE, 1
            continue
        heading = _heading(lines, place - 1, match)
        if heading.path(match.mark + match.rest) != match.path:  # a colon in its text would give it the other name
            heading = _Heading("", match.path)
        headings += 1
        if not heading.is_plain or (headings > _MANY and headings * 2 > place):
            return []
        colon, at = f"{heading.name}:", len(heading.name) + 1
        grouped += str(heading), match.rest
    return grouped if len(lines) - others >= FEWEST_LINES else []


def _run(lines: Sequence[str], start: int, colon: str) -> list[str]:
    """Lines from there on that all begin with a file's name and a number, without the name. A block of them at a time,
    because a loop over single lines takes longer than a rule that runs on every call may.
    """
    run: list[str] = []
    size = _RUN_LINES
    while block := lines[start : start + size]:
        bare = list(map(str.removeprefix, block, repeat(colon)))
        joined = "\n".join(("", *bare))
        if len("\n".join(("", *block))) - len(joined) != len(colon) * len(block) or _NOT_NUMBERED.search(joined):
            break
        run += bare
        start, size = start + size, size * 2
    return run


def matches_on_their_own(text: str) -> str:
    """The text of which the matches were grouped, with the file's name on every line again."""
    note, _, grouped = text.partition("\n")
    if note != NOTE:
        return text
    lines = grouped.split("\n")
    restored: list[str] = []
    heading: _Heading | None = None
    for place, line in enumerate(lines):
        numbered = _LINE.match(line)
        if numbered and heading is not None:
            rest = numbered[1] + line
            restored.append(heading.path(rest) + rest)
        elif line == _APART:
            restored.append(line)
        elif place + 1 < len(lines) and _LINE.match(lines[place + 1]):
            folder, _, name = line.rpartition(_BOTH)
            heading = _Heading(folder, name)
        else:
            heading = None
            restored.append(line)
    return "\n".join(restored)


def _split(line: str) -> _Match | None:
    match = _MATCH.match(line)
    if match is None or match[3][-1] != match[2]:
        return None
    return _Match(match[1], match[2], line[match.start(3) :])


def _heading(lines: Sequence[str], place: int, first: _Match) -> _Heading:
    """What stands above a match and those behind it."""
    path = first.path
    for line in lines[place + 1 : place + _LOOK_AHEAD]:
        other = None if line.startswith(path) else _split(line)
        if other is not None and other.path != path:
            short, long = sorted((path, other.path), key=len)
            if long.endswith(f"/{short}"):
                return _Heading(long[: -len(short)], short)
            break
    return _Heading("", path)


GROUPED_MATCHES = arrival_rule(
    "content.grouped_matches",
    group_matches,
    safety=Safety.LOSSLESS,
    purpose="matches of a search under their file's name",
    may_fit=partial(shows_early, _QUICK),
)
