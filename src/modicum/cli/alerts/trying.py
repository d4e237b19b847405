"""`modicum alert test`: a test alert to the webhook of the settings."""

import asyncio
from datetime import UTC, datetime

import click

from modicum.calls import UserError
from modicum.cli.shared_options import json_option
from modicum.cli.terminal import output
from modicum.settings import read_settings, webhook_of


@click.command()
@json_option
def command(*, as_json: bool) -> None:
    """Post a test alert to the webhook of [alerts], at once and once.

    Exits with status 2 if it is not taken. 'modicum up' need not run; it reads a changed webhook at its next start.

    \b
    Examples:
      modicum alert test
    """
    from modicum.governance.alerts import Alert, AlertKind
    from modicum.ledger_process.watching.alert_post import TIMEOUT_S, document_of, post_alert
    from modicum.outbound.client import Outbound
    from modicum.outbound.hosts import AllowedHosts
    from modicum.outbound.unreachable import Unreachable

    settings = read_settings()
    webhook = webhook_of(settings.alerts)
    if webhook is None:
        place = settings.file or "modicum.toml ('modicum init' writes one)"
        raise UserError(f"no webhook is set: add 'webhook' under [alerts] in {place}; docs/monitoring.md has examples")
    alert = Alert(
        kind=AlertKind.TEST,
        subject="test",
        at=datetime.now(UTC),
        text="this is a test: alerts of this gateway arrive here",
    )

    async def post() -> None:
        async with Outbound(AllowedHosts([webhook.url]), timeout_s=TIMEOUT_S) as outbound:
            await post_alert(outbound, webhook, alert)

    try:
        asyncio.run(post())
    except Unreachable as trouble:
        hint = {401: "; is the key in alerts.headers right?", 404: "; is the address right?"}
        raise UserError(f"{trouble}{hint.get(trouble.status or 0, '')}") from None
    if as_json:
        output.print_json({"webhook": webhook.shown, "posted": document_of(alert, webhook)})
    else:
        click.echo(f"{webhook.shown} has taken a test alert")
