"""`modicum import`: logs into the ledger."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from modicum.calls import Call, Problem, UserError
from modicum.calls.problem import problem_rows
from modicum.cli import shared_options as shared
from modicum.cli.inputs.log_reading import no_calls_in, print_problems, read_logs
from modicum.cli.terminal import output
from modicum.ledger.store import Appended, Purge, Store
from modicum.library import resources
from modicum.settings import Settings, read_settings

if TYPE_CHECKING:
    from modicum.importers.format import Reading
    from modicum.metering.prices import PriceBook

BATCH = 20_000
"""Calls booked at once: enough that joining them with the ledger costs little, few enough to stay small in memory."""


@dataclass(frozen=True, kw_only=True)
class ImportOptions(shared.LogOptions):
    found: bool
    no_anatomy: bool


@click.command()
@click.option("--found", is_flag=True, help="The agent logs of this home directory.")
@click.option("--no-anatomy", is_flag=True, help="Usage only: faster, but nothing can explain the bill later.")
@shared.log_options
@shared.pass_options(ImportOptions)
def command(options: ImportOptions) -> None:
    """Put logs into the ledger, with what each prompt consisted of. No text is stored.

    Importing the same logs again adds nothing; logs that have grown add only the new calls.

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
    problems: list[Problem] = []
    with resources.open_ledger(options.ledger_url, settings, creates=True) as store:
        prices = resources.load_prices(options.price_path, settings)
        calls = read_logs(
            paths,
            make_reading(anatomy=not options.no_anatomy),
            options.source,
            problems,
            title="importing",
            booked_in=store.conversations_of,
        )
        booked = book_calls(calls, store, prices)
        prices.save()
        purged = purge_old_entries(store, settings)
        place = store.place
    if not (booked.booked or booked.unchanged):
        raise no_calls_in(problems)
    if options.as_json:
        output.print_json(
            {
                "ledger": place,
                "new": booked.new,
                "replaced": booked.replaced,
                "unchanged": booked.unchanged,
                "purged": purged,
                "problems": problem_rows(problems),
            }
        )
    else:
        click.echo(
            f"{booked.new:,} new calls, {booked.replaced:,} that had grown, {booked.unchanged:,} known already; "
            f"ledger: {place}"
        )
        if purged:
            click.echo(f"{purged:,} entries older than {settings.keep_days} days forgotten")
    print_problems(problems, strict=options.strict, quiet=options.as_json)


def make_reading(*, anatomy: bool, watches_text: bool = True) -> "Reading":
    """What importers are asked for, with this user's digest key."""
    from modicum.importers.format import Reading
    from modicum.metering.digests import Digester

    return Reading(anatomy=anatomy, watches_text=watches_text, digester=Digester(resources.read_digest_key()))


def book_calls(calls: Iterable[Call], store: Store, prices: "PriceBook") -> Appended:
    """Books calls in batches, each whole or not at all."""
    from modicum.ledger.booking import book_all
    from modicum.ledger.records import SHORTENINGS, shortenings_of
    from modicum.ledger.session_reports import settle_reports

    booked = Appended()
    for batch in _batches(calls):
        entries = list(book_all(batch, prices))
        booked += store.append(entries)
        if rows := shortenings_of(entries):
            store.append_records(SHORTENINGS, rows)
    if booked.booked:
        settle_reports(store)
    return booked


def purge_old_entries(store: Store, settings: Settings) -> int:
    """Forgets what is older than the settings allow."""
    if not settings.keep_days:
        return 0
    before = datetime.now(UTC) - timedelta(days=settings.keep_days)
    # Other records that age follow the same rule; they are not calls, and not in the count.
    store.purge_records(before)
    return store.purge(Purge(before=before))


def _batches(calls: Iterable[Call]) -> Iterator[list[Call]]:
    batch: list[Call] = []
    for call in calls:
        batch.append(call)
        if len(batch) >= BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
