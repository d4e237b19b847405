"""A verb of verbs: their names and lines of help are known at once, and a verb's file is loaded when it is called."""

from collections.abc import Mapping
from importlib import import_module
from typing import ClassVar

import click

LONGEST_LINE = 1000


class VerbGroup(click.Group):
    package: ClassVar[str]
    """Where `VERB.py` holds `command`."""
    verbs: ClassVar[Mapping[str, str]]
    """Every verb and its one line of help."""
    files: ClassVar[Mapping[str, str]] = {}
    """Verbs whose file cannot have their name."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's interface
        return list(self.verbs)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's interface
        if cmd_name not in self.verbs:
            return None
        command = import_module(f"{self.package}.{self.files.get(cmd_name, cmd_name)}").command
        assert isinstance(command, click.Command)  # noqa: S101 - a verb file without a command is a bug
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's interface
        with formatter.section("Verbs"):
            formatter.write_dl(list(self.verbs.items()))


class WholeLines(click.Group):
    """A verb of verbs in one file, whose help has the whole line of each; click would cut it to the width."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Verbs"):
            formatter.write_dl([(name, one.get_short_help_str(LONGEST_LINE)) for name, one in commands if one])
