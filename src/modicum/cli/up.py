"""`modicum up`: runs the gateway and the ledger process, and restarts them when they end."""

import os
import shutil
import signal
import socket
import sys
from functools import partial
from typing import TYPE_CHECKING

import click

from modicum.calls import UserError
from modicum.calls.words.counted_nouns import number_of
from modicum.library import resources
from modicum.outbound.listener import bind_listener
from modicum.settings import (
    MOST_WORKERS,
    Settings,
    host_and_port,
    ledger_place,
    read_settings,
    state_folder,
    webhook_of,
)
from modicum.settings.console import pages_address

if TYPE_CHECKING:
    from modicum.cli.lifetime import Lifetime

PARTS = ("ledger", "gateway", "console")
BACKLOG = 2048
METRICS = "PROMETHEUS_MULTIPROC_DIR"


@click.command()
@click.option(
    "--workers",
    type=click.IntRange(1, MOST_WORKERS),
    help="Gateway processes that share the port. Default: gateway.workers of the settings, which is 1.",
)
@click.option("--part", type=click.Choice(PARTS), hidden=True, help="Run one part in this process.")
@click.option("--worker", type=int, default=0, hidden=True, help="Which of the gateway's processes.")
@click.option("--generation", type=int, default=0, hidden=True, help="Which of the two that an upgrade has.")
@click.option("--socket", "handle", type=int, hidden=True, help="The socket that it inherits.")
@click.option("--lifetime", nargs=2, type=int, hidden=True, help="What it inherits to end with its supervisor.")
def command(
    part: str | None,
    workers: int | None,
    worker: int,
    generation: int,
    handle: int | None,
    lifetime: tuple[int, int] | None,
) -> None:
    """Run the gateway. It meters and records every call that goes through it.

    Change one base URL in your programs, so that they call the gateway. Ctrl-C or SIGTERM stops it after the calls in
    progress. SIGHUP makes it read keys and settings at once. SIGUSR2 replaces its processes by new ones, of a version
    that you have installed meanwhile, while calls go on (docs/gateway.md).

    \b
    Examples:
      modicum up
      modicum up --workers 4
      OPENAI_BASE_URL=http://127.0.0.1:4000/v1 python my_agent.py
      ANTHROPIC_BASE_URL=http://127.0.0.1:4000 claude
    """
    from modicum.cli import lifetime as lives

    settings = read_settings()
    count = workers or settings.gateway.workers
    if part is None:
        sys.exit(_run_supervisor(settings, count))
    if lifetime is not None:
        of_gateway = settings.gateway.drain_s + lives.WORKER_ENDS_WITHIN_S
        lives.end_with_supervisor(lifetime, of_gateway if part == "gateway" else lives.LEDGER_ENDS_WITHIN_S)
    if part == "ledger":
        _forget_shared_metrics()  # they are the workers'
    if part == "gateway":
        _run_gateway(settings, worker, count, generation, handle)
    elif part == "console":
        _run_console(settings)
    else:
        _run_ledger(settings)


def _run_supervisor(settings: Settings, count: int) -> int:
    from modicum.cli.lifetime import acquire_lifetime
    from modicum.gateway.process.open_files import raise_limit

    # As the first process of a container we would not be ended by signals that we have no handler for.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    signal.signal(signal.SIGUSR2, signal.SIG_IGN)  # until there is something to upgrade
    _check_settings(settings, count)
    if settings.file:  # parts that are started again insist on it: were it gone, other settings would be taken for it
        os.environ["MODICUM_CONFIG"] = settings.file
    raise_limit()  # the parts inherit it
    lifetime = acquire_lifetime(state_folder(), settings.gateway.drain_s, lambda line: click.echo(line, err=True))
    try:
        return _start_parts(settings, count, lifetime)
    finally:
        lifetime.release()


def _start_parts(settings: Settings, count: int, lifetime: "Lifetime") -> int:
    from modicum.cli.supervisor import SupervisedProcess, Supervisor, Upgrade
    from modicum.gateway.process.workers import BOARD, SERVES, Worker, forget, read_state

    bound = bind_listener("gateway.listen", *host_and_port("gateway.listen", settings.gateway.listen))
    bound.listen(BACKLOG)  # at once: who calls while the workers start waits, and a second gateway is turned away
    _reset_metrics(count)
    lives = ["--lifetime", *map(str, lifetime.handles)]
    shared = ["--workers", f"{count}", "--socket", f"{bound.fileno()}", *lives]
    board = state_folder() / BOARD

    def workers(generation: int) -> list[SupervisedProcess]:
        slots = Worker(0, count, generation).siblings
        return [
            SupervisedProcess(
                "gateway" if count == 1 else f"gateway (worker {index + 1})",
                [*shared, "--worker", f"{index}", "--generation", f"{generation}", "--part", "gateway"],
                inherited=[bound.fileno(), *lifetime.handles],
                on_exit=partial(forget, board, slot),
                is_ready=lambda slot=slot: read_state(board, slot) in SERVES,  # type: ignore[misc]
            )
            for index, slot in enumerate(slots)
        ]

    upgrade = Upgrade(workers, partial(_upgrade_fault, count), lambda line: click.echo(line, err=True))
    gateway = workers(0)
    ledger = SupervisedProcess("ledger", [*lives, "--part", "ledger"], inherited=lifetime.handles)
    pages = None
    if settings.console.pages_listen:
        words = [*lives, "--part", "console"]
        pages = SupervisedProcess("console", words, inherited=lifetime.handles, is_needed=False)
    click.echo(welcome_text(settings, count), err=True)
    return Supervisor(
        ledger,
        gateway,
        bound,
        drain_s=settings.gateway.drain_s,
        ending=lifetime.mark_ending,
        upgrade=upgrade,
        pages=pages,
    ).run()


def _upgrade_fault(count: int) -> str:
    """Why the processes that run cannot be replaced by new ones with the settings as they are now."""
    try:
        settings = read_settings()
        _check_settings(settings, count)
    except UserError as error:
        return str(error)
    if (settings.budget or settings.limit) and not settings.state.redis:
        return (
            "budgets and limits are counted in the memory of the process that would be replaced, and two would each "
            'count for themselves: have them share a Redis or Valkey (redis = "redis://host:6379/0" under [state], '
            "docs/budgets.md), or stop and start 'modicum up'"
        )
    return ""


def _reset_metrics(count: int) -> None:
    """Where several workers keep their figures, emptied: they count from this start on. Nobody runs yet."""
    from modicum.gateway.process.server import shared_metrics
    from modicum.gateway.process.workers import BOARD
    from modicum.ledger.worker_reports import FOLDER as REPORTS

    folder = shared_metrics(state_folder())
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(state_folder() / REPORTS, ignore_errors=True)
    (state_folder() / BOARD).unlink(missing_ok=True)
    _forget_shared_metrics()
    if count > 1:
        folder.mkdir(parents=True, mode=0o700)
        os.environ[METRICS] = str(folder)


def _forget_shared_metrics() -> None:
    """The library looks for the folder wherever it is loaded."""
    for name in (METRICS, METRICS.lower()):
        os.environ.pop(name, None)


def welcome_text(settings: Settings, count: int = 1) -> str:
    """What to set so that programs use the gateway, and where spans go."""
    from modicum.ledger_process.otel_endpoint import endpoint_of

    host, port = host_and_port("gateway.listen", settings.gateway.listen)
    endpoint = endpoint_of(settings.otel)
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - only compared
        host = settings.gateway.hosts[0] if settings.gateway.hosts else "127.0.0.1"
    scheme = "https" if settings.gateway.tls_certificate_file else "http"
    base = f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"
    workers = f" ({number_of(count, 'worker')})" if count > 1 else ""
    return (
        f"gateway on {base}{workers}, ledger {ledger_place(settings)}\n"
        f"  OPENAI_BASE_URL={base}/v1\n"
        f"  ANTHROPIC_BASE_URL={base}\n"
        f"  GOOGLE_GEMINI_BASE_URL={base}\n"
        "as key: your provider's own, or one of 'modicum key create NAME'"
        + _pages_line(settings)
        + (f"\nspans go to {endpoint.shown}" if endpoint is not None else "")
    )


def _pages_line(settings: Settings) -> str:
    pages = settings.console.pages_listen
    return f"\nconsole on http://{pages}/" if pages else ""


def _check_settings(settings: Settings, count: int) -> None:
    """Finds faults of the settings here, once; parts that are restarted would report them again and again."""
    from modicum.gateway.budgets.counting import check_budget_workers
    from modicum.gateway.policies.taking_over import policy_warnings
    from modicum.gateway.process.from_settings import upstreams_of
    from modicum.gateway.process.tls import listener_of
    from modicum.ledger_process.otel_endpoint import endpoint_of
    from modicum.settings.metrics import token_of

    upstreams = upstreams_of(settings)
    for warning in policy_warnings(settings, upstreams):
        click.echo(f"modicum: {warning}", err=True)
    check_budget_workers(settings, count)
    listener_of(settings)
    endpoint_of(settings.otel)
    token_of(settings.metrics)
    webhook_of(settings.alerts)
    host_and_port("console.listen", settings.console.listen)
    if settings.console.pages_listen:
        pages_address(settings.console.pages_listen)


def _run_gateway(settings: Settings, index: int, count: int, generation: int, handle: int | None) -> None:
    from modicum.gateway.process.server import run
    from modicum.gateway.process.workers import Worker

    bound = socket.socket(fileno=handle) if handle is not None else None
    run(
        settings,
        state_folder(),
        resources.read_digest_key(),
        read_settings,
        worker=Worker(index, count, generation),
        bound=bound,
        prices=partial(resources.load_prices, None, settings),
        open_ledger=partial(resources.ask_ledger, settings),
    )


def _run_console(settings: Settings) -> None:
    from modicum.cli.console.sources import sources_of
    from modicum.console.server import bind_pages, run

    host, port = pages_address(settings.console.pages_listen)
    sources = sources_of(ledger_place(settings), state_folder(), settings, read_settings)
    run(sources, bind_pages("console.pages_listen", host, port), host)


def _run_ledger(settings: Settings) -> None:
    from modicum.gateway.process.log import log
    from modicum.ledger_process.otel_endpoint import endpoint_of
    from modicum.ledger_process.process import run
    from modicum.ledger_process.watching.alerting import alert_line
    from modicum.ledger_process.watching.live_settings import LiveSettings

    host, port = host_and_port("console.listen", settings.console.listen)
    prices = resources.load_prices(None, settings)
    export = endpoint_of(settings.otel)
    run(
        state_folder(),
        ledger_place(settings),
        prices,
        host,
        port,
        lambda line: log("ledger", line=line),
        export,
        LiveSettings(settings, read_settings),
        lambda alert: log("alert", **alert_line(alert)),
    )
