"""`modicum watch`: keeps the ledger filled. Agents delete their logs (Claude Code after 30 days)."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from modicum.calls import Problem
from modicum.calls.words.counted_nouns import number_of
from modicum.cli import shared_options as shared
from modicum.cli.import_logs import purge_old_entries
from modicum.cli.inputs.found_logs import find_home_logs
from modicum.cli.inputs.log_reading import print_problems, read_logs
from modicum.cli.terminal.quantity import Quantity
from modicum.library import resources
from modicum.library.call_booking import book_calls, make_reading
from modicum.library.paths import check_paths_exist
from modicum.settings import read_settings


@dataclass(frozen=True, kw_only=True)
class WatchOptions(shared.LogOptions):
    every: float


@click.command()
@shared.paths_argument
@shared.source_option
@click.option(
    "--every", type=Quantity(), default=5.0, show_default=True, metavar="SECONDS", help="How often to import changes."
)
@shared.prices_option
@shared.ledger_option
@shared.pass_options(WatchOptions)
def command(options: WatchOptions) -> None:
    """Import existing logs, then everything that is added to them, until Ctrl-C.

    Without PATHS: the agent logs in your home directory. The ledger is open only while calls are added, so other
    commands can use it in between.

    \b
    Examples:
      modicum watch
      modicum watch ~/.claude/projects --every 30
    """
    check_paths_exist(options.paths)
    watched = list(options.paths) or find_home_logs()
    click.echo(f"watching {', '.join(map(str, watched))}; Ctrl-C ends it", err=True)
    for changed in watch_changes(watched, options.every, threading.Event()):
        _book_logs(changed, options)


def watch_changes(paths: list[Path], every_seconds: float, stop: threading.Event) -> Iterator[list[Path]]:
    """First all paths, then, whenever something was written, the files that changed."""
    from watchfiles import Change, watch

    yield paths
    for batch in watch(
        *paths, debounce=int(every_seconds * 1000), stop_event=stop, raise_interrupt=True, rust_timeout=1000
    ):
        written = sorted({Path(name) for change, name in batch if change is not Change.deleted})
        if present := [path for path in written if path.is_file()]:
            yield present


def _book_logs(paths: list[Path], options: WatchOptions) -> None:
    settings = read_settings()
    problems: list[Problem] = []
    with resources.open_ledger(options.ledger_url, settings, creates=True) as store:
        prices = resources.load_prices(options.price_path, settings)
        reading = make_reading(anatomy=True, lasts=True)
        calls = read_logs(paths, reading, options.source, problems, booked_in=store.conversations_of)
        booked = book_calls(calls, store, prices)
        prices.save()
        purge_old_entries(store, settings)
    if booked.new or booked.replaced:
        click.echo(f"{number_of(booked.new, 'new call')}, {booked.replaced:,} that had grown")
    print_problems(problems, strict=False)
