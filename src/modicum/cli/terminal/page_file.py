"""Where `--html` puts a page: into a file, or out as it is."""

from pathlib import Path

import click

from modicum.calls import UserError
from modicum.library.file_permissions import shared_files

STDOUT = "-"


def check_page_place(path: Path | None, *, prints_rows: bool) -> None:
    """Refuses a page in the middle of what else is printed.

    Raises:
        UserError: both would be printed.
    """
    if prints_rows and str(path) == STDOUT:
        raise UserError("--html - prints the page, and --json and --csv print too; give --html a file")


def write_page(page: str, path: Path) -> None:
    """One self-contained page.

    Raises:
        UserError: the file cannot be written.
    """
    if str(path) == STDOUT:
        click.echo(page, nl=False)
        return
    try:
        with shared_files():
            path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise UserError(f"the page cannot be written to {path}: {error.strerror}; name another file") from None
    click.echo(f"written to {path}", err=True)
