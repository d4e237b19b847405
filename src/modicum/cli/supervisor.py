"""Starts the parts of `modicum up`, restarts those that end, and stops them in order: the gateway first."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from types import FrameType

import click

from modicum.cli.lifetime import LEDGER_ENDS_WITHIN_S, WORKER_ENDS_WITHIN_S

AGAIN_AFTER_S = 0.5
LONGEST_WAIT_S = 30.0
FAULT = 2
"""The status with which a part ends that cannot run: a fault of the settings or of the machine."""


class SupervisedProcess:
    """A process that the supervisor starts, watches, and starts again when it has fallen.

    Args:
        name: what messages call it.
        words: the arguments that it is started with.
        inherited: handles that it gets.
        on_exit: is called when it has ended.
    """

    def __init__(
        self,
        name: str,
        words: Sequence[str],
        inherited: Sequence[int] = (),
        on_exit: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self.process: subprocess.Popen[bytes] | None = None
        self.again_at = 0.0
        self.starts = 0
        self._faults = 0
        self._words, self._inherited, self._on_exit = words, inherited, on_exit

    def start(self) -> None:
        self.starts += 1
        self.process = subprocess.Popen(  # noqa: S603 - our own command
            [sys.executable, "-m", "modicum", "up", *self._words],
            pass_fds=self._inherited,
            # Its own session: Ctrl-C reaches the supervisor alone, which then ends the parts in order.
            start_new_session=True,
        )

    def poll_exit(self) -> int | None:
        """The status with which it ended, once; None: it runs, or waits to be started again."""
        if self.process is None or (status := self.process.poll()) is None:
            return None
        self.process = None
        self._on_exit()
        # What was killed may start at once; what ends by itself would only do so again.
        self._faults = self._faults + 1 if status >= 0 else 0
        self.again_at = time.monotonic() + min(AGAIN_AFTER_S * 2**self._faults, LONGEST_WAIT_S)
        return status

    def send_signal(self, number: int) -> None:
        """Sends a signal, if the process runs."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def stop(self, within_s: float) -> None:
        """Waits until it has ended; kills it after `within_s`."""
        if self.process is None:
            return
        try:
            self.process.wait(within_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Supervisor:
    """Starts the processes of `modicum up`, starts again what falls, and ends them in order.

    Args:
        ledger: the process that owns the ledger; it ends last.
        workers: the gateway's processes.
        bound: the socket that the workers listen on.
        drain_s: how long calls under way may go on after a signal to end.
        ending: is called when the end begins.
    """

    def __init__(
        self,
        ledger: SupervisedProcess,
        workers: Sequence[SupervisedProcess],
        bound: socket.socket,
        *,
        drain_s: float,
        ending: Callable[[], None] = lambda: None,
    ) -> None:
        self._ledger, self._workers, self._bound = ledger, workers, bound
        self._drain_s, self._ending = drain_s, ending
        # A signal handler may put into it whatever the wait is doing. An Event takes a lock that the wait may hold, in
        # the same thread: neither would ever go on.
        self._wakes: SimpleQueue[int] = SimpleQueue()
        self._stopping = self._hung_up = False
        self._had_terminal = not _has_no_terminal()

    def run(self) -> int:
        """Until SIGTERM or SIGINT. SIGHUP has the workers look at keys and settings at once. Returns the status."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._on_signal)
        parts = [self._ledger, *self._workers]
        while not self._stopping:
            for part in parts:
                status = part.poll_exit()
                if status is not None:
                    if status == FAULT and part.starts == 1:
                        self._stop_parts()
                        return FAULT
                    with suppress(OSError):  # nobody need listen
                        click.echo(f"the {part.name} ended with status {status}; starting it again", err=True)
                if part.process is None and time.monotonic() >= part.again_at:
                    part.start()
            with suppress(Empty):
                self._wakes.get(timeout=0.2)
            if self._hung_up:
                self._hung_up = False
                self._on_hang_up()
        self._stop_parts()
        return 0

    def _on_hang_up(self) -> None:
        """A terminal that went away ends us, as it ends other programs; else the settings are read again."""
        if self._had_terminal and _has_no_terminal():
            self._stopping = True
        else:
            for part in self._workers:
                part.send_signal(signal.SIGHUP)

    def _stop_parts(self) -> None:
        self._ending()
        self._bound.close()  # who comes now is turned away; the workers close theirs
        for part in self._workers:
            part.send_signal(signal.SIGTERM)
        until = time.monotonic() + self._drain_s + WORKER_ENDS_WITHIN_S
        for part in self._workers:
            part.stop(max(0.0, until - time.monotonic()))
        self._ledger.send_signal(signal.SIGTERM)
        self._ledger.stop(LEDGER_ENDS_WITHIN_S)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a signal handler's shape
        if number == signal.SIGHUP:
            self._hung_up = True
        else:
            self._stopping = True
        self._wakes.put(number)


def _has_no_terminal() -> bool:
    """Whether there is no terminal that we belong to."""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return True
    return False
