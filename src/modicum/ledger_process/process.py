"""The ledger process: holds the ledger, ships journals, answers; ends on SIGTERM with everything shipped."""

import asyncio
import os
import secrets
from collections.abc import Callable
from pathlib import Path

import uvicorn
import uvloop

from modicum.calls import UserError
from modicum.ledger_process.api import Api
from modicum.ledger_process.exporting import SpanExport, stop_exporting
from modicum.ledger_process.ledger_thread import LedgerThread
from modicum.ledger_process.metrics import ExportMetrics
from modicum.ledger_process.otel_endpoint import Endpoint
from modicum.ledger_process.running import Running, remove_note, take_place, write_note
from modicum.ledger_process.watching.live_settings import LiveSettings
from modicum.ledger_process.watching.watch import LedgerWatch
from modicum.metering.prices import PriceBook
from modicum.outbound.listener import bind_listener
from modicum.outbound.server import DrainingServer
from modicum.settings import Settings
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
) -> None:
    """Until SIGTERM or SIGINT. `folder` is where journals are, and where the note for commands is left; `export` is
    where spans of finished calls go.

    Raises:
        UserError: another one runs, or the address is taken.
    """
    held = take_place(folder)
    if held is None:
        raise UserError(f"another ledger process runs with its state in {folder}; stop its 'modicum up' first")
    try:
        await _serve(folder, ledger, prices, host, port, log, export, settings or LiveSettings(Settings()))
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
) -> None:
    metrics_token = token_of(settings.current.metrics)
    bound = bind_listener("console.listen", host, port)
    bound.listen(BACKLOG)  # before the note is there: who finds it is answered, if a moment later
    (folder / "journal").mkdir(parents=True, exist_ok=True, mode=0o700)
    thread = LedgerThread(ledger, folder / "journal", folder / "events.sqlite", prices, log)
    metrics, watch = ExportMetrics(thread), LedgerWatch(folder, settings, thread, log)
    thread.observe = watch.observe
    token = secrets.token_urlsafe(32)
    server = DrainingServer(
        uvicorn.Config(
            Api(thread, token, lambda with_owners: metrics.text() + watch.text(with_owners=with_owners), metrics_token),
            http="httptools",
            loop="uvloop",
            ws="none",
            lifespan="off",
            access_log=False,
            log_config=None,
            server_header=False,
            timeout_graceful_shutdown=10,
        )
    )
    shipping = asyncio.create_task(thread.run())
    if export is None:
        stop_exporting(folder / "journal")
        exporting = None
    else:
        sender = SpanExport(export, folder / "journal", prices, log, metrics)
        exporting = asyncio.create_task(sender.run(thread.run_without_ledger))
    write_note(folder, Running(host=host, port=port, token=token, ledger=ledger, process=os.getpid()))
    try:
        await server.serve(sockets=[bound])
    finally:
        shipping.cancel()
        if exporting is not None:
            exporting.cancel()
        remove_note(folder)
        await thread.close()


def run(
    folder: Path,
    ledger: str,
    prices: PriceBook,
    host: str,
    port: int,
    log: Callable[[str], None],
    export: Endpoint | None = None,
    settings: LiveSettings | None = None,
) -> None:
    uvloop.run(serve(folder, ledger, prices, host, port, log, export, settings))
