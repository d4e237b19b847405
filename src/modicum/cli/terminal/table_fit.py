"""Which columns of a table fit a terminal: the name of a row and money stay, what is worth least goes first."""

from collections.abc import Sequence
from typing import NamedTuple

NAME_LEAST = 24
"""Names are wrapped below their full width, but not below this one."""
WORD_LEAST = 8
_AROUND, _BETWEEN = 2, 3


class TableColumn(NamedTuple):
    """A column as wide as its longest cell.

    Attributes:
        name: what stands at its head; bars have none.
        width: of its longest cell, in columns of the terminal.
        longest_word: of a text; it is broken only where it is longer than a name is wide at least.
        is_text: it may be wrapped, figures may not.
        is_money: some cell of it is an amount.
    """

    name: str
    width: int
    longest_word: int
    is_text: bool = False
    is_money: bool = False

    def least_width(self, *, is_first: bool) -> int:
        if not self.is_text:
            return self.width
        if is_first:
            return min(self.width, NAME_LEAST)
        return min(self.width, max(self.longest_word, WORD_LEAST), NAME_LEAST)


def fit_columns(columns: Sequence[TableColumn], width: int, least_valued: Sequence[str] = ()) -> list[int]:
    """The numbers of the columns that are shown; empty: not even names and money fit, so rows are shown one by one.

    `least_valued` names columns in the order in which they go. After them bars go, then all that is not money, from the
    right. `width` is the terminal's.
    """
    shown = list(range(len(columns)))
    for number in _going(columns, least_valued):
        if _needed(columns, shown) <= width:
            break
        shown.remove(number)
    for number in reversed(_going(columns, least_valued)):  # one that went last may have been the one too wide
        if number not in shown and _needed(columns, [*shown, number]) <= width:
            shown = sorted([*shown, number])
    return shown if _needed(columns, shown) <= width else []


def column_widths(columns: Sequence[TableColumn], shown: Sequence[int], width: int) -> list[int]:
    """How wide each column that is shown is. Each has its least width, and of what the terminal has beyond that the
    narrowest column with a longer cell gets the next place, so that the widest are wrapped first.
    """
    widths = [columns[number].least_width(is_first=number == 0) for number in shown]
    for _ in range(width - _needed(columns, shown)):
        wanting = [place for place, number in enumerate(shown) if widths[place] < columns[number].width]
        if not wanting:
            break
        widths[min(wanting, key=widths.__getitem__)] += 1
    return widths


def _going(columns: Sequence[TableColumn], least_valued: Sequence[str]) -> list[int]:
    """The columns that may go, in that order."""
    others = range(1, len(columns))
    named = [next((number for number in others if columns[number].name == name), 0) for name in least_valued]
    bars = [number for number in others if not columns[number].name]
    rest = [number for number in reversed(others) if not columns[number].is_money]
    return [number for number in dict.fromkeys([*named, *bars, *rest]) if number]


def _needed(columns: Sequence[TableColumn], shown: Sequence[int]) -> int:
    least = sum(columns[number].least_width(is_first=number == 0) for number in shown)
    return least + _AROUND + _BETWEEN * (len(shown) - 1)
