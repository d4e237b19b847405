"""The gateway's processes among each other: who of them runs, and how each one is.

They share a listening socket, which the process that starts them holds: connections wait in its queue while a worker
is started again, and every worker takes from it. What one must know of the others stands in a small mapped file.
"""

import mmap
import os
import struct
from contextlib import suppress
from enum import IntEnum
from pathlib import Path

import msgspec

from modicum.calls import UserError
from modicum.settings import MOST_WORKERS

_SLOT = struct.Struct("<IB3x")
_CONNECTIONS = struct.Struct("<I")
_SLOT_BYTES = _SLOT.size + _CONNECTIONS.size
GENERATIONS = 2
BOARD_BYTES = GENERATIONS * MOST_WORKERS * _SLOT_BYTES


class Worker(msgspec.Struct, frozen=True):
    """Which of the gateway's processes this is."""

    index: int = 0
    count: int = 1
    generation: int = 0
    """0 or 1: an upgrade has new processes of the other generation run beside those that leave."""

    @property
    def slot(self) -> int:
        """Its place among all that may run at once."""
        return self.generation * MOST_WORKERS + self.index

    @property
    def siblings(self) -> range:
        """The places of all workers of its generation."""
        return range(self.generation * MOST_WORKERS, self.generation * MOST_WORKERS + self.count)

    @property
    def journal(self) -> str:
        """The name of its journal. The first one's does not depend on how many there are."""
        return journal_name(self.slot)


ALONE = Worker()
BOARD = "workers"
"""The file of the board, in the folder of the gateway's state."""


def journal_name(index: int) -> str:
    return "gateway" if index == 0 else f"gateway-{index + 1}"


class State(IntEnum):
    ABSENT = 0
    """It is not running, or has not started to listen."""
    READY = 1
    NOT_RECORDING = 2
    """Its journal cannot be written."""
    DRAINING = 3
    TROUBLED = 4
    """It serves, and what it needs for the next start or for news of keys and settings has gone."""


SERVES = frozenset({State.READY, State.NOT_RECORDING, State.TROUBLED})
"""How a worker is that listens."""


class Board:
    """How each worker is, in a file that all of them map.

    Args:
        path: the file; made if need be.

    Raises:
        UserError: it cannot be.
    """

    def __init__(self, path: Path, worker: Worker) -> None:
        self._index, self._siblings = worker.slot, worker.siblings
        try:
            self._map = _mapped(path, BOARD_BYTES)
        except OSError as error:
            raise UserError(f"{path} cannot be made or read: {error.strerror}; 'modicum doctor' looks at it") from None

    def tell(self, state: State) -> None:
        _SLOT.pack_into(self._map, self._index * _SLOT_BYTES, os.getpid(), state)

    def others(self) -> list[State]:
        """How each other worker is; one that has died is absent, whatever it said last."""
        return [self._state(index) for index in self._siblings if index != self._index]

    def tell_connections(self, count: int) -> None:
        """How many callers are connected here."""
        _CONNECTIONS.pack_into(self._map, self._index * _SLOT_BYTES + _SLOT.size, count)

    def others_have_fewer(self, count: int) -> bool:
        """Whether a worker that is ready said that it has fewer connections."""
        for index in self._siblings:
            (theirs,) = _CONNECTIONS.unpack_from(self._map, index * _SLOT_BYTES + _SLOT.size)
            if theirs < count and index != self._index and self._state(index) is State.READY:
                return True
        return False

    def _state(self, index: int) -> State:
        return _state_at(self._map, index)

    def close(self) -> None:
        self.tell(State.ABSENT)
        self._map.close()


def read_state(path: Path, slot: int) -> State:
    """How a worker is, for a process that is none."""
    try:
        return _state_at(path.read_bytes(), slot)
    except (OSError, struct.error):
        return State.ABSENT


def _state_at(board: "bytes | mmap.mmap", slot: int) -> State:
    process, state = _SLOT.unpack_from(board, slot * _SLOT_BYTES)
    return State(state) if process and _lives(process) else State.ABSENT


def _mapped(path: Path, size: int) -> mmap.mmap:
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if (present := os.fstat(handle).st_size) < size:
            os.pwrite(handle, bytes(size - present), present)  # no hole: a full disk shows here, not in a signal
        return mmap.mmap(handle, size)
    finally:
        os.close(handle)


def forget(path: Path, index: int) -> None:
    """Marks a worker as absent, for the others: its number may soon be that of another process."""
    with suppress(OSError), path.open("r+b") as board:
        board.seek(index * _SLOT_BYTES)
        board.write(bytes(_SLOT_BYTES))


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except OSError:
        return False
    return True
