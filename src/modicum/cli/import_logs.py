"""`modicum import`: logs into the ledger."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modicum.calls import Call, Problem, UserError
from modicum.cli import opening, output
from modicum.cli.reading import logs, problem_rows, show_problems
from modicum.settings import Settings, read_settings

if TYPE_CHECKING:
    from modicum.importers.format import Reading
    from modicum.ledger.store import Appended, Store
    from modicum.metering.prices import PriceBook

BATCH = 20_000
"""Calls booked at once: enough that joining them with the ledger costs little, few enough to stay small in memory."""


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--source", metavar="NAME", help="Read the paths as this format instead of recognising it.")
@click.option("--found", is_flag=True, help="The agent logs of this home directory.")
@click.option("--no-anatomy", is_flag=True, help="Usage only: faster, but nothing can explain the bill later.")
@click.option("--strict", is_flag=True, help="End with status 1 if the logs held anything that could not be read.")
@opening.json_option
@opening.prices_option
@opening.ledger_option
def command(paths: tuple[Path, ...], **options: Any) -> None:
    """Put logs into the ledger, with what each context was made of. No text is kept.

    Importing the same logs again adds nothing; logs that have grown add what is new.

    \b
    Examples:
      modicum import ~/.claude/projects
      modicum import --found
      modicum import exports/ --source langfuse --strict
    """
    settings = read_settings()
    if options["found"]:
        from modicum.cli.found import home_logs

        paths = (*paths, *home_logs())
    if not paths:
        raise UserError(
            "name the logs: 'modicum import ~/.claude/projects', or let them be found: 'modicum import --found'"
        )
    problems: list[Problem] = []
    with opening.opened_ledger(options["ledger_url"], settings) as store:
        prices = opening.price_book(options["price_path"], settings)
        calls = logs(
            paths,
            reading(anatomy=not options["no_anatomy"]),
            options["source"],
            problems,
            title="importing",
            booked_in=store.conversations_of,
        )
        booked = book_all(calls, store, prices)
        prices.save()
        purged = purge_old(store, settings)
        place = store.place
    if options["as_json"]:
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
    show_problems(problems, strict=options["strict"], quiet=options["as_json"])


def reading(*, anatomy: bool) -> "Reading":
    """What importers are asked for, with this user's digest key."""
    from modicum.importers.format import Reading
    from modicum.metering.digests import Digester

    return Reading(anatomy=anatomy, digester=Digester(opening.digest_key()))


def book_all(calls: Iterable[Call], store: "Store", prices: "PriceBook") -> "Appended":
    """Books calls in batches, each whole or not at all."""
    from modicum.ledger.booking import book
    from modicum.ledger.store import Appended

    booked = Appended()
    for batch in _batches(calls):
        booked += store.append([book(call, prices) for call in batch])
    return booked


def purge_old(store: "Store", settings: Settings) -> int:
    """Forgets what is older than the settings allow."""
    from modicum.ledger.store import Purge

    if not settings.keep_days:
        return 0
    before = datetime.now(UTC) - timedelta(days=settings.keep_days)
    # Windows of energy follow the same rule; they are not calls, and not in the count.
    store.purge_energy(before)
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
