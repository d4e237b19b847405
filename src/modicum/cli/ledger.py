"""`modicum ledger`: what is in it, forgetting, and copying it elsewhere."""

import click

from modicum.calls import UserError
from modicum.cli import opening, output
from modicum.cli.span import EVER, NEVER, moment
from modicum.settings import checked_zone, read_settings


@click.group()
def command() -> None:
    """Look after the ledger.

    \b
    Examples:
      modicum ledger info
      modicum ledger purge --before 90d --team research
      modicum ledger copy ~/laptop.duckdb clickhouse://user:password@host:8123/modicum
    """


@command.command()
@opening.json_option
@opening.ledger_option
def info(*, ledger_url: str | None, as_json: bool) -> None:
    """Where the ledger is and what it holds."""
    with opening.opened_ledger(ledger_url) as store:
        rows = store.ask("holdings")
        place = store.place
    if as_json:
        output.print_json({"ledger": place, "sources": rows})
        return
    click.echo(f"ledger: {place}")
    output.print_table(
        ["source", "calls", "tasks", "first", "last", "with anatomy", "segments"],
        [
            [
                row["source"],
                output.count(row["calls"]),
                output.count(row["tasks"]),
                f"{row['first_started']:%Y-%m-%d}",
                f"{row['last_started']:%Y-%m-%d}",
                output.count(row["calls_with_anatomy"]),
                output.count(row["segments"]),
            ]
            for row in rows
        ],
    )


@command.command()
@click.option("--before", required=True, metavar="TIME", help="Forget calls that began before: 2026-01-31, 90d, 12w.")
@click.option("--team", default="", help="Only calls of this team.")
@click.option("--app", default="", help="Only calls of this app.")
@click.option("--user", default="", help="Only calls of this user.")
@click.option("--key", default="", help="Only calls of this key.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@opening.json_option
@opening.ledger_option
def purge(*, ledger_url: str | None, as_json: bool, before: str, yes: bool, **owner: str) -> None:
    """Forget calls for good, by age and owner."""
    from modicum.ledger.store import Purge

    settings = read_settings()
    which = Purge(before=moment(before, checked_zone(settings.timezone), NEVER), **owner)
    whose = ", ".join(f"{part} {name}" for part, name in owner.items() if name) or "everybody"
    if not yes:
        click.confirm(f"Forget all calls of {whose} before {which.before:%Y-%m-%d %H:%M} UTC?", abort=True, err=True)
    with opening.opened_ledger(ledger_url, settings) as store:
        gone = store.purge(which)
    if as_json:
        output.print_json({"purged": gone, "before": which.before, **owner})
    else:
        click.echo(f"{gone:,} calls of {whose} before {which.before:%Y-%m-%d} forgotten")


@command.command()
@click.argument("from_url", metavar="FROM")
@click.argument("to_url", metavar="TO")
@opening.json_option
def copy(*, from_url: str, to_url: str, as_json: bool) -> None:
    """Copy all entries, anatomy, outcomes, windows of energy and the audit log from one ledger into another.

    What the other one has already is not booked again, so a copy that was broken off can be repeated.
    """
    from modicum.ledger.store import Appended

    if from_url == to_url:
        raise UserError("FROM and TO are the same ledger")
    booked = Appended()
    with opening.opened_ledger(from_url) as one, opening.opened_ledger(to_url) as other:
        for entries in one.entries():
            booked += other.append(entries)
        outcomes = other.append_outcomes(one.outcomes())
        energy = other.append_energy(one.energy(EVER, NEVER))
        events = other.append_audit(one.audit())
        places = one.place, other.place
    if as_json:
        output.print_json(
            {
                "from": places[0],
                "to": places[1],
                "new": booked.new,
                "replaced": booked.replaced,
                "unchanged": booked.unchanged,
                "outcomes": outcomes,
                "energy_windows": energy.new + energy.replaced,
                "audit_events": events,
            }
        )
    else:
        click.echo(
            f"{booked.new:,} calls copied to {places[1]}, {booked.replaced:,} replaced, "
            f"{booked.unchanged:,} were there; {outcomes:,} outcomes"
        )
