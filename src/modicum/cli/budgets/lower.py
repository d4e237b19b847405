"""`modicum budget lower`: ends the raises of a budget before their time."""

import getpass
from datetime import UTC, datetime

import click

from modicum.calls import UserError
from modicum.cli.budgets.events import append_event, read_events
from modicum.cli.shared_options import json_option
from modicum.cli.terminal import output
from modicum.governance.budget_raises import RaiseEvent


@click.command()
@click.argument("name")
@json_option
def command(name: str, *, as_json: bool) -> None:
    """End what 'modicum budget raise' approved for a budget: its limit is again that of modicum.toml.

    \b
    Examples:
      modicum budget lower platform-month
      modicum budget lower platform-month --json
    """
    now, events = datetime.now(UTC), read_events()
    ended = {event.raise_id for event in events if event.what == "ended"}
    in_force = [
        event
        for event in events
        if event.budget == name and event.raise_id not in ended and event.until is not None and event.until > now
    ]
    if not in_force:
        raise UserError(f"the budget '{name}' is not raised; 'modicum budget log' shows what was, and until when")
    for event in in_force:
        append_event(
            RaiseEvent(
                what="ended",
                raise_id=event.raise_id,
                budget=name,
                at=now,
                by=getpass.getuser(),
                unit=event.unit,
                team=event.team,
            )
        )
    if as_json:
        output.print_json({"name": name, "ended": [event.raise_id for event in in_force]})
        return
    click.echo(f"'{name}' is again as modicum.toml says")
