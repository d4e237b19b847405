"""The note that a ledger process leaves, so that commands on this machine find it. Only its user can read it."""

import os
from pathlib import Path

import msgspec


class Running(msgspec.Struct, frozen=True):
    host: str
    port: int
    token: str
    """Proves to the process that the asker may read this file."""
    ledger: str
    process: int


def note(folder: Path) -> Path:
    return folder / "console.json"


def leave(folder: Path, running: Running) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = note(folder).with_suffix(".new")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(msgspec.json.encode(running))
    fresh.replace(note(folder))


def take_away(folder: Path) -> None:
    note(folder).unlink(missing_ok=True)


def find(folder: Path) -> Running | None:
    """The ledger process of this user, if one has left a note and still lives."""
    try:
        running = msgspec.json.decode(note(folder).read_bytes(), type=Running)
        os.kill(running.process, 0)
    except (OSError, msgspec.DecodeError):
        return None
    return running
