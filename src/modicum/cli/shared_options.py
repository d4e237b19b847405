"""Options that several verbs share, each declared once, and the typed objects that verbs take their options as.

A verb declares a dataclass with a field per option and takes it through `pass_options`; fields that several verbs share
are inherited from the classes here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import click

from modicum.calls import UserError
from modicum.insights.scoping.time_span import EVER, NEVER, parse_time

Options = TypeVar("Options")
Result = TypeVar("Result")

Verb = Callable[..., Any]


@dataclass(frozen=True, kw_only=True)
class LedgerOptions:
    """Which ledger; None: that of the settings."""

    ledger_url: str | None = None


@dataclass(frozen=True, kw_only=True)
class SpanOptions:
    """`--since` and `--until`, as they were typed."""

    since: str | None = None
    until: str | None = None

    def span(self, zone: ZoneInfo) -> tuple[datetime, datetime]:
        """From when until when, in UTC; days are cut in `zone`.

        Raises:
            UserError: one of them is no time, or the end is not after the beginning.
        """
        since, until = parse_time(self.since, zone, EVER), parse_time(self.until, zone, NEVER)
        if self.since and self.until and until <= since:
            raise UserError(
                f"--until {self.until} is not after --since {self.since}; a day ends where the next one begins: "
                "--since 2026-01-31 --until 2026-02-01"
            )
        return since, until


@dataclass(frozen=True, kw_only=True)
class LogOptions(LedgerOptions):
    """Logs to read, or a ledger to ask, and the prices for both."""

    paths: tuple[Path, ...] = ()
    source: str | None = None
    strict: bool = False
    price_path: Path | None = None
    as_json: bool = False


def pass_options(kind: type[Options]) -> Callable[[Callable[[Options], Result]], Callable[..., Result]]:
    """Hands the options of a click command over as one object; stands below the options that it collects."""

    def decorate(verb: Callable[[Options], Result]) -> Callable[..., Result]:
        @wraps(verb)
        def command(**values: Any) -> Result:
            return verb(kind(**values))

        return command

    return decorate


paths_argument = click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
source_option = click.option(
    "--source", metavar="NAME", help="Read the paths as this format instead of recognising it."
)
strict_option = click.option(
    "--strict", is_flag=True, help="Exit with status 1 if anything in the logs could not be read."
)
found_option = click.option(
    "--found", is_flag=True, help="Use the agent logs of your home directory, or a sample if there are none."
)
timezone_option = click.option(
    "--timezone", metavar="ZONE", help="Time zone in which days begin, such as Europe/Berlin. Default: this machine's."
)
ledger_option = click.option(
    "--ledger",
    "ledger_url",
    metavar="URL",
    help="The ledger: a path, or clickhouse://user:password@host:port/database. Default: the one of modicum.toml,"
    " or a file in your data folder.",
)
prices_option = click.option(
    "--prices",
    "price_path",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="File with your own prices, used before the list prices (docs/prices.md).",
)
prices_of_option = click.option(
    "--prices-of",
    "prices_of",
    metavar="DATE|MODEL",
    help="All calls at the prices of that day (2026-11-30, today) or that model; what is booked stays as it is.",
)


def _only_one(context: click.Context, parameter: click.Parameter, value: bool) -> bool:
    """Raises:
    UserError: both ways to print were asked for.
    """
    other = {"as_csv": "as_json", "as_json": "as_csv"}[parameter.name or ""]
    if value and context.params.get(other):
        raise UserError("--csv and --json are two ways to print the same; choose one")
    return value


csv_option = click.option("--csv", "as_csv", is_flag=True, callback=_only_one, help="Print the rows as CSV.")
json_option = click.option("--json", "as_json", is_flag=True, callback=_only_one, help="Print one JSON document.")


def log_options(command: Verb) -> Verb:
    """All options of `LogOptions`."""
    for option in (ledger_option, prices_option, json_option, strict_option, source_option, paths_argument):
        command = option(command)
    return command


def span_options(what: str = "") -> Callable[[Verb], Verb]:
    """`--since` and `--until`. `what`: what is chosen by them, as `runs of the ledger`; empty where it is plain."""
    of = f" ({what})" if what else ""

    def decorate(command: Verb) -> Verb:
        until = click.option("--until", metavar="TIME", help=f"End of the time, not included{of}.")
        since = click.option(
            "--since", metavar="TIME", help=f"Start of the time: 2026-01-31, today, yesterday, 7d, 24h, 2w{of}."
        )
        return since(until(command))

    return decorate
