"""What verbs print: tables for people, one JSON object for programs, CSV for spreadsheets.

On a terminal tables have colours and rules; in a pipe both vanish and nothing is cut, so that `grep` and `awk` work.
"""

import os
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click
import msgspec

from modicum.calls.outside.one_line import one_line
from modicum.reports.figures import count, dollars, dollars_of, number_of, share

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _typeshed import DataclassInstance
    from rich.console import Console
    from rich.table import Table

    from modicum.cli.terminal.table_fit import TableColumn

__all__ = [
    "bar",
    "console",
    "count",
    "dollars",
    "dollars_of",
    "json_text",
    "number_of",
    "print_csv",
    "print_json",
    "print_json_list",
    "print_table",
    "print_text",
    "share",
]

LEAST_WIDTH = 20
MOST_DIGITS = 5
PIPE_WIDTH = 10_000
"""Wide enough that nothing is wrapped or cut where no person looks at columns."""


def json_text(document: Any) -> str:
    """A JSON text, decimals as numbers, indented by two."""
    encoded = msgspec.json.Encoder(decimal_format="number", order=None).encode(document)
    return msgspec.json.format(encoded, indent=2).decode()


def print_json(document: "Mapping[str, Any] | msgspec.Struct | DataclassInstance") -> None:
    """What a verb gives programs: one object, so that a field can join it. Rows stand under a name of their own."""
    click.echo(json_text(document))


def print_json_list(rows: Iterable[Any]) -> None:
    """Rows without an object around them: only for the verbs that always gave a list (`docs/verbs.md` names them)."""
    click.echo(json_text(list(rows)))


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
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    title: str = "",
    left: int = 1,
    footer: Sequence[str] = (),
    least_valued: Sequence[str] = (),
) -> None:
    """A table whose first `left` columns are text and whose others are figures. A cell is one line.

    Where a terminal is too narrow, columns are left out and named below: those of `least_valued` first, in that order.
    Names of rows and money stay. Where these do not fit either, rows are shown one below the other.
    """
    from rich.text import Text

    from modicum.cli.terminal.table_fit import column_widths, fit_columns

    out = console()
    names = [one_line(name) for name in columns]
    cells = [[one_line(cell) for cell in row] for row in rows]
    feet = [one_line(foot) for foot in footer]
    sizes = _sizes(names, cells, feet, left)
    shown = fit_columns(sizes, out.width, least_valued) if out.is_terminal else list(range(len(names)))
    if not shown:
        _print_rows(out, one_line(title), names, [*cells, feet])
        return
    table = _empty_table(out, one_line(title))
    widths: list[int | None] = [*column_widths(sizes, shown, out.width)] if out.is_terminal else [None] * len(shown)
    for number, width in zip(shown, widths, strict=True):
        is_text = sizes[number].is_text
        table.add_column(
            Text(names[number]),
            Text(feet[number]) if feet else "",
            justify="left" if is_text else "right",
            no_wrap=not is_text,
            width=width,
            overflow="fold",
        )
    table.show_footer = bool(feet)
    for row in cells:
        table.add_row(*(Text(row[number]) for number in shown))
    out.print(table)
    if hidden := [name for number, name in enumerate(names) if number not in shown and name]:
        out.print(f"not shown, since the terminal is narrow: {', '.join(hidden)}", markup=False)


def _sizes(names: Sequence[str], rows: Sequence[Sequence[str]], feet: Sequence[str], left: int) -> "list[TableColumn]":
    from rich.cells import cell_len

    from modicum.cli.terminal.table_fit import TableColumn

    found = []
    for number, name in enumerate(names):
        cells = [name, *(row[number] for row in (*rows, *([feet] if feet else [])))]
        words = [word for cell in cells for word in cell.split()]
        found.append(
            TableColumn(
                name,
                max(map(cell_len, cells)),
                max(map(cell_len, words), default=0),
                is_text=number < left or not name,  # bars have no name
                is_money=any("$" in cell for cell in cells),
            )
        )
    return found


def _empty_table(out: "Console", title: str) -> "Table":
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    return Table(
        title=escape(title) or None,
        title_justify="left",
        box=box.SIMPLE_HEAD if out.is_terminal else None,
        pad_edge=False,
        header_style="bold",
        footer_style="bold",
    )


def _print_rows(out: "Console", title: str, names: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Each row as lines of its own, for a terminal that is narrower than any table."""
    from rich.text import Text

    if title:
        out.print(Text(title))
    for row in filter(None, rows):
        out.print(Text(row[0], style="bold"))
        for name, cell in zip(names[1:], row[1:], strict=True):
            if name and cell:
                out.print(Text(f"  {name}: {cell}"))


def print_text(text: str) -> None:
    """A sentence: wrapped at words on a terminal, where each line begins as the first does; one line in a pipe, unless
    COLUMNS says how wide it is read.
    """
    from rich.padding import Padding
    from rich.text import Text

    out = console()
    indent = len(text) - len(text.lstrip(" "))
    if not out.is_terminal and (width := _columns()):
        for line in text.split("\n"):
            _print_wrapped(line, width)
    elif 0 < 2 * indent < out.width and out.is_terminal:
        out.print(Padding(Text(text.strip(" ")), (0, 0, 0, indent), expand=False))
    else:
        out.print(text, markup=False)


def _print_wrapped(line: str, width: int) -> None:
    from textwrap import wrap

    indent = " " * (len(line) - len(line.lstrip(" ")))
    most = max(LEAST_WIDTH, width - len(indent))
    for part in wrap(line.strip(" "), most, break_long_words=False, break_on_hyphens=False) or [""]:
        click.echo(f"{indent}{part}".rstrip(" "))


def _columns() -> int:
    """How wide a pipe is read, as its reader says it; 0: it does not."""
    columns = os.environ.get("COLUMNS", "")
    return int(columns) if columns.isascii() and columns.isdecimal() and len(columns) <= MOST_DIGITS else 0


def print_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    from modicum.reports.spreadsheet import write_csv

    write_csv(sys.stdout, columns, rows)


def bar(part: float | None, whole: float, width: int = 24) -> str:
    """A bar of block characters for a terminal; nothing in a pipe, where nobody looks at it."""
    if not sys.stdout.isatty() or whole <= 0 or not part or part < 0:
        return ""
    eighths = round(min(part / whole, 1) * width * 8)
    return "█" * (eighths // 8) + (" ▏▎▍▌▋▊▉"[eighths % 8] if eighths % 8 else "")
