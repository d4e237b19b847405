"""What pages consist of: figures with their basis, tables, charts. One component for each, so that all pages have them
alike; how they look is in `templates/components.html`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from modicum.calls import Basis
from modicum.console.asking import Asking
from modicum.console.view import View

BASES = {
    Basis.EXACT: "exact: the provider counted it, at known prices",
    Basis.LOWER_BOUND: "lower bound: counted before it was final, so this or more",
    Basis.ESTIMATED: "estimated: counted by us, or at a price that is not sure",
    Basis.UNKNOWN: "unknown: no price or no count is known",
}


ON_MACHINE = "Or, on the machine that runs modicum: "


def with_command(words: str, command: str) -> str:
    """What a reader of pages can do, and on a second line the command for whoever has the machine: templates show the
    lines one below the other.
    """
    return f"{words}\n{ON_MACHINE}{command}"


class Tile(msgspec.Struct, frozen=True, kw_only=True):
    """One figure."""

    label: str
    value: str
    basis: str = ""
    """`exact`, `estimated` and so on; empty where it is a plain count."""
    note: str = ""
    href: str = ""


class Cell(msgspec.Struct, frozen=True):
    """One cell of a table."""

    text: str
    value: Any = None
    """As CSV has it; None: as it is shown."""
    href: str = ""
    basis: str = ""
    part: float | None = None
    """Of the largest of its column, from 0 to 1: drawn as a bar."""


class ShownRows(NamedTuple):
    """The part of a table that a page shows."""

    rows: Sequence[Sequence[Cell]]
    first: int
    """The place of the first of them among those that fit, from 0."""
    fitting: int
    """Rows that have what is looked for."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table, which is a CSV file too."""

    name: str
    """Of its CSV file."""
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    title: str = ""
    left: int = 1
    """How many of its first columns are text."""
    total: Sequence[Cell] = ()
    verb: str = ""
    """The command that prints the same figures."""
    empty: str = "nothing in this view"
    """What is said where there are no rows, in lines."""
    most: int = 50
    """How many rows the page shows; the CSV file has all."""
    more: int = 0
    """Rows that are left out here and in the CSV file."""

    def show(self, find: str, first: str) -> ShownRows:
        """The rows that a page shows.

        Args:
            find: what their names must hold, in small or large letters; empty: all rows fit.
            first: the place of the first one, as an address has it; what is none is the beginning.
        """
        searched = find.casefold()
        fitting = [
            row for row in self.rows if not searched or any(searched in one.text.casefold() for one in row[: self.left])
        ]
        at = int(first) if re.fullmatch("[0-9]{1,9}", first) else 0
        at = at if at < len(fitting) else 0
        return ShownRows(fitting[at : at + self.most], at, len(fitting))


class Content(msgspec.Struct, frozen=True, kw_only=True):
    """What a page shows."""

    tiles: Sequence[Tile] = ()
    tables: Sequence[Table] = ()
    notes: Sequence[str] = ()
    """Sentences that a reader must know, each in lines."""
    parts: Mapping[str, Any] = {}
    """What else its template takes."""

    def table(self, name: str) -> Table | None:
        return next((table for table in self.tables if table.name == name), None)


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the console."""

    name: str
    """Its address."""
    title: str
    about: str
    """What it answers, in a sentence."""
    read: Callable[[Asking, View], Content]
    is_live: bool = True
    """Whether it brings itself up to date while somebody looks at it."""
    takes_where: bool = True
    """Whether its figures can be of some calls only."""
    takes_times: bool = True
    """Whether its figures can be of some time only."""
    for_teams: bool = True
    """Whether it can be shown to those who see some teams only."""
    nothing: str = ""
    """What is said where there is nothing to show, with what to do; empty: how calls come into the ledger."""
