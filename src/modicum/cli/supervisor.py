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
READY_WITHIN_S = 60.0
"""How long the processes of an upgrade may take until they serve."""
FAILED_ENDS_WITHIN_S = 10.0
PAGES_END_WITHIN_S = 5.0
WELL_AFTER_S = 60.0
"""A part that ran so long ran well."""
MOST_FAULTS = 8
"""How often in a row a part may end by itself that others do not need; with the waits between, that is a minute."""
FAULT = 2
"""The status with which a part ends that cannot run: a fault of the settings or of the machine."""


class SupervisedProcess:
    """A process that the supervisor starts, watches, and starts again when it has fallen.

    Args:
        name: what messages call it.
        words: the arguments that it is started with.
        inherited: handles that it gets.
        on_exit: is called when it has ended.
        is_ready: whether it serves.
        is_needed: whether all the others end where it cannot run. One that is not needed is then left alone.
    """

    def __init__(
        self,
        name: str,
        words: Sequence[str],
        inherited: Sequence[int] = (),
        on_exit: Callable[[], None] = lambda: None,
        is_ready: Callable[[], bool] = lambda: True,
        *,
        is_needed: bool = True,
    ) -> None:
        self.name, self.is_ready, self.is_needed = name, is_ready, is_needed
        self.process: subprocess.Popen[bytes] | None = None
        self.again_at = 0.0
        self.starts = 0
        self._faults = 0
        self._started_at = 0.0
        self._words, self._inherited, self._on_exit = words, inherited, on_exit

    @property
    def is_hopeless(self) -> bool:
        """Whether it ended again and again, each time soon after it was started."""
        return self._faults >= MOST_FAULTS

    def start(self) -> None:
        self.starts += 1
        self._started_at = time.monotonic()
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
        if time.monotonic() - self._started_at >= WELL_AFTER_S:
            self._faults = 0  # it ran well for a while: this is another story
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


class Upgrade:
    """Replaces workers by new ones while calls go on: the new ones start beside the old ones, and when all of them
    serve, the old ones take no more connections and end when they have served those that they have. Where the new ones
    do not come to serve, the old ones go on as if nothing had happened.

    Args:
        start: makes the workers of a generation, 0 or 1.
        fault: says why there can be no upgrade now; empty: there can.
        report: takes a line on what happens.
    """

    def __init__(
        self,
        start: Callable[[int], Sequence[SupervisedProcess]],
        fault: Callable[[], str] = lambda: "",
        report: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self._start, self._fault, self._report = start, fault, report
        self._generation = 0
        self._fresh: list[SupervisedProcess] = []
        self._fresh_until = 0.0
        self._leaving: list[SupervisedProcess] = []
        self._is_ending = False
        self.has_lost = False
        """Whether a worker that left did not end by itself, so that others book what it had under way."""

    @property
    def others(self) -> list[SupervisedProcess]:
        """The workers that run beside those that serve."""
        return [*self._fresh, *self._leaving]

    def begin(self) -> None:
        """Starts the new workers, unless there is a reason not to."""
        if self.others:
            self._report("an upgrade is under way; it ends before another one can begin")
            return
        if reason := self._fault():
            self._report(f"no upgrade: {reason}")
            return
        self._generation = 1 - self._generation
        self._fresh = list(self._start(self._generation))
        self._fresh_until = time.monotonic() + READY_WITHIN_S
        self.has_lost = False
        self._report("upgrade: new gateway processes start")
        for part in self._fresh:
            part.start()

    def replaced(self, serving: list[SupervisedProcess]) -> list[SupervisedProcess]:
        """The workers that serve from now on, given those that served."""
        self._look_at_leaving()
        if not self._fresh:
            return serving
        ended = [part.name for part in self._fresh if part.poll_exit() is not None]
        if ended or time.monotonic() >= self._fresh_until:
            why = f"the {ended[0]} ended" if ended else f"they do not serve within {READY_WITHIN_S:g} s"
            self._give_up(why)
            return serving
        if not all(part.is_ready() for part in self._fresh):
            return serving
        fresh, self._fresh, self._leaving = self._fresh, [], list(serving)
        for part in serving:
            # One that does not serve at the moment knows no other signal yet.
            part.send_signal(signal.SIGUSR2 if part.is_ready() else signal.SIGTERM)
        self._report("upgrade: the new gateway processes serve, and the old ones end with their calls")
        return fresh

    def has_ended(self) -> bool:
        """Whether the last old worker has just gone."""
        if self._is_ending and not self._leaving:
            self._is_ending = False
            self._report("upgrade: done; the ledger process is started again")
            return True
        self._is_ending = bool(self._leaving)
        return False

    def _look_at_leaving(self) -> None:
        for part in list(self._leaving):
            if part.process is None:  # it had fallen before it could leave
                self._leaving.remove(part)
                self.has_lost = True
            elif (status := part.poll_exit()) is not None:
                self._leaving.remove(part)
                self.has_lost |= status != 0

    def _give_up(self, why: str) -> None:
        for part in self._fresh:
            part.send_signal(signal.SIGTERM)
        for part in self._fresh:
            part.stop(FAILED_ENDS_WITHIN_S)
            part.poll_exit()
        self._fresh = []
        self._generation = 1 - self._generation
        self._report(f"the upgrade failed ({why}): the gateway goes on as it was")


class Supervisor:
    """Starts the processes of `modicum up`, starts again what falls, and ends them in order.

    Args:
        ledger: the process that owns the ledger; it ends last.
        workers: the gateway's processes.
        bound: the socket that the workers listen on.
        drain_s: how long calls under way may go on after a signal to end.
        ending: is called when the end begins.
        upgrade: how workers are replaced while calls go on; None: they are not.
        pages: the console; None: there is none.
    """

    def __init__(
        self,
        ledger: SupervisedProcess,
        workers: Sequence[SupervisedProcess],
        bound: socket.socket,
        *,
        drain_s: float,
        ending: Callable[[], None] = lambda: None,
        upgrade: Upgrade | None = None,
        pages: SupervisedProcess | None = None,
    ) -> None:
        self._upgrade, self._pages = upgrade, pages
        self._ledger, self._workers, self._bound = ledger, workers, bound
        self._drain_s, self._ending = drain_s, ending
        # A signal handler may put into it whatever the wait is doing. An Event takes a lock that the wait may hold, in
        # the same thread: neither would ever go on.
        self._wakes: SimpleQueue[int] = SimpleQueue()
        self._stopping = self._hung_up = self._wants_upgrade = False
        self._had_terminal = not _has_no_terminal()

    def run(self) -> int:
        """Until SIGTERM or SIGINT. SIGHUP has the workers look at keys and settings at once, SIGUSR2 replaces them by
        new ones. Returns the status.
        """
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR2):
            signal.signal(number, self._on_signal)
        while not self._stopping:
            for part in [self._ledger, *self._workers, *([self._pages] if self._pages else [])]:
                status = part.poll_exit()
                if status is not None and self._cannot_go_on(part, status):
                    self._stop_parts()
                    return FAULT
                if part is not self._pages and not part.is_needed:
                    continue  # it was just given up
                if part.process is None and time.monotonic() >= part.again_at:
                    part.start()
            with suppress(Empty):
                self._wakes.get(timeout=0.2)
            if self._hung_up:
                self._hung_up = False
                self._on_hang_up()
            if self._upgrade is not None:
                self._go_on_with(self._upgrade)
        self._stop_parts()
        return 0

    def _cannot_go_on(self, part: SupervisedProcess, status: int) -> bool:
        """Says that a part has ended, and gives up one that others do not need and that will not do better; whether
        all have to end with it.
        """
        if status == FAULT and part.starts == 1:
            if part.is_needed:
                return True
            click.echo(f"the {part.name} cannot run; the rest goes on without it", err=True)
            self._pages = None
        elif part.is_hopeless and not part.is_needed:
            click.echo(
                f"the {part.name} ended {MOST_FAULTS} times in a row, at last with status {status}: it is not started "
                "again, and the rest goes on without it; mend what it said above, and restart 'modicum up'",
                err=True,
            )
            self._pages = None
        else:
            with suppress(OSError):  # nobody need listen
                click.echo(f"the {part.name} ended with status {status}; starting it again", err=True)
        return False

    def _go_on_with(self, upgrade: Upgrade) -> None:
        """Begins an upgrade that was asked for, or takes it a step further."""
        if self._wants_upgrade:
            self._wants_upgrade = False
            upgrade.begin()
        self._workers = upgrade.replaced(list(self._workers))
        if upgrade.has_ended():
            self._ledger.send_signal(signal.SIGTERM)  # it is started again, as the new version
            if self._pages is not None:
                self._pages.send_signal(signal.SIGTERM)
            if upgrade.has_lost:
                for part in self._workers:
                    part.send_signal(signal.SIGHUP)

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
        if self._pages is not None:
            self._pages.send_signal(signal.SIGTERM)
        workers = [*self._workers, *(self._upgrade.others if self._upgrade is not None else ())]
        for part in workers:
            part.send_signal(signal.SIGTERM)
        until = time.monotonic() + self._drain_s + WORKER_ENDS_WITHIN_S
        for part in workers:
            part.stop(max(0.0, until - time.monotonic()))
        if self._pages is not None:
            self._pages.stop(PAGES_END_WITHIN_S)
        self._ledger.send_signal(signal.SIGTERM)
        self._ledger.stop(LEDGER_ENDS_WITHIN_S)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a signal handler's shape
        if number == signal.SIGHUP:
            self._hung_up = True
        elif number == signal.SIGUSR2:
            self._wants_upgrade = True
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
