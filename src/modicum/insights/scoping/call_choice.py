"""Which calls a question is about: those of a team, a model, a project, a session, of any dimension there is.

Names are patterns (`claude-opus-*`). Several of one dimension are either-or; those of different dimensions all hold. A
project may be named by the end of its path. One place for logs and for the ledger, so that both choose the same.
"""

import difflib
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple
from zoneinfo import ZoneInfo

from modicum.calls import Entry, UserError
from modicum.insights.dimensions import CALLS, OF_AGENTS, TAG, find_naming, parse_dimension

CHOOSABLE = (*CALLS, *OF_AGENTS, TAG)
NONE = "(none)"
"""How calls without a name in a dimension are asked for; tables print it so."""
MOST_NAMED = 5


class Condition(NamedTuple):
    """Calls whose name in one dimension fits one of these patterns."""

    dimension: str
    """As it was typed, for errors: `team`, `tag:feature`."""
    by: str
    tag: str
    patterns: tuple[str, ...]

    def fits(self, name: str) -> bool:
        return any(self._fits_one(name, pattern) for pattern in self.patterns)

    def _fits_one(self, name: str, pattern: str) -> bool:
        if pattern == NONE:
            return not name
        if fnmatchcase(name, pattern):
            return True
        return self.by == "project" and fnmatchcase(name, f"*/{pattern}")


def parse_conditions(named: Sequence[tuple[str, str]]) -> tuple[Condition, ...]:
    """One condition for each dimension.

    Args:
        named: dimension and pattern, as they were typed.

    Raises:
        UserError: there is no such dimension.
    """
    patterns: dict[str, list[str]] = {}
    for dimension, pattern in named:
        patterns.setdefault(dimension, []).append(pattern)
    return tuple(
        Condition(dimension, *parse_dimension("choosing calls", dimension, CHOOSABLE), tuple(own))
        for dimension, own in patterns.items()
    )


def find_names(condition: Condition, names: Sequence[str]) -> list[str]:
    """Those of the names that fit.

    Raises:
        UserError: none does; the error names the nearest there are.
    """
    found = [name for name in names if condition.fits(name)]
    if found or not names:
        return found
    patterns = " or ".join(repr(pattern) for pattern in condition.patterns)
    near = difflib.get_close_matches(condition.patterns[0], names, MOST_NAMED, 0.3) or sorted(names)[:MOST_NAMED]
    shown = ", ".join(name or NONE for name in near)
    more = f", and {len(names) - len(near)} more" if len(names) > len(near) else ""
    raise UserError(f"no call has the {condition.dimension} {patterns}; there are {shown}{more}")


def make_filter(conditions: Sequence[Condition], zone: ZoneInfo) -> Callable[[Entry], bool]:
    """Whether an entry fits all conditions, for entries that come one by one: none of a name is no mistake there."""
    namings = [(condition, find_naming(condition.by, condition.tag, zone)) for condition in conditions]
    return lambda entry: all(condition.fits(name_of(entry)) for condition, name_of in namings)


def choose_entries(entries: Sequence[Entry], conditions: Sequence[Condition], zone: ZoneInfo) -> Sequence[Entry]:
    """The entries that fit all conditions.

    Raises:
        UserError: none fits one of them.
    """
    for condition in conditions:
        name_of: Callable[[Entry], str] = find_naming(condition.by, condition.tag, zone)
        names = set(find_names(condition, sorted({name_of(entry) for entry in entries})))
        entries = [entry for entry in entries if name_of(entry) in names]
    return entries
