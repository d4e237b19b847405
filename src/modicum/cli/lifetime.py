"""One `modicum up` at a time: the next one starts only when no process of the one before is left.

Two locks in the folder of its state say so. `up.lock` is the supervisor's own. `parts.lock` is handed down to every
part, so it is free only when the last of them has ended, also after the supervisor was killed. And every part has one
end of a pipe whose other end only the supervisor has: when that closes, however it came, the part ends as by SIGTERM.
"""

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from modicum.calls import UserError
from modicum.calls.containment import undo_if_failed
from modicum.ledger.file_lock import FileLock

SURELY_RUNS_AFTER_S = 1.0
"""Before this, a lock that is held may be that of a supervisor that was killed while it started a part, or that is just
about to write that it ends."""
WORKER_ENDS_WITHIN_S = 25.0
"""After the calls under way have had their time: for their records and the journal. Then it is killed."""
LEDGER_ENDS_WITHIN_S = 15.0
CHECK_EVERY_S = 0.5


class _State(msgspec.Struct):
    """What a supervisor leaves in its lock."""

    process: int
    ending: bool = False


class Lifetime:
    """The right to run in a folder, and what parts need to end when it ends. Made by `acquire_lifetime`.

    Args:
        alone: held by the supervisor only.
        parts: held by the supervisor and every part.
    """

    def __init__(self, alone: FileLock, parts: FileLock) -> None:
        self._alone, self._parts = alone, parts
        self._reader, self._writer = os.pipe()

    @property
    def handles(self) -> tuple[int, int]:
        """What a part inherits: the pipe's end to wait at, and the lock."""
        return self._reader, self._parts.fileno()

    def mark_ending(self) -> None:
        """From now on a successor waits, where before it was turned away."""
        self._alone.write(_encode_state(_State(os.getpid(), ending=True)))

    def release(self) -> None:
        for handle in (self._reader, self._writer):
            os.close(handle)
        self._parts.release()
        self._alone.release()


def acquire_lifetime(folder: Path, drain_s: float, report: Callable[[str], None]) -> Lifetime:
    """Takes the locks of the folder, after the end of the `modicum up` before.

    Args:
        folder: of the gateway's state.
        drain_s: how long calls under way may go on after a signal to end.
        report: is called once, with a line that says what is waited for.

    Raises:
        UserError: another one runs there, or does not end in time.
    """
    bound_s = drain_s + WORKER_ENDS_WITHIN_S + LEDGER_ENDS_WITHIN_S
    alone, parts = FileLock(folder / "up.lock"), FileLock(folder / "parts.lock")
    with undo_if_failed(alone.release), undo_if_failed(parts.release):
        if not alone.acquire(SURELY_RUNS_AFTER_S):
            _wait_for_ending(alone, bound_s, report)
        alone.write(_encode_state(_State(os.getpid())))
        _wait_for_parts(parts, bound_s, report)
    return Lifetime(alone, parts)


def _wait_for_ending(alone: FileLock, bound_s: float, report: Callable[[str], None]) -> None:
    folder, state = alone.path.parent, _read_state(alone)
    until = time.monotonic() + bound_s
    if state.ending:
        report(
            f"an earlier 'modicum up' (process {state.process}) is ending, with the calls under way; "
            f"waiting for it, at most {bound_s:g} s"
        )
    while state.ending:
        if alone.acquire(CHECK_EVERY_S):
            return
        if time.monotonic() >= until:
            raise UserError(
                f"an earlier 'modicum up' (process {state.process}) with its state in {folder} has not ended in "
                f"{bound_s:g} s; end it with: kill -9 {state.process}"
            )
        state = _read_state(alone)  # another one may have been faster, and runs
    who = f" (process {state.process})" if state.process else ""
    raise UserError(f"another 'modicum up' runs with its state in {folder}{who}; stop it first")


def _wait_for_parts(parts: FileLock, bound_s: float, report: Callable[[str], None]) -> None:
    if parts.acquire():
        return
    report(
        f"parts of an earlier 'modicum up' that was killed are still ending; waiting for them, at most {bound_s:g} s"
    )
    if not parts.acquire(bound_s):
        raise UserError(
            f"parts of an earlier 'modicum up' with its state in {parts.path.parent} have not ended in {bound_s:g} s; "
            "find them with: ps ax | grep 'modicum up', and end them with: kill -9 PROCESS"
        )


def _encode_state(state: _State) -> str:
    return msgspec.json.encode(state).decode()


def _read_state(alone: FileLock) -> _State:
    try:
        return msgspec.json.decode(alone.read(), type=_State)
    except msgspec.DecodeError:
        return _State(0)  # it has not written yet, or is of an older version


def end_with_supervisor(handles: tuple[int, int], within_s: float) -> None:
    """Has this process, a part, end as by SIGTERM when its supervisor is gone, and at once where it is gone already;
    if it has not ended in that time after it, as by SIGKILL.
    """
    import fcntl

    reader, _ = handles
    for handle in handles:
        fcntl.fcntl(handle, fcntl.F_SETFD, fcntl.FD_CLOEXEC)  # what a part starts holds nobody up

    def wait() -> None:
        while os.read(reader, 1):
            pass
        os.kill(os.getpid(), signal.SIGTERM)
        threading.Event().wait(within_s)
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=wait, name="supervisor", daemon=True).start()
