"""What was learned of the tools of programs, on disk: counts and digests, so that a restart need not learn them anew.

Whoever takes an owner out of the file (`modicum ledger erase`) has it forgotten by a gateway that runs, too: that reads
the file again where somebody else has written it.
"""

import asyncio
from pathlib import Path
from time import monotonic

import msgspec

from modicum.calls.outside.regular_file import read_regular
from modicum.calls.outside.user_file import replace_user_file
from modicum.gateway.process.log import log
from modicum.optimizers.tool_use import ProgramRecord, ToolUse

FILE_NAME = "tool_use.json"
EVERY_S = 30.0
"""How often it is written, where something was learned."""
MOST_BYTES = 64 * 1024 * 1024
_decode = msgspec.json.Decoder(list[ProgramRecord]).decode
_PARTS = ("team", "app", "user", "key")


class ToolUseFile:
    """Keeps what is known of tools in a file. Used from the event loop of the one process that writes it.

    Args:
        folder: of the gateway.
        key: of the digests, a secret.
        is_alone: whether no other process takes calls. Several see no conversation whole: then nothing is learned.
    """

    def __init__(self, folder: Path, key: bytes, *, is_alone: bool) -> None:
        self._use = ToolUse(key)
        self.use = self._use if is_alone else None
        """What is known; None: nothing is learned."""
        self._path, self._due_s = folder / FILE_NAME, monotonic() + EVERY_S
        self._saved, self._stamp = 0, (0, 0)
        if is_alone:
            self._load()

    def _load(self) -> None:
        """Goes on from what a former process has learned. What cannot be read is logged, and learned anew."""
        self._stamp = _stamp(self._path)
        try:
            self._use.replace(read_tool_use(self._path))
        except (OSError, ValueError) as problem:
            self._use.replace(())
            log("tool_use_unread", file=str(self._path), problem=str(problem))

    async def keep(self) -> None:
        """Writes what was learned since, from time to time and beside the calls."""
        if monotonic() >= self._due_s:
            self._due_s = monotonic() + EVERY_S
            if (records := self._records()) is not None:
                await asyncio.to_thread(self._write, records)

    def close(self) -> None:
        """Writes what was learned since."""
        if (records := self._records()) is not None:
            self._write(records)

    def _records(self) -> list[ProgramRecord] | None:
        """What is to be written; None: nothing is new."""
        if self.use is None:
            return None
        if _stamp(self._path) != self._stamp:
            self._load()
        if self.use.changes == self._saved:
            return None
        self._saved = self.use.changes
        return self.use.records()

    def _write(self, records: list[ProgramRecord]) -> None:
        try:
            replace_user_file(self._path, msgspec.json.encode(records))
        except OSError as problem:
            log("tool_use_unwritten", file=str(self._path), problem=str(problem))
        self._stamp = _stamp(self._path)


def read_tool_use(path: Path) -> list[ProgramRecord]:
    """What is in the file; nothing where there is none.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no such file.
    """
    if not path.exists():
        return []
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(f"it is larger than {MOST_BYTES // 1024 // 1024} MB")
    return _decode(read_regular(path))


def erase_tool_use(folder: Path, part: str, name: str) -> int:
    """Takes the programs of an owner out of the file.

    Args:
        folder: of the gateway.
        part: of the owner: team, app, user or key.
        name: its name.

    Returns:
        How many programs.
    """
    path = folder / FILE_NAME
    try:
        records = read_tool_use(path)
    except (OSError, ValueError):
        path.unlink(missing_ok=True)  # nobody can say whose it is: all of it is learned anew
        return 0
    others = [one for one in records if one.owner[_PARTS.index(part)] != name]
    if len(others) < len(records):
        replace_user_file(path, msgspec.json.encode(others))
    return len(records) - len(others)


def _stamp(path: Path) -> tuple[int, int]:
    try:
        at = path.stat()
    except OSError:
        return 0, 0
    return at.st_mtime_ns, at.st_size
