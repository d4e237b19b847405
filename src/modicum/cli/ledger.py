"""`modicum ledger`: what is in it, forgetting, and copying it elsewhere."""

import getpass
from datetime import UTC, datetime

import click
import msgspec

from modicum.calls import UserError
from modicum.calls.words.counted_nouns import number_of
from modicum.cli.shared_options import json_option, ledger_option
from modicum.cli.terminal import output
from modicum.cli.terminal.verb_group import WholeLines
from modicum.insights.retention.erasure import PARTS, erase_owner
from modicum.insights.scoping.time_span import NEVER, parse_time
from modicum.ledger.copying import copy_ledger
from modicum.ledger.events import EventFile
from modicum.ledger.records import RECORDS
from modicum.ledger.rows import Row
from modicum.ledger.store import Purge
from modicum.library import resources
from modicum.settings import read_settings, state_folder, user_zone

_PURGED_KEYS = {"energy_windows": "windows_purged"}
"""Keys of `ledger purge --json` that are older than the rule for them, `<table>_purged`."""


@click.group(cls=WholeLines)
def command() -> None:
    """Show, purge and copy the ledger.

    \b
    Examples:
      modicum ledger info
      modicum ledger purge --before 90d --team research
      modicum ledger erase user ada
      modicum ledger copy ~/laptop.duckdb clickhouse://user:password@host:8123/modicum
    """


@command.command()
@json_option
@ledger_option
def info(*, ledger_url: str | None, as_json: bool) -> None:
    """Show where the ledger is and what it contains.

    \b
    Examples:
      modicum ledger info
      modicum ledger info --ledger team.duckdb --json
    """
    with resources.open_ledger(ledger_url) as store:
        rows, watched = store.ask("holdings"), store.ask("energy_holdings")
        place = store.place
    if as_json:
        output.print_json({"ledger": place, "sources": rows, "watched": watched})
        return
    click.echo(f"ledger: {place}")
    if rows:
        _print_sources(rows)
    else:
        click.echo("no calls yet: add some with 'modicum import PATH...' or 'modicum up'")
    if watched:
        _print_energy(watched)


def _print_sources(rows: list[Row]) -> None:
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


def _print_energy(rows: list[Row]) -> None:
    output.print_table(
        ["watched servers", "windows", "first", "last", "hours", "kWh"],
        [
            [
                ", ".join(msgspec.json.decode(row["servers"], type=list[str])),
                output.count(row["windows"]),
                f"{row['first_started']:%Y-%m-%d}",
                f"{row['last_started']:%Y-%m-%d}",
                f"{row['seconds'] / 3600:,.2f}",
                f"{row['joules'] / 3.6e6:,.4g}",
            ]
            for row in rows
        ],
    )


@command.command()
@click.option("--before", required=True, metavar="TIME", help="Delete calls that started before: 2026-01-31, 90d, 12w.")
@click.option("--team", default="", help="Only calls of this team.")
@click.option("--app", default="", help="Only calls of this app.")
@click.option("--user", default="", help="Only calls of this user.")
@click.option("--key", default="", help="Only calls of this key.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@json_option
@ledger_option
def purge(*, ledger_url: str | None, as_json: bool, before: str, yes: bool, **owner: str) -> None:
    """Delete calls for good, by age and owner. Without an owner, energy windows of that age are deleted too.

    \b
    Examples:
      modicum ledger purge --before 365d
      modicum ledger purge --before 2026-01-31 --team research --yes --json
    """
    settings = read_settings()
    which = Purge(before=parse_time(before, user_zone(settings.timezone).zone, NEVER), **owner)
    whose = ", ".join(f"{part} {name}" for part, name in owner.items() if name) or "everybody"
    aged = [] if any(owner.values()) else [table for table in RECORDS.values() if table.purged_by_age]
    if not yes:
        what = " and ".join(["calls", *(table.label for table in aged)])
        click.confirm(f"Forget all {what} of {whose} before {which.before:%Y-%m-%d %H:%M} UTC?", abort=True, err=True)
    with resources.open_ledger(ledger_url, settings) as store:
        gone = store.purge(which)
        purged = store.purge_records(which.before) if aged else {}
    if as_json:
        others = {
            _PURGED_KEYS.get(name, f"{name}_purged"): purged.get(name, 0)
            for name, table in RECORDS.items()
            if table.purged_by_age
        }
        output.print_json({"purged": gone, **others, "before": which.before, **owner})
    else:
        also = "".join(
            f" and {_number_of_records(purged[table.name], table.label)}" for table in aged if purged.get(table.name)
        )
        click.echo(f"{number_of(gone, 'call')} of {whose}{also} before {which.before:%Y-%m-%d} forgotten")


def _number_of_records(number: int, label: str) -> str:
    """`1 window of energy`, `2 windows of energy`."""
    noun, _, rest = label.partition(" ")
    return number_of(number, f"{noun.removesuffix('s')} {rest}".rstrip(), label)


@command.command()
@click.argument("part", type=click.Choice(PARTS))
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@json_option
@ledger_option
def erase(part: str, name: str, *, yes: bool, ledger_url: str | None, as_json: bool) -> None:
    """Erase all calls of an owner for good, and revoke its keys. The log says that, and not who it was.

    What the gateway has learned of the owner's tools goes too.

    \b
    Examples:
      modicum ledger erase user ada
      modicum ledger erase team research --yes --json
    """
    settings = read_settings()
    if not yes:
        click.confirm(f"Erase all calls of the {part} '{name}', and revoke its keys?", abort=True, err=True)
    events = EventFile(state_folder() / "events.sqlite")
    try:
        with resources.open_ledger(ledger_url, settings) as store:
            now, by, digest_key = datetime.now(UTC), getpass.getuser(), resources.read_digest_key()
            gone = erase_owner(store, events, part, name, at=now, by=by, digest_key=digest_key)
    finally:
        events.close()
    from modicum.gateway.own_tools.tool_use_file import erase_tool_use

    erase_tool_use(state_folder(), part, name)
    if as_json:
        output.print_json({"part": part, "name": name, "calls": gone.calls, "keys": gone.keys, "digest": gone.digest})
        return
    calls, keys = number_of(gone.calls, "call"), number_of(gone.keys, "key")
    click.echo(f"{calls} and {keys} of the {part} '{name}' were erased; the log calls it {part} {gone.digest}")


@command.command()
@click.argument("from_url", metavar="FROM")
@click.argument("to_url", metavar="TO")
@json_option
def copy(*, from_url: str, to_url: str, as_json: bool) -> None:
    """Copy calls, anatomy, outcomes, energy windows and the audit log from one ledger to another.

    Nothing is copied twice, so an interrupted copy can be repeated.

    \b
    Examples:
      modicum ledger erase user ada
      modicum ledger copy ~/laptop.duckdb clickhouse://user:password@host:8123/modicum
      modicum ledger copy old.duckdb new.duckdb --json
    """
    if from_url == to_url:
        raise UserError("FROM and TO are the same ledger")
    with resources.open_ledger(from_url) as one, resources.open_ledger(to_url, creates=True) as other:
        copied, places = copy_ledger(one, other), (one.place, other.place)
    calls = copied.entries
    if as_json:
        output.print_json(
            {
                "from": places[0],
                "to": places[1],
                "new": calls.new,
                "replaced": calls.replaced,
                "unchanged": calls.unchanged,
                **{name: appended.booked for name, appended in copied.records.items()},
            }
        )
    else:
        others = ", ".join(f"{appended.booked:,} {RECORDS[name].label}" for name, appended in copied.records.items())
        click.echo(
            f"{number_of(calls.new, 'call')} copied to {places[1]}, {calls.replaced:,} replaced, "
            f"{calls.unchanged:,} were there; {others}"
        )
