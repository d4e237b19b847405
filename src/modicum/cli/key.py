"""`modicum key`: who may call through the gateway, and who pays."""

import getpass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from modicum.calls import Owner, UserError
from modicum.cli.shared_options import json_option, ledger_option
from modicum.cli.terminal import output
from modicum.cli.terminal.verb_group import WholeLines
from modicum.ledger.records import AUDIT_EVENTS
from modicum.library import resources
from modicum.settings import state_folder

if TYPE_CHECKING:
    from modicum.calls import AuditEvent
    from modicum.governance.keys import KeyEvent, Keys


@click.group(cls=WholeLines)
def command() -> None:
    """Create, list and revoke keys of the gateway, and show who did so and when.

    A key is shown once; only a keyed digest of it is stored. A running gateway applies a change at its next call.

    \b
    Examples:
      modicum key create ci --team platform
      modicum key create intern --team research --model 'gpt-4o-mini'
      modicum key list
      modicum key revoke ci
      modicum key log
    """


@command.command()
@click.argument("name")
@click.option("--team", default="", help="The team that pays.")
@click.option("--app", default="", help="The app that the key is for.")
@click.option("--user", default="", help="The person that the key is for.")
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="PATTERN",
    help="A model that the key may use; may be given several times. Default: all models.",
)
@json_option
def create(name: str, team: str, app: str, user: str, models: tuple[str, ...], *, as_json: bool) -> None:
    """Create a key and show it once.

    \b
    Examples:
      modicum key create ci --team platform
      modicum key create intern --team research --model 'gpt-4o-mini' --json
    """
    from modicum.governance.keys import issue

    owner = Owner(team=team, app=app, user=user, key=name)
    key, event = issue(owner, models, datetime.now(UTC), getpass.getuser(), resources.read_digest_key())
    _append_event(event)
    try:
        if as_json:
            output.print_json({"key": key, "id": event.key_id, "name": name, "team": team, "app": app, "user": user})
            return
        click.echo(key)
    except OSError as error:
        raise UserError(
            f"the key '{name}' was created but could not be shown ({error.strerror}): revoke it with 'modicum key "
            f"revoke {event.key_id}', make room, and create it again"
        ) from None
    click.echo(f"key '{name}' (id {event.key_id}); it cannot be shown again", err=True)


@command.command("list")
@click.option("--all", "with_revoked", is_flag=True, help="List revoked keys too.")
@json_option
def list_(*, with_revoked: bool, as_json: bool) -> None:
    """List the keys that are valid.

    \b
    Examples:
      modicum key list
      modicum key list --all --json
    """
    keys = [key for key in _read_keys().all() if with_revoked or key.revoked_at is None]
    if as_json:
        output.print_json_list(
            [
                {
                    "id": key.key_id,
                    "name": key.owner.key,
                    "team": key.owner.team,
                    "app": key.owner.app,
                    "user": key.owner.user,
                    "models": key.models,
                    "issued_at": key.issued_at,
                    "issued_by": key.issued_by,
                    "revoked_at": key.revoked_at,
                }
                for key in keys
            ]
        )
        return
    if not keys:
        click.echo("no key is in force: 'modicum key create NAME' makes one")
        return
    output.print_table(
        ["name", "id", "team", "app", "user", "models", "issued", "by", "revoked"],
        [
            [
                key.owner.key,
                key.key_id,
                key.owner.team,
                key.owner.app,
                key.owner.user,
                ", ".join(key.models) or "all",
                f"{key.issued_at:%Y-%m-%d}",
                key.issued_by,
                f"{key.revoked_at:%Y-%m-%d}" if key.revoked_at else "",
            ]
            for key in keys
        ],
        left=9,
    )


@command.command()
@click.argument("name")
@json_option
def revoke(name: str, *, as_json: bool) -> None:
    """Revoke a key, by its name or id.

    \b
    Examples:
      modicum key revoke ci
      modicum key revoke ci --json
    """
    from modicum.governance.keys import revoke as revoked

    event = revoked(_read_keys(), name, datetime.now(UTC), getpass.getuser())
    _append_event(event)
    if as_json:
        output.print_json({"id": event.key_id, "name": name, "revoked_at": event.at})
        return
    click.echo(f"key '{name}' (id {event.key_id}) revoked")


@command.command()
@json_option
@ledger_option
def log(*, ledger_url: str | None, as_json: bool) -> None:
    """Show who issued and revoked which key, and when: the audit log of the ledger, oldest first.

    \b
    Examples:
      modicum key log
      modicum key log --json
    """
    from modicum.governance.keys import audit

    with resources.open_ledger(ledger_url) as store:
        store.append_records(AUDIT_EVENTS, audit(_read_events()))  # what no ledger process has taken over yet
        key_events = [event for event in store.records(AUDIT_EVENTS) if event.kind == "key"]
    if as_json:
        output.print_json_list(_event_document(event) for event in key_events)
        return
    if not key_events:
        click.echo("no key was ever issued: 'modicum key create NAME' makes one")
        return
    output.print_table(
        ["when (UTC)", "what", "name", "id", "by", "team", "app", "user", "models"],
        [
            [
                f"{event.at:%Y-%m-%d %H:%M:%S}",
                event.what,
                event.owner.key,
                event.subject,
                event.by,
                event.owner.team,
                event.owner.app,
                event.owner.user,
                event.details.get("models", "all" if event.what == "issued" else ""),
            ]
            for event in key_events
        ],
        left=9,
    )


def _event_document(event: "AuditEvent") -> dict[str, object]:
    return {
        "at": event.at,
        "what": event.what,
        "name": event.owner.key,
        "id": event.subject,
        "by": event.by,
        "team": event.owner.team,
        "app": event.owner.app,
        "user": event.owner.user,
        "models": event.details.get("models", "").split(),
    }


def _read_keys() -> "Keys":
    from modicum.governance.keys import Keys

    return Keys(_read_events())


def _read_events() -> "list[KeyEvent]":
    from modicum.governance.keys import KeyEvent
    from modicum.ledger.events import EventFile

    events = EventFile(state_folder() / "events.sqlite")
    try:
        return events.read("key", KeyEvent)
    finally:
        events.close()


def _append_event(event: object) -> None:
    from modicum.ledger.events import EventFile

    events = EventFile(state_folder() / "events.sqlite")
    try:
        events.append("key", event)
    finally:
        events.close()
