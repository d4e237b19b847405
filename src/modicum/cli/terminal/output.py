"""What verbs print: tables for people, one JSON object for programs, CSV for spreadsheets.

On a terminal tables have colours and rules; in a pipe both vanish and nothing is cut, so that `grep` and `awk` work.
"""

import re
import sys
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import click
import msgspec

from modicum.calls.outside.one_line import one_line

if TYPE_CHECKING:
    from rich.console import Console

PIPE_WIDTH = 10_000
"""Wide enough that nothing is wrapped or cut where no person looks at columns."""

_FORMULA = r"(?:^|(?<=;))\s*[=+\-@\uff1d\uff0b\uff0d\uff20]"
"""How a cell of a spreadsheet begins that is worked out, and not shown. Some take a semicolon for the end of the cell
before it, whatever the file's own separator is."""
_NUMBER = r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?"
# Both are compiled when the first CSV is written: no table needs them, and compiling takes two milliseconds.


def json_text(document: Any) -> str:
    """One JSON object, decimals as numbers, indented by two."""
    encoded = msgspec.json.Encoder(decimal_format="number", order=None).encode(document)
    return msgspec.json.format(encoded, indent=2).decode()


def print_json(document: Any) -> None:
    click.echo(json_text(document))


def console(*, err: bool = False) -> "Console":
    from rich.console import Console

    class PipeConsole(Console):
        def on_broken_pipe(self) -> None:
            """The reader went away: `modicum.cli.Verbs` knows what that means."""
            raise  # noqa: PLE0704 - rich calls this while it handles the error

    stream = sys.stderr if err else sys.stdout
    width = None if stream.isatty() else PIPE_WIDTH
    return PipeConsole(stderr=err, width=width, emoji=False, highlight=False, soft_wrap=not stream.isatty())


def print_table(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, title: str = "", left: int = 1, footer: Sequence[str] = ()
) -> None:
    """A table whose first `left` columns are text and whose others are figures. A cell is one line."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table
    from rich.text import Text

    out = console()
    table = Table(
        title=escape(one_line(title)) or None,
        title_justify="left",
        box=box.SIMPLE_HEAD if out.is_terminal else None,
        show_footer=bool(footer),
        pad_edge=False,
        header_style="bold",
        footer_style="bold",
    )
    feet = list(footer) or [""] * len(columns)
    for index, (name, foot) in enumerate(zip(columns, feet, strict=True)):
        text = index < left or not name  # bars have no name
        table.add_column(
            Text(one_line(name)),
            foot,
            justify="left" if text else "right",
            no_wrap=not text,
            overflow="fold" if text else "ellipsis",
        )
    for row in rows:
        table.add_row(*(Text(one_line(cell)) for cell in row))
    out.print(table)


def print_text(text: str) -> None:
    """A sentence: wrapped at words on a terminal, one line in a pipe."""
    console().print(text, markup=False)


def print_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    import csv

    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow([_cell(column) for column in columns])
    writer.writerows([_cell(value) for value in row] for row in rows)


def _cell(value: Any) -> Any:
    """A name is no formula: callers choose names, and a spreadsheet would run what begins like one. Numbers stay."""
    if not isinstance(value, str) or re.fullmatch(_NUMBER, value):
        return value
    return re.sub(_FORMULA, r"'\g<0>", one_line(value))  # a carriage return within would begin another row


def dollars(usd: Decimal | None, *, most_places: int = 2) -> str:
    """`$1,234.56`; small amounts keep two significant digits (`$0.0042`); None is `unknown`."""
    if usd is None:
        return "unknown"
    places = most_places
    if usd and abs(usd) < Decimal("0.1"):
        places = min(8, max(most_places, 1 - usd.adjusted()))
    return f"${usd:,.{places}f}"


def count(number: int | None) -> str:
    """`1,234`; None is empty."""
    return "" if number is None else f"{number:,}"


def share(part: Decimal | float | None, whole: Decimal | float) -> str:
    """`12.3 %`, or nothing where there is no part or no whole."""
    return f"{float(part) / float(whole) * 100:.1f} %" if whole and part is not None else ""


def dollars_of(usd: float | None) -> str:
    """Writes dollars as `dollars` does, for an estimate that is not a decimal."""
    return dollars(None if usd is None else Decimal(repr(usd)))


def bar(part: float | None, whole: float, width: int = 24) -> str:
    """A bar of block characters for a terminal; nothing in a pipe, where nobody looks at it."""
    if not sys.stdout.isatty() or whole <= 0 or not part or part < 0:
        return ""
    eighths = round(min(part / whole, 1) * width * 8)
    return "█" * (eighths // 8) + (" ▏▎▍▌▋▊▉"[eighths % 8] if eighths % 8 else "")
