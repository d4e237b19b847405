"""`[[redaction]]`: whose secrets and personal data do not leave."""

import re
from collections.abc import Sequence

import msgspec

from modicum.calls.errors import accepted_are
from modicum.privacy.detection import KIND_NAMES
from modicum.privacy.placeholders import Sought
from modicum.privacy.redaction import Restores
from modicum.settings.whose_calls import WhoseCalls

_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")


class RedactionSettings(WhoseCalls, frozen=True, kw_only=True):
    """`[[redaction]]`, once for each choice. The first that fits a call holds for it."""

    kinds: tuple[str, ...] = KIND_NAMES
    """What is replaced."""
    patterns: dict[str, str] = msgspec.field(default_factory=dict)
    """What is replaced beside that: regular expressions, by a name of yours."""
    restore: str = "text"
    """Where values stand again: `text` (in what the model says), `all` (in what it calls tools with, too), `none`."""
    stable: bool = True
    """Whether a value of an owner has the same placeholder in every call, so that prompt caches hold."""


def redaction_fault(rows: Sequence[RedactionSettings]) -> tuple[int, str, str] | None:
    """The row and setting that are wrong, and what it must be."""
    for number, one in enumerate(rows):
        unknown = next((kind for kind in one.kinds if kind not in KIND_NAMES), None)
        if unknown is not None:
            return number, "kinds", f"names '{unknown:.64}'; {accepted_are(KIND_NAMES)}"
        if not one.kinds and not one.patterns:
            return number, "kinds", "must name something where there are no patterns"
        if one.restore not in list(Restores):
            return number, "restore", accepted_are(list(Restores))
        if (wrong := next(filter(None, map(_pattern_fault, one.patterns.items())), None)) is not None:
            return number, "patterns", wrong
    return None


def _pattern_fault(named: tuple[str, str]) -> str:
    """What is wrong with a pattern; empty: nothing."""
    name, pattern = named
    if not _NAME.fullmatch(name) or name in KIND_NAMES:
        return f"names '{name:.64}'; lower-case letters, digits and '_', and no kind's name"
    try:
        found = re.compile(pattern)
    except re.error as error:
        return f"has '{name}', which is no regular expression: {error}"
    return f"has '{name}', which fits nothing at all" if found.match("") else ""


def sought_of(row: RedactionSettings) -> Sought:
    """What a checked row seeks."""
    return Sought(row.kinds, {name: re.compile(pattern) for name, pattern in row.patterns.items()})
