"""The note that a ledger process leaves, so that commands on this machine find it. Only its user can read it.

The note counts while its writer holds the lock beside it, and no longer: a crash leaves the note behind.
"""

import os
import time
from pathlib import Path

import msgspec

from modicum.ledger.file_lock import LOOK_EVERY_S, FileLock, is_held

STARTS_WITHIN_S = 10.0
"""How long a ledger process that starts or ends is waited for."""


class Running(msgspec.Struct, frozen=True):
    host: str
    port: int
    token: str
    """Proves to the process that the asker may read this file."""
    ledger: str
    process: int


def note_path(folder: Path) -> Path:
    return folder / "console.json"


def lock_path(folder: Path) -> Path:
    return folder / "console.lock"


def take_place(folder: Path) -> FileLock | None:
    """The place of the one ledger process, to be released at its end; None: another process has it.

    What a former one left is taken away.
    """
    held = FileLock(lock_path(folder))
    if not held.acquire(STARTS_WITHIN_S):
        held.release()
        return None
    remove_note(folder)
    return held


def write_note(folder: Path, running: Running) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = note_path(folder).with_suffix(".new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(msgspec.json.encode(running))
    fresh.replace(note_path(folder))


def remove_note(folder: Path) -> None:
    note_path(folder).unlink(missing_ok=True)


def find(folder: Path, within_s: float = STARTS_WITHIN_S) -> Running | None:
    """The ledger process of this user, if one lives. One that is just starting is waited for until it answers, and
    one that is ending until it has given the ledger back.
    """
    until = time.monotonic() + within_s
    while is_held(lock_path(folder)):
        if (running := _read(folder)) is not None or time.monotonic() >= until:
            return running
        time.sleep(LOOK_EVERY_S)
    return None


def _read(folder: Path) -> Running | None:
    try:
        return msgspec.json.decode(note_path(folder).read_bytes(), type=Running)
    except (OSError, msgspec.DecodeError):
        return None
