"""Matches of a search with each file's name once, above its lines, instead of on every line.

It is how `rg --heading` shows them. `matches_on_their_own` gives the text back to the byte, and a text for which it
would not stays as it is.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from modicum.calls.rule import Safety
from modicum.optimizers.arrival import SHOWS_EARLY_CHARACTERS, arrival_rule

NOTE = "[modicum: each file's name stands above its lines]"
FEWEST_LINES = 6
_MATCH = re.compile(r"([^\s:][^:\n]{0,300}?\.\w{1,10}|[^\s:]{0,200}/[^\s:]{0,200}?)([:-])(\d{1,9}[:-])")
"""`path:12:text` where the line matches, `path-12-text` where it stands around a match."""
_QUICK = re.compile(r"^[^\s:][^:\n]{0,400}[:-]\d{1,9}[:-]", re.MULTILINE)
_LINE = re.compile(r"\d{1,9}([:-])")
_APART = "--"
_BOTH = " > "
"""Between a folder and a file's name in it. Claude Code shows a file from its working folder on lines with a colon, and
from the root on the others."""
_LOOK_AHEAD = 8


class _Match(NamedTuple):
    path: str
    mark: str
    rest: str
    """From the line's number on."""


class _Heading(NamedTuple):
    folder: str
    """What lines without a colon show before the name."""
    name: str

    def covers(self, match: _Match) -> bool:
        return match.path == self.path(match.mark + match.rest)

    def path(self, line: str) -> str:
        return self.name if ":" in line else self.folder + self.name

    def __str__(self) -> str:
        return f"{self.folder}{_BOTH}{self.name}" if self.folder else self.name


def group_matches(text: str) -> str:
    """The text with each file's name once. What a name stands before on fewer than six lines stays as it is."""
    if NOTE in text or _QUICK.search(text, 0, SHOWS_EARLY_CHARACTERS) is None:
        return text
    lines = text.split("\n")
    matches = [_split(line) for line in lines]
    if sum(match is not None for match in matches) < FEWEST_LINES:
        return text
    grouped = [NOTE]
    heading: _Heading | None = None
    for place, (line, match) in enumerate(zip(lines, matches, strict=True)):
        if match is None:
            grouped.append(line)
            heading = heading if line == _APART else None
            continue
        if heading is None or not heading.covers(match):
            heading = _heading(matches[place : place + _LOOK_AHEAD], match)
            grouped.append(str(heading))
        grouped.append(match.rest)
    edited = "\n".join(grouped)
    return edited if len(edited) < len(text) and matches_on_their_own(edited) == text else text


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


def _heading(matches: Sequence[_Match | None], first: _Match) -> _Heading:
    """What stands above a match and those behind it."""
    other = next((match for match in matches if match is not None and match.path != first.path), first)
    short, long = sorted((first.path, other.path), key=len)
    return _Heading(
        long[: -len(short)] if long.endswith(f"/{short}") else "", short if long.endswith(f"/{short}") else first.path
    )


GROUPED_MATCHES = arrival_rule(
    "content.grouped_matches",
    group_matches,
    safety=Safety.LOSSLESS,
    purpose="matches of a search under their file's name",
    may_fit=lambda text: _QUICK.search(text, 0, SHOWS_EARLY_CHARACTERS) is not None,
)._replace(must_be_chosen=True)
"""As JSON without white space: a request that is taken apart for it costs more time than a default rule may take."""
