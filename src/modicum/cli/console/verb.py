"""`modicum console`: pages over the ledger, with or without a gateway."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from modicum.calls import Problem
from modicum.cli import shared_options as shared
from modicum.cli.inputs.log_reading import print_problems, read_logs
from modicum.library import resources
from modicum.settings import Settings, ledger_place, read_settings, state_folder
from modicum.settings.console import pages_address

if TYPE_CHECKING:
    import socket


@dataclass(frozen=True, kw_only=True)
class ConsoleOptions(shared.LogOptions):
    found: bool
    listen: str | None


@click.command()
@click.option(
    "--listen", metavar="HOST:PORT", help="Where the pages are. Default: console.pages_listen, 127.0.0.1:4101."
)
@shared.found_option
@shared.strict_option
@shared.source_option
@shared.prices_option
@shared.ledger_option
@shared.paths_argument
@shared.pass_options(ConsoleOptions)
def command(options: ConsoleOptions) -> None:
    """Show the ledger in a browser: spend, where it goes, waste, tasks, models, budgets.

    With PATHS or --found, those logs are shown and nothing is put into the ledger. 'modicum up' shows the same pages
    beside its gateway. Ctrl-C ends it.

    \b
    Examples:
      modicum console
      modicum console --found
      modicum console ~/.claude/projects
      modicum console --ledger clickhouse://user:password@host/database
    """
    from modicum.console.server import bind_pages

    settings = read_settings()
    address = options.listen or settings.console.pages_listen or "127.0.0.1:4101"
    setting = "--listen" if options.listen else "console.pages_listen"
    host, port = pages_address(address, setting)
    with ExitStack() as held:
        bound = bind_pages(setting, host, port)
        held.callback(bound.close)
        place, folder = options.ledger_url or ledger_place(settings), state_folder()
        read: Callable[[], Settings] = read_settings
        is_sample = False
        if options.paths or options.found:
            folder, is_sample = held.enter_context(_folder_of_logs(options, settings))
            place = str(folder / "ledger.duckdb")
            read = _sample_settings if is_sample else read
        _show(place, folder, settings, bound, host, read, is_sample=is_sample)


@contextmanager
def _folder_of_logs(options: ConsoleOptions, settings: Settings) -> Iterator[tuple[Path, bool]]:
    """A folder with a ledger of just these logs, for as long as they are looked at, and whether it is the sample."""
    from modicum.cli.console.sample_state import add_sample_state
    from modicum.cli.inputs.audit_answers import add_outcomes
    from modicum.ledger.opening import open_store
    from modicum.library.call_booking import book_calls, make_reading

    paths, outcomes = options.paths, list[Path]()
    if options.found:
        from modicum.cli.inputs.found_logs import find_logs, find_outcome_files

        paths = (*paths, *find_logs())
        outcomes = find_outcome_files(paths)
    problems: list[Problem] = []
    with tempfile.TemporaryDirectory(prefix="modicum-console-") as name:
        folder = Path(name)
        calls = read_logs(paths, make_reading(anatomy=True), options.source, problems)
        store = open_store(str(folder / "ledger.duckdb"))
        try:
            prices = resources.load_prices(options.price_path, settings)
            book_calls(calls, store, prices)
            prices.save()
            add_outcomes(store, outcomes, problems)
            if outcomes:  # it is the sample
                add_sample_state(folder, store)
        finally:
            store.close()
        print_problems(problems, strict=options.strict)
        yield folder, bool(outcomes)


def _sample_settings() -> Settings:
    from modicum.cli.console.sample_state import with_sample_budgets

    return with_sample_budgets(read_settings())


def _show(
    place: str,
    folder: Path,
    settings: Settings,
    bound: "socket.socket",
    host: str,
    read: Callable[[], Settings] = read_settings,
    *,
    is_sample: bool = False,
) -> None:
    """Serves the pages. Where no other process holds the ledger, one process does both, and other verbs ask it."""
    from modicum.cli.console.ledger_access import find_process
    from modicum.cli.console.sources import sources_of
    from modicum.console.server import run, serve_beside
    from modicum.ledger_process import process
    from modicum.ledger_process.watching.live_settings import LiveSettings
    from modicum.outbound.event_loop import run_loop

    sources = sources_of(place, folder, settings, read, is_sample=is_sample)
    shown = partial(click.echo, f"console on http://{_shown(host)}:{bound.getsockname()[1]}/, ledger {place}", err=True)
    if "://" in place or find_process(place, folder) is not None:
        run(sources, bound, host, shown)
    else:
        days = Settings(timezone=settings.timezone)
        ledger = process.serve(
            *(folder, place, sources.prices, "127.0.0.1", 0, partial(click.echo, err=True)), settings=LiveSettings(days)
        )
        run_loop(serve_beside(ledger, sources, bound, host, shown))


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host
