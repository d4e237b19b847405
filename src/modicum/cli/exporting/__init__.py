"""`modicum export`: figures for other programs' formats. One file per format beside this one."""

import click

from modicum.cli.terminal.verb_group import VerbGroup

VERBS = {"focus": "Write what was charged as rows of FOCUS 1.2 or 1.3, as CSV or Parquet."}


class ExportVerbs(VerbGroup):
    package, verbs = "modicum.cli.exporting", VERBS


@click.group(cls=ExportVerbs)
def command() -> None:
    """Write the ledger's figures in a format that finance reads (docs/focus.md).

    \b
    Examples:
      modicum export focus --since 2026-11-01 --until 2026-12-01 --out november.csv
      modicum export focus --version 1.3 --out focus.parquet
    """
