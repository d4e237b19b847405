"""`modicum alert test`: a test alert to each place where alerts go."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import click

from modicum.calls import UserError
from modicum.cli.shared_options import json_option
from modicum.cli.terminal import output
from modicum.settings import Settings, read_settings, state_folder, webhook_of
from modicum.settings.governance.alerts import Webhook


@click.command()
@json_option
def command(*, as_json: bool) -> None:
    """Send a test alert to each place where alerts go, at once and once: webhook, log, and metrics for Prometheus.

    Exits with status 2 if the webhook does not take it, or if there is no place at all. The webhook of [alerts] is
    tried whether or not 'modicum up' runs, which reads a changed one at its next start; log and metrics are those of
    its ledger process.

    \b
    Examples:
      modicum alert test
    """
    settings = read_settings()
    webhook = webhook_of(settings.alerts)
    posted = None if webhook is None else _post(webhook)
    metrics = _raise_in_process()
    if webhook is None and metrics is None:
        raise UserError(f"{_no_webhook(settings)}; and 'modicum up' does not run, so there is no log and no metric")
    if as_json:
        shown = None if webhook is None else webhook.shown
        output.print_json({"webhook": shown, "posted": posted, "metrics": metrics})
        return
    click.echo(_no_webhook(settings) if webhook is None else f"{webhook.shown} has taken a test alert")
    if metrics is None:
        click.echo("log and Prometheus: 'modicum up' does not run, so nothing was written or counted there")
    else:
        output.print_text(
            f"log and Prometheus: the ledger process wrote one, and {metrics} counts it in "
            'modicum_alerts_total{kind="test"}'
        )


def _no_webhook(settings: Settings) -> str:
    place = settings.file or "modicum.toml ('modicum init' writes one)"
    return f"no webhook is set: add 'webhook' under [alerts] in {place}; docs/monitoring.md has examples"


def _post(webhook: Webhook) -> dict[str, Any]:
    """What was posted.

    Raises:
        UserError: it was not taken.
    """
    from modicum.governance.alerts import alert_of_test
    from modicum.ledger_process.watching.alert_post import TIMEOUT_S, document_of, post_alert
    from modicum.outbound.client import Outbound
    from modicum.outbound.hosts import AllowedHosts
    from modicum.outbound.unreachable import Unreachable

    alert = alert_of_test(datetime.now(UTC))

    async def post() -> None:
        async with Outbound(AllowedHosts([webhook.url]), timeout_s=TIMEOUT_S) as outbound:
            await post_alert(outbound, webhook, alert)

    try:
        asyncio.run(post())
    except Unreachable as trouble:
        hint = {401: "; is the key in alerts.headers right?", 404: "; is the address right?"}
        raise UserError(f"{trouble}{hint.get(trouble.status or 0, '')}") from None
    return document_of(alert, webhook)


def _raise_in_process() -> str | None:
    """The address of the metrics that count it; None: no ledger process runs."""
    from modicum.ledger_process.client import LedgerProcessStore
    from modicum.ledger_process.running import find

    running = find(state_folder())
    if running is None:
        return None
    LedgerProcessStore(running).raise_test_alert()
    return f"http://{running.host}:{running.port}/metrics"
