"""`modicum import`: logs into the ledger."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from modicum.calls import Call, Problem, UserError
from modicum.calls.problem import problem_rows
from modicum.cli import shared_options as shared
from modicum.cli.inputs.log_reading import no_calls_in, print_problems, read_logs
from modicum.cli.terminal import output
from modicum.ledger.store import Appended, Purge, Store
from modicum.library import resources
from modicum.library.call_booking import book_calls, make_reading
from modicum.library.paths import check_paths_exist
from modicum.settings import Settings, read_settings


@dataclass(frozen=True, kw_only=True)
class ImportOptions(shared.LogOptions):
    found: bool
    no_anatomy: bool
    again: bool


@click.command()
@click.option("--found", is_flag=True, help="The agent logs of this home directory.")
@click.option("--no-anatomy", is_flag=True, help="Usage only: faster, but nothing can explain the bill later.")
@click.option("--again", is_flag=True, help="Read the files too that are in the ledger and did not change since.")
@shared.log_options
@shared.pass_options(ImportOptions)
def command(options: ImportOptions) -> None:
    """Put logs into the ledger, with what each prompt consisted of. No text is stored.

    Importing the same logs again adds nothing, and files that did not change since are not read; logs that have grown
    add only the new calls.

    \b
    Examples:
      modicum import ~/.claude/projects
      modicum import --found
      modicum import exports/ --source langfuse --strict
    """
    settings = read_settings()
    paths = options.paths
    if options.found:
        from modicum.cli.inputs.found_logs import find_home_logs

        paths = (*paths, *find_home_logs())
    if not paths:
        raise UserError(
            "name the logs: 'modicum import ~/.claude/projects', or let them be found: 'modicum import --found'"
        )
    done = _import(paths, options, settings)
    if not (done.booked.booked or done.booked.unchanged or done.files_unchanged):
        raise no_calls_in(done.problems)
    if options.as_json:
        output.print_json(
            {
                "ledger": done.ledger,
                "new": done.booked.new,
                "replaced": done.booked.replaced,
                "unchanged": done.booked.unchanged,
                "files_unchanged": done.files_unchanged,
                "purged": done.purged,
                "problems": problem_rows(done.problems),
            }
        )
    else:
        _print_done(done, settings)
    print_problems(done.problems, strict=options.strict, quiet=options.as_json)


@dataclass(frozen=True)
class _Imported:
    ledger: str
    booked: Appended
    files_unchanged: int
    purged: int
    problems: list[Problem]


def _import(paths: Sequence[Path], options: ImportOptions, settings: Settings) -> _Imported:
    from modicum.cli.inputs.imported_logs import ImportedLogs

    check_paths_exist(paths)
    with resources.open_ledger(options.ledger_url, settings, creates=True) as store:
        prices = resources.load_prices(options.price_path, settings)
        names = [str(path.absolute()) for path in paths]
        known = ImportedLogs(store, [*names, options.source, options.no_anatomy, resources.read_digest_key()])
        chosen = known.choose(paths, again=options.again)
        problems = list(chosen.problems)
        sources: set[str] = set()
        booked = Appended()
        if chosen.files:
            calls = read_logs(
                chosen.files,
                make_reading(anatomy=not options.no_anatomy, lasts=True),
                options.source,
                problems,
                title="importing",
                booked_in=store.conversations_of,
            )
            booked = book_calls(_with_sources(calls, sources), store, prices)
            prices.save()
        purged = purge_old_entries(store, settings)
        if chosen.files or purged:
            known.remember(chosen, problems, sources)
        return _Imported(store.place, booked, chosen.files_unchanged, purged, problems)


def _with_sources(calls: Iterable[Call], sources: set[str]) -> Iterator[Call]:
    """The same calls; their sources go to the set."""
    for call in calls:
        sources.add(call.source)
        yield call


def _print_done(done: _Imported, settings: Settings) -> None:
    booked = done.booked
    click.echo(
        f"{output.number_of(booked.new, 'new call')}, {booked.replaced:,} that had grown, {booked.unchanged:,} known "
        f"already; ledger: {done.ledger}"
    )
    if done.files_unchanged:
        files = output.number_of(done.files_unchanged, "file")
        click.echo(f"{files} not read: unchanged since the last import ('--again' reads all)")
    if done.purged:
        entries = output.number_of(done.purged, "entry", "entries")
        click.echo(f"{entries} older than {output.number_of(settings.keep_days or 0, 'day')} forgotten")


def purge_old_entries(store: Store, settings: Settings) -> int:
    """Forgets what is older than the settings allow."""
    if not settings.keep_days:
        return 0
    before = datetime.now(UTC) - timedelta(days=settings.keep_days)
    # Other records that age follow the same rule; they are not calls, and not in the count.
    store.purge_records(before)
    return store.purge(Purge(before=before))
