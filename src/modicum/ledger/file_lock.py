"""A lock that ends with the processes that hold it, however they end.

The file stays behind and says nothing by being there: only an open handle holds the lock, and the system closes
handles. A number of a process in a file cannot do that: after a crash in a container the same small numbers are given
out again, and the file seems to speak of a process that lives.
"""

import os
import time
from pathlib import Path

from modicum.calls import UserError
from modicum.calls.outside.fault_hints import hint_of_data_fault

LOOK_EVERY_S = 0.05


class FileLock:
    """A file that one holder at a time may lock. Opening it takes nothing yet.

    A process that inherits the handle holds the lock, too: it is free when the last of them has ended.

    Args:
        path: the file; made if need be, with its folder.

    Raises:
        UserError: the file cannot be made.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise UserError(f"the lock {path} cannot be made: {error.strerror}; {hint_of_data_fault(error)}") from None

    def acquire(self, within_s: float = 0.0) -> bool:
        """Whether it is held now.

        Raises:
            UserError: the file system has no locks.
        """
        until = time.monotonic() + within_s
        while not try_lock(self._handle, self.path, shared=False):
            if time.monotonic() >= until:
                return False
            time.sleep(LOOK_EVERY_S)
        return True

    def fileno(self) -> int:
        return self._handle

    def write(self, text: str) -> None:
        """Leaves a line for those who find the lock held."""
        os.pwrite(self._handle, text.encode().ljust(os.fstat(self._handle).st_size), 0)

    def read(self) -> str:
        """What its holder wrote, or the one before."""
        return os.pread(self._handle, 1000, 0).decode("utf-8", "replace").strip()

    def release(self) -> None:
        os.close(self._handle)


def is_held(path: Path) -> bool:
    """Whether a process that lives holds the lock.

    To find out takes the lock for an instant, together with others who look: `acquire` with some time is not misled.
    """
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return False
    try:
        return not try_lock(handle, path, shared=True)
    finally:
        os.close(handle)


def try_lock(handle: int, path: Path, *, shared: bool) -> bool:
    """Locks an open file until it is closed; False: another process has it.

    Raises:
        UserError: the file system has no locks.
    """
    import fcntl  # here: verbs that only look run on systems without it, too

    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise UserError(
            f"{path} cannot be locked ({error.strerror}); put the data folder on a file system with locks, as a local "
            "disk has them (XDG_DATA_HOME says where it is)"
        ) from None
    return True
