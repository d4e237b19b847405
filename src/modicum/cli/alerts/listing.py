"""`modicum alert list`: the newest alerts."""

import click

from modicum.cli.shared_options import json_option
from modicum.cli.terminal import output
from modicum.settings import read_settings, state_folder, user_zone


@click.command()
@click.option("--count", default=20, show_default=True, type=click.IntRange(1, 5000), help="How many.")
@json_option
def command(count: int, *, as_json: bool) -> None:
    """List the newest alerts, the newest first, and whether they were posted to the webhook.

    \b
    Examples:
      modicum alert list
      modicum alert list --count 100 --json
    """
    from modicum.ledger_process.watching.alert_log import FILE_NAME, AlertLog

    folder, zone = state_folder(), user_zone(read_settings().timezone).zone
    alerts = AlertLog(folder).newest(count) if (folder / FILE_NAME).exists() else []
    if as_json:
        rows = [
            {"at": one.alert.at, "kind": one.alert.kind, "text": one.alert.text, "facts": one.alert.facts}
            | {"delivery": one.delivery, "view": one.alert.view}
            for one in alerts
        ]
        output.print_json({"alerts": rows})
        return
    if not alerts:
        click.echo("no alert so far: they are raised while 'modicum up' runs; 'modicum alert test' tries the webhook")
        return
    output.print_table(
        ["at", "kind", "delivery", "what"],
        [
            [f"{one.alert.at.astimezone(zone):%Y-%m-%d %H:%M:%S}", one.alert.kind, one.delivery, one.alert.text]
            for one in alerts
        ],
        left=4,
    )
