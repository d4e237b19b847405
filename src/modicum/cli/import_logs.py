"""`modicum import`: logs into the ledger."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import click

from modicum.calls import Problem, UserError
from modicum.calls.problem import problem_rows
from modicum.cli import shared_options as shared
from modicum.cli.inputs.log_reading import no_calls_in, print_problems, read_logs
from modicum.cli.terminal import output
from modicum.ledger.store import Purge, Store
from modicum.library import resources
from modicum.library.call_booking import book_calls, make_reading
from modicum.settings import Settings, read_settings


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


def purge_old_entries(store: Store, settings: Settings) -> int:
    """Forgets what is older than the settings allow."""
    if not settings.keep_days:
        return 0
    before = datetime.now(UTC) - timedelta(days=settings.keep_days)
    # Other records that age follow the same rule; they are not calls, and not in the count.
    store.purge_records(before)
    return store.purge(Purge(before=before))
