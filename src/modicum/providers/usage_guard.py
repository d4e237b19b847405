"""Numbers of a usage object that nobody here has a meter for.

Providers add fields: a new kind of token, a tool that is charged by the piece. A field is known only with the meter
that prices it, or with the reason why it is free; any other number that is not 0 makes the cost inexact and is named.
"""

import re
from collections.abc import Container, Iterator, Mapping
from typing import Any

KnownFields = Mapping[str, "str | KnownFields"]
"""The fields of a usage object: by name either what is done with it (`priced: ...`, `free: ...`, `part of ...`), or the
fields of the object that stands there (or of each object of the list)."""

MOST_NAMED = 8
"""Fields of one call that are named; more say nothing new."""
MOST_DEPTH = 6
_NAME = re.compile(r"[A-Za-z][\w-]{0,39}\Z")


def unknown_numbers(usage: Mapping[str, Any], known: KnownFields, within: str = "usage") -> list[str]:
    """The paths of numbers that are not 0 and not known: `usage.output_tokens_details.smell_tokens`."""
    if _is_understood(usage, known):
        return []
    found: list[str] = []
    for path in _walk(usage, known, within, MOST_DEPTH):
        if path not in found:
            found.append(path)
        if len(found) == MOST_NAMED:
            break
    return found


def _is_understood(usage: Mapping[str, Any], known: KnownFields) -> bool:
    """Whether every field is plainly known; says no also where only a closer look can tell. Nearly every reply passes
    here, in a tenth of the time of that look.
    """
    for name, value in usage.items():
        if not value:  # null, 0, false, or empty
            continue
        rule = known.get(name)
        if rule.__class__ is str:
            continue
        if rule is None or value.__class__ is not dict or not _is_understood(value, rule):  # type: ignore[arg-type]
            return False
    return True


def unknown_counts(row: Mapping[str, Any], known: Container[str], within: str) -> list[str]:
    """The same for a row that holds more than usage: only a number whose name says that it counts tokens is meant."""
    found = [
        f"{within}.{_shown(name)}"
        for name, value in row.items()
        if "token" in name.lower() and name not in known and holds_number(value)
    ]
    return found[:MOST_NAMED]


def _walk(usage: Mapping[str, Any], known: KnownFields, within: str, depth: int) -> Iterator[str]:
    for name, value in usage.items():
        rule = known.get(name)
        if value is None or isinstance(rule, str):
            continue
        if rule is None:
            if holds_number(value, depth):
                yield f"{within}.{_shown(name)}"
        elif isinstance(value, list):
            for part in value:
                yield from _inside(part, rule, f"{within}.{name}[]", depth)
        else:
            yield from _inside(value, rule, f"{within}.{name}", depth)


def _inside(value: Any, known: KnownFields, path: str, depth: int) -> Iterator[str]:
    """What is unknown of a value that should be an object with known fields."""
    if isinstance(value, Mapping):
        yield from _walk(value, known, path, depth - 1)
    elif holds_number(value, depth):
        yield path


def holds_number(value: Any, depth: int = MOST_DEPTH) -> bool:
    """Whether a number that is not 0 stands there, at whatever depth, also as a text."""
    if isinstance(value, bool) or value is None:
        return False
    if isinstance(value, int | float):
        return value != 0
    if isinstance(value, str):
        return len(value) < 40 and value.strip("0.") != "" and value.replace(".", "", 1).isdecimal()
    if depth <= 0:
        return True
    if isinstance(value, Mapping):
        return any(holds_number(part, depth - 1) for part in value.values())
    return isinstance(value, list) and any(holds_number(part, depth - 1) for part in value)


def shown_path(within: str, name: Any) -> str:
    """The name of a caveat for a field that stands there."""
    return f"{within}.{_shown(name)}"


def _shown(name: Any) -> str:
    """The name, if it looks like one of a field: what a stranger wrote there does not belong in a report."""
    return name if isinstance(name, str) and _NAME.match(name) else "(a field without a plain name)"


def word(name: str, value: Any, known: frozenset[str]) -> list[str]:
    """The caveat of a word that decides on the price and is not understood: `service_tier=turbo`."""
    if value is None or value == "":
        return []
    if not isinstance(value, str):
        return [name]
    if value.lower() in known:
        return []
    return [f"{name}={value.lower()}" if _NAME.match(value) else name]
