"""`modicum live`: agents' sessions as they run, from their own logs; no gateway is needed."""

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import click

from modicum.calls import Basis, Problem
from modicum.calls.outside.one_line import one_line
from modicum.calls.problem import problem_rows
from modicum.calls.words.counted_nouns import number_of
from modicum.cli import shared_options as shared
from modicum.cli.inputs.found_logs import find_home_logs
from modicum.cli.inputs.log_reading import print_problems
from modicum.cli.plan_usage.verb import describe_forecast
from modicum.cli.terminal import output
from modicum.cli.terminal.quantity import Quantity
from modicum.library import resources
from modicum.library.paths import check_paths_exist
from modicum.reports.figures import unpriced_note
from modicum.settings import UserZone, read_settings, user_zone

if TYPE_CHECKING:
    from decimal import Decimal

    from rich.console import Group

    from modicum.calls import Entry
    from modicum.insights.plan_usage.sessions import LiveView
    from modicum.metering.prices import PriceBook

LOOK_BACK = timedelta(hours=24)
MOST_SESSIONS = 20
_SESSION = 8


@dataclass(frozen=True, kw_only=True)
class LiveOptions:
    paths: tuple[Path, ...]
    source: str | None
    price_path: Path | None
    every: float
    minutes: float
    once: bool
    timezone: str | None
    as_json: bool
    as_csv: bool


@click.command()
@shared.paths_argument
@shared.source_option
@click.option(
    "--every", type=Quantity(1, 3600), default=5.0, show_default=True, metavar="SECONDS", help="How often to look."
)
@click.option(
    "--minutes", type=Quantity(1, 1440), default=60.0, show_default=True, help="How long ago a session may have called."
)
@click.option("--once", is_flag=True, help="Print it once and exit.")
@shared.timezone_option
@shared.prices_option
@shared.csv_option
@shared.json_option
@shared.pass_options(LiveOptions)
def command(options: LiveOptions) -> None:
    """Show agents' sessions as they run: today's spend, context, and until when caches are warm, until Ctrl-C.

    From the agents' own logs: no gateway is needed. Without PATHS: those in your home directory.

    \b
    Examples:
      modicum live
      modicum live ~/.claude/projects --minutes 15
      modicum live --once --json
    """
    settings = read_settings()
    zone = user_zone(settings.timezone, options.timezone)
    check_paths_exist(options.paths)
    logs = LiveLogs(list(options.paths) or find_home_logs(), options.source)
    prices = resources.load_prices(options.price_path, settings)
    if options.as_json:
        view = _read_view(logs, prices, options, zone)
        output.print_json({"view": view, "timezone": zone.name, "problems": problem_rows(logs.problems)})
        return
    if options.as_csv:
        from modicum.cli.terminal.csv_rows import print_struct_rows

        print_struct_rows(_read_view(logs, prices, options, zone).sessions)
        print_problems(logs.problems, strict=False)
        return
    if options.once or not sys.stdout.isatty():
        output.console().print(_page(_read_view(logs, prices, options, zone), zone))
        return
    from rich.live import Live

    with Live(
        _page(_read_view(logs, prices, options, zone), zone), console=output.console(), auto_refresh=False
    ) as shown:
        while True:
            time.sleep(options.every)
            shown.update(_page(_read_view(logs, prices, options, zone), zone), refresh=True)


class LiveLogs:
    """Logs that are written to: each file is read again when it changed, and only if it did so within a day.

    Args:
        paths: files and folders.
        source: their format; None: recognised.
    """

    def __init__(self, paths: Sequence[Path], source: str | None) -> None:
        self._paths, self._source = paths, source
        self._known: dict[Path, tuple[tuple[int, int], list[Entry], list[Problem]]] = {}

    @property
    def problems(self) -> list[Problem]:
        return [problem for _, _, problems in self._known.values() for problem in problems]

    def read(self, prices: "PriceBook", now: datetime) -> "list[Entry]":
        """The calls of the last day, each once."""
        from modicum.ledger.booking import newest

        present = dict(self._recent_files(now))
        for file in [*self._known]:
            if file not in present:
                del self._known[file]
        for file, mark in present.items():
            if file not in self._known or self._known[file][0] != mark:
                self._known[file] = (mark, *self._read_file(file, prices))
        since = now - LOOK_BACK
        return [one for one in newest(self._all()) if one.call.started >= since]

    def _all(self) -> "Iterator[Entry]":
        for _, entries, _ in self._known.values():
            yield from entries

    def _recent_files(self, now: datetime) -> Iterator[tuple[Path, tuple[int, int]]]:
        from modicum.importers.folders import log_files

        oldest = (now - LOOK_BACK).timestamp()
        for found in chain.from_iterable(map(log_files, self._paths)):
            if isinstance(found, Problem):
                continue
            size = written_ns = 0
            for part in (found, found.with_name(f"{found.name}-wal")):  # a database writes beside itself first
                with suppress(OSError):
                    facts = part.stat()
                    size, written_ns = size + facts.st_size, max(written_ns, facts.st_mtime_ns)
            if written_ns >= oldest * 1e9:
                yield found, (size, written_ns)

    def _read_file(self, file: Path, prices: "PriceBook") -> "tuple[list[Entry], list[Problem]]":
        from modicum.importers import read_calls
        from modicum.importers.format import Reading
        from modicum.ledger.booking import book

        entries: list[Entry] = []
        problems: list[Problem] = []
        for found in read_calls([file], Reading(), source=self._source):
            if isinstance(found, Problem):
                problems.append(found)
            else:
                entries.append(book(found, prices))
        return entries, problems


def _read_view(logs: LiveLogs, prices: "PriceBook", options: LiveOptions, zone: UserZone) -> "LiveView":
    from modicum.insights.plan_usage.sessions import view_sessions

    now = datetime.now(UTC)
    midnight = now.astimezone(zone.zone).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
    entries = logs.read(prices, now)
    prices.save()
    return view_sessions(entries, now, midnight, timedelta(minutes=options.minutes))


def _page(view: "LiveView", zone: UserZone) -> "Group":
    from rich import box
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD if sys.stdout.isatty() else None, pad_edge=False)
    columns = ("session", "project", "model", "calls today", "today", "context", "last call", "cache")
    for index, name in enumerate(columns):
        table.add_column(name, justify="left" if index < 3 else "right")
    for one in view.sessions[:MOST_SESSIONS]:
        ago = max(int((view.now - one.last_call).total_seconds() // 60), 0)
        cells = (
            one.session[:_SESSION],
            one.project.rstrip("/").rpartition("/")[2],
            one.model,
            output.count(one.calls),
            _cost(one.cost_usd, one.basis) if one.calls else "",
            output.count(one.context_tokens),
            f"{ago} min ago",
            _format_cache(one.warm_until, view.now, zone),
        )
        table.add_row(*(Text(one_line(cell)) for cell in cells))
    cost = _cost(view.cost_usd, view.basis) if view.calls else "$0.00"
    lines = [f"today: {cost} in {output.number_of(view.calls, 'call')}"]
    if view.calls_unpriced:
        lines.append(unpriced_note(view.calls_unpriced))
    if not view.sessions:
        lines.append("no session called within this time")
    if more := len(view.sessions) - MOST_SESSIONS:
        lines += [f"... and {number_of(more, 'more session')}; --json has all"] if more > 0 else []
    lines += [describe_forecast(one, zone, view.now) for one in view.blocks if one.forecast is not None]
    return Group(*([table] if view.sessions else []), *(Text(line) for line in lines))


def _cost(usd: "Decimal | None", basis: Basis) -> str:
    return {Basis.LOWER_BOUND: ">= ", Basis.ESTIMATED: "~ "}.get(basis, "") + output.dollars(usd)


def _format_cache(until: datetime | None, now: datetime, zone: UserZone) -> str:
    if until is None:
        return ""
    clock = until.astimezone(zone.zone).strftime("%H:%M")
    return f"warm until {clock}" if until > now else f"cold since {clock}"
