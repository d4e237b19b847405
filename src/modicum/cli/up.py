"""`modicum up`: the gateway and the ledger process, watched over."""

import signal
import subprocess
import sys
import threading
import time
from typing import Any

import click

from modicum.cli import opening
from modicum.settings import Settings, host_and_port, ledger_place, read_settings, state_folder

PARTS = ("ledger", "gateway")
AGAIN_AFTER_S = 1.0
LEDGER_ENDS_WITHIN_S = 15.0


@click.command()
@click.option("--part", type=click.Choice(PARTS), hidden=True, help="Run one part in this process.")
def command(part: str | None) -> None:
    """Run the gateway: every call that goes through it is metered and recorded.

    Point your programs at it by changing one base URL; Ctrl-C or SIGTERM ends it after the calls under way.

    \b
    Examples:
      modicum up
      OPENAI_BASE_URL=http://127.0.0.1:4000/v1 python my_agent.py
      ANTHROPIC_BASE_URL=http://127.0.0.1:4000 claude
    """
    settings = read_settings()
    if part == "gateway":
        _gateway(settings)
    elif part == "ledger":
        _ledger(settings)
    else:
        _check(settings)
        click.echo(hello(settings), err=True)
        sys.exit(Watch().run())


def hello(settings: Settings) -> str:
    """What to set so that programs use the gateway, and where spans go."""
    from modicum.console.otel_endpoint import endpoint_of

    host, port = host_and_port("gateway.listen", settings.gateway.listen)
    endpoint = endpoint_of(settings.otel)
    base = f"http://{'127.0.0.1' if host in {'0.0.0.0', '::'} else host}:{port}"  # noqa: S104 - only compared
    return (
        f"gateway on {base}, ledger {ledger_place(settings)}\n"
        f"  OPENAI_BASE_URL={base}/v1\n"
        f"  ANTHROPIC_BASE_URL={base}\n"
        f"  GOOGLE_GEMINI_BASE_URL={base}\n"
        "as key: your provider's own, or one of 'modicum key create NAME'"
        + (f"\nspans go to {endpoint.shown}" if endpoint is not None else "")
    )


def _check(settings: Settings) -> None:
    """Faults of the settings are told here, once, and not by parts that are started again and again."""
    from modicum.console.otel_endpoint import endpoint_of
    from modicum.gateway.server import upstreams_of

    upstreams_of(settings)
    endpoint_of(settings.otel)
    host_and_port("console.listen", settings.console.listen)


def _gateway(settings: Settings) -> None:
    from modicum.gateway.server import run

    run(settings, state_folder(), opening.digest_key(), read_settings)


def _ledger(settings: Settings) -> None:
    from modicum.console.otel_endpoint import endpoint_of
    from modicum.console.process import run
    from modicum.gateway.log import log

    host, port = host_and_port("console.listen", settings.console.listen)
    prices = opening.price_book(None, settings)
    export = endpoint_of(settings.otel)
    run(state_folder(), ledger_place(settings), prices, host, port, lambda line: log("ledger", told=line), export)


class Watch:
    """Starts the parts, starts again what falls, and ends them in order: first the gateway, then the ledger."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._parts: dict[str, subprocess.Popen[bytes]] = {}

    def run(self) -> int:
        for sign in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sign, self._told_to_stop)
        for part in PARTS:
            self._start(part)
        while not self._stop.wait(0.2):
            for part, process in list(self._parts.items()):
                if process.poll() is None:
                    continue
                if process.returncode == 2:  # a fault of the settings or the machine: again would be the same
                    self._end()
                    return 2
                click.echo(f"the {part} ended with status {process.returncode}; starting it again", err=True)
                time.sleep(AGAIN_AFTER_S)
                self._start(part)
        self._end()
        return 0

    def _start(self, part: str) -> None:
        words = [sys.executable, "-m", "modicum", "up", "--part", part]
        # Its own session: Ctrl-C reaches this process alone, which then ends the parts in order.
        self._parts[part] = subprocess.Popen(words, start_new_session=True)  # noqa: S603 - our own command

    def _end(self) -> None:
        for part in reversed(PARTS):
            process = self._parts.get(part)
            if process is None or process.poll() is not None:
                continue
            process.terminate()
            try:
                process.wait(None if part == "gateway" else LEDGER_ENDS_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()

    def _told_to_stop(self, number: int, frame: Any) -> None:  # noqa: ARG002 - a signal handler's shape
        self._stop.set()
