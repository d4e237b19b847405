"""Calls that were begun and not yet finished, in a file that outlives the process.

A call takes a slot of a memory-mapped file before it is sent and gives it back when its record is durable. Writing a
slot is a copy in memory: no system call, no wait. The pages belong to the kernel, so they survive the end of the
process however it ends; `flush` writes them to the disk, for the end of the machine.
"""

import mmap
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from modicum.calls import Call
from modicum.calls.call import decode_call
from modicum.calls.containment import undo_if_failed

SLOT_BYTES = 1024
_LENGTH_BYTES = 2
MOST_RECORD_BYTES = SLOT_BYTES - _LENGTH_BYTES


class NoFreeSlot(Exception):  # noqa: N818 - a state, as queue.Full
    """As many calls are under way as there are slots."""


class CallsInFlight:
    """The slots of one gateway process.

    Args:
        path: the file; made if need be. What a former process left in it stands in `left`.
    """

    def __init__(self, path: Path, slots: int = 4096) -> None:
        size = slots * SLOT_BYTES
        self._handle = handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        with undo_if_failed(self._close_file):
            present = os.fstat(handle).st_size
            if present < size:
                # Real blocks, not a hole: a full disk must show here and not while a page is written.
                os.pwrite(handle, bytes(size - present), present)
                os.fsync(handle)
            self._map = mmap.mmap(handle, max(size, present))
        self.left = [record for at in range(0, len(self._map), SLOT_BYTES) if (record := self._read(at))]
        """Records of calls that a former process had under way when it ended. `forget` them once they are booked."""
        self._slots = slots
        self._free = list(range(0, size, SLOT_BYTES))

    def begin(self, record: bytes) -> int:
        """Writes a record of at most `MOST_RECORD_BYTES`; returns its slot.

        Raises:
            Full: no slot is free.
            ValueError: the record is too long.
        """
        length = len(record)
        if length > MOST_RECORD_BYTES:
            raise ValueError(f"a record of {length} bytes does not fit into a slot")
        if not self._free:
            raise NoFreeSlot
        at = self._free.pop()
        start = at + _LENGTH_BYTES
        self._map[start : start + length] = record
        # The length makes the record valid, so it comes last.
        self._map[at:start] = length.to_bytes(_LENGTH_BYTES, "little")
        return at

    def rewrite(self, slot: int, record: bytes) -> None:
        """Writes another record into a slot that is taken. Should the process die amid this, the slot is empty.

        Raises:
            ValueError: the record is too long.
        """
        length, start = len(record), slot + _LENGTH_BYTES
        if length > MOST_RECORD_BYTES:
            raise ValueError(f"a record of {length} bytes does not fit into a slot")
        self._map[slot:start] = b"\0\0"
        self._map[start : start + length] = record
        self._map[slot:start] = length.to_bytes(_LENGTH_BYTES, "little")

    def end(self, slot: int) -> None:
        self._map[slot : slot + _LENGTH_BYTES] = b"\0\0"
        self._free.append(slot)

    def forget(self) -> None:
        """Empties the slots that a former process left. Before the first `begin`."""
        for at in range(0, len(self._map), SLOT_BYTES):
            self._map[at : at + _LENGTH_BYTES] = b"\0\0"
        self.left = []

    def __len__(self) -> int:
        """How many calls are under way."""
        return self._slots - len(self._free)

    def flush(self) -> None:
        """Returns when all slots are on the disk. Other threads run meanwhile: `mmap.flush` would hold them up, and the
        event loop with them, for as long as the disk takes. On Linux a sync of the file writes its mapped pages.
        """
        if sys.platform == "linux":
            os.fdatasync(self._handle)
        else:
            self._map.flush()

    def close(self) -> None:
        self._map.close()
        self._close_file()

    def _close_file(self) -> None:
        os.close(self._handle)

    def _read(self, at: int) -> bytes:
        length = int.from_bytes(self._map[at : at + _LENGTH_BYTES], "little")
        if not 0 < length <= MOST_RECORD_BYTES:
            return b""
        return bytes(self._map[at + _LENGTH_BYTES : at + _LENGTH_BYTES + length])


def read_in_flight(path: Path) -> list[bytes]:
    """The records in a file whose process may run, without touching it. One that is being written may be half there."""
    try:
        data = path.read_bytes()
    except OSError:
        return []
    records = []
    for at in range(0, len(data), SLOT_BYTES):
        length = int.from_bytes(data[at : at + _LENGTH_BYTES], "little")
        if 0 < length <= MOST_RECORD_BYTES:
            records.append(data[at + _LENGTH_BYTES : at + _LENGTH_BYTES + length])
    return records


def calls_under_way(journals: Path) -> Iterator[Call]:
    """Calls that gateways have under way, as the files beside their journals say it."""
    for path in sorted(journals.glob("*.underway")):
        for record in read_in_flight(path):
            try:
                yield decode_call(record)
            except (msgspec.DecodeError, ValueError):
                continue  # it is being written
