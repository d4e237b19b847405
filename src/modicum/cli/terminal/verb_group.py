"""A verb of verbs: their names and lines of help are known at once, and a verb's file is loaded when it is called."""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from typing import ClassVar

import click

from modicum.calls import UserError

LONGEST_LINE = 1000


class CheckedGroup(click.Group):
    """A group whose verbs refuse an option that is given twice; click would keep the last and pass over the first."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        if command is not None:
            _check_repeats(command, rest)
        return name, command, rest


def _check_repeats(command: click.Command, args: list[str]) -> None:
    """Raises:
    UserError: an option with one value is given several times.
    """
    with suppress(click.UsageError):  # said when the verb itself reads them
        _, _, order = command.make_parser(click.Context(command)).parse_args(list(args))
        for option, times in Counter(order).items():
            if (
                times > 1
                and isinstance(option, click.Option)
                and not (option.multiple or option.is_flag or option.count)
            ):
                raise UserError(f"{option.opts[0]} is given {times} times, and takes one value; leave one")


class VerbGroup(CheckedGroup):
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


class WholeLines(CheckedGroup):
    """A verb of verbs in one file, whose help has the whole line of each; click would cut it to the width."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        with formatter.section("Verbs"):
            formatter.write_dl([(name, one.get_short_help_str(LONGEST_LINE)) for name, one in commands if one])
