"""The ledger process: holds the ledger, ships journals, answers; ends on SIGTERM with everything shipped."""

import asyncio
import os
import secrets
from collections.abc import Callable
from pathlib import Path

import uvicorn

from modicum.calls import UserError
from modicum.governance.alerts import Alert
from modicum.ledger_process.api import Api
from modicum.ledger_process.day_sums import DaySums
from modicum.ledger_process.exporting import SpanExport, stop_exporting
from modicum.ledger_process.ledger_thread import LedgerThread
from modicum.ledger_process.metrics import ExportMetrics
from modicum.ledger_process.otel_endpoint import Endpoint
from modicum.ledger_process.running import Running, remove_note, take_place, write_note
from modicum.ledger_process.watching.alert_log import AlertLog
from modicum.ledger_process.watching.alert_post import AlertPost
from modicum.ledger_process.watching.alerting import Alerting
from modicum.ledger_process.watching.live_settings import LiveSettings
from modicum.ledger_process.watching.watch import LedgerWatch
from modicum.metering.prices import PriceBook
from modicum.outbound.event_loop import LOOP_NAME, run_loop
from modicum.outbound.listener import bind_listener
from modicum.outbound.server import DrainingServer
from modicum.settings import Settings, webhook_of
from modicum.settings.metrics import token_of

BACKLOG = 128


async def serve(
    folder: Path,
    ledger: str,
    prices: PriceBook,
    host: str,
    port: int,
    log: Callable[[str], None],
    export: Endpoint | None = None,
    settings: LiveSettings | None = None,
    write_alert: Callable[[Alert], None] = lambda _alert: None,
) -> None:
    """Until SIGTERM or SIGINT. `folder` is where journals are, and where the note for commands is left; `export` is
    where spans of finished calls go.

    Raises:
        UserError: another one runs, or the address is taken.
    """
    held = take_place(folder)
    if held is None:
        raise UserError(
            f"another ledger process runs with its state in {folder}; stop its 'modicum up' or 'modicum console' first"
        )
    try:
        await _serve(folder, ledger, prices, host, port, log, export, settings or LiveSettings(Settings()), write_alert)
    finally:
        held.release()


async def _serve(
    folder: Path,
    ledger: str,
    prices: PriceBook,
    host: str,
    port: int,
    log: Callable[[str], None],
    export: Endpoint | None,
    settings: LiveSettings,
    write_alert: Callable[[Alert], None],
) -> None:
    metrics_token = token_of(settings.current.metrics)
    bound = bind_listener("console.listen", host, port)
    bound.listen(BACKLOG)  # before the note is there: who finds it is answered, if a moment later
    (folder / "journal").mkdir(parents=True, exist_ok=True, mode=0o700)
    thread = LedgerThread(ledger, folder / "journal", folder / "events.sqlite", prices, log)
    metrics, watch = ExportMetrics(thread), LedgerWatch(folder, settings, thread)
    thread.observe, thread.sum_days = watch.observe, DaySums(settings).sum_some
    token = secrets.token_urlsafe(32)
    api = Api(thread, token, lambda with_owners: metrics.text() + watch.text(with_owners=with_owners), metrics_token)
    server = DrainingServer(
        uvicorn.Config(
            api,
            http="httptools",
            loop=LOOP_NAME,
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=10,
        )
    )
    alerting, alert_tasks = _alerting(folder, watch, write_alert, log)
    api.raise_test = alerting.raise_test
    beside = [asyncio.create_task(thread.run()), *alert_tasks]
    sender = None
    if export is None:
        stop_exporting(folder / "journal")
    else:
        sender = SpanExport(export, folder / "journal", prices, log, metrics)
        beside.append(asyncio.create_task(sender.run(thread.run_without_ledger)))
    write_note(folder, Running(host=host, port=bound.getsockname()[1], token=token, ledger=ledger, process=os.getpid()))
    try:
        await server.serve(sockets=[bound])
    finally:
        for task in beside:
            task.cancel()
        bound.close()  # uvicorn leaves it open where a signal ends it at once, and who asks would wait for a reply
        remove_note(folder)
        await thread.close()
        if sender is not None:
            sender.close()


def _alerting(
    folder: Path, watch: LedgerWatch, write_alert: Callable[[Alert], None], log: Callable[[str], None]
) -> tuple[Alerting, list[asyncio.Task[None]]]:
    """Starts to look for what people are to be alerted of, and to post it.

    Raises:
        UserError: the settings name a webhook that cannot be used.
    """
    webhook, alerts = webhook_of(watch.settings.current.alerts), AlertLog(folder)
    alerting = Alerting(
        alerts,
        lambda: watch.settings.current.alerts,
        watch.situation,
        write_alert,
        log,
        has_webhook=webhook is not None,
    )
    watch.show(alerting)
    tasks = [asyncio.create_task(alerting.run())]
    if webhook is not None:
        post = AlertPost(webhook, alerts, log, dropped=alerting.count_dropped, failed=alerting.count_failure)
        tasks.append(asyncio.create_task(post.run()))
    return alerting, tasks


def run(
    folder: Path,
    ledger: str,
    prices: PriceBook,
    host: str,
    port: int,
    log: Callable[[str], None],
    export: Endpoint | None = None,
    settings: LiveSettings | None = None,
    write_alert: Callable[[Alert], None] = lambda _alert: None,
) -> None:
    run_loop(serve(folder, ledger, prices, host, port, log, export, settings, write_alert))
