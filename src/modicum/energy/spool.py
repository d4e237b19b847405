"""Closed windows on disk until a ledger has them, so that a killed watch loses no more than the window under way.

One file per watch, held by a lock while the watch lives. What a dead watch left is booked by the next one; booking
twice changes nothing, because a window has its identity.
"""

import fcntl
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

import msgspec

from modicum.calls.energy_window import EnergyWindow
from modicum.calls.errors import UserError


class Spool:
    """Keeps closed windows in a file until the ledger has them.

    Args:
    folder: is made if need be.

    Raises:
        UserError: nothing can be written there.
    """

    def __init__(self, folder: Path) -> None:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self.path, self._file = _create_file(folder)
        except OSError as error:
            raise UserError(
                f"{folder}: windows cannot be kept there ({error.strerror}); make it writable, or set XDG_DATA_HOME"
            ) from None

    def add(self, windows: Sequence[EnergyWindow]) -> None:
        """Durable when it returns."""
        if not windows:
            return
        self._file.write(b"".join(msgspec.json.encode(window) + b"\n" for window in windows))
        self._file.flush()
        os.fsync(self._file.fileno())

    def booked(self) -> None:
        """All that was added is in the ledger."""
        self._file.seek(0)
        self._file.truncate()

    def close(self) -> None:
        """Goes away, unless something is left to book."""
        if self._file.tell() == 0:
            self.path.unlink(missing_ok=True)
        self._file.close()


def _create_file(folder: Path) -> tuple[Path, IO[bytes]]:
    """A file that is locked, and still there: another watch may take it for left behind before we have the lock."""
    while True:
        path = folder / f"{time.time_ns():x}-{os.getpid()}.jsonl"
        file = path.open("xb")
        fcntl.flock(file, fcntl.LOCK_EX)
        if os.fstat(file.fileno()).st_nlink:
            return path, file
        file.close()


def list_left_behind(folder: Path) -> Iterator[tuple[Path, list[EnergyWindow]]]:
    """Files of watches that are no more, with their windows; a line that was cut off is dropped. The caller books the
    windows and removes the file.
    """
    decoder = msgspec.json.Decoder(EnergyWindow)
    for path in sorted(folder.glob("*.jsonl")):
        with path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue  # its watch lives
            windows = []
            for line in file.read().splitlines():
                try:
                    windows.append(decoder.decode(line))
                except msgspec.DecodeError:
                    break
            yield path, windows  # in the lock: nobody else may make it his own until the caller is done with it
