"""The gateway's own durable record of calls, so that it never waits for the ledger.

One SQLite database per gateway process (WAL, full sync). Records that arrive while a commit is under way go into the
next one together (group commit): the disk is asked once for many calls. `finish` returns when its record is on the
disk; a reply is finished only then.

When the disk refuses, nothing is lost from memory: records wait and are tried again, `healthy` is False meanwhile, and
the gateway takes no new calls. So it is when the files were deleted or moved while they are open: what is written into
a deleted file is not durable. A file that is broken is set aside, and a new journal begun.
"""

import asyncio
import secrets
import sqlite3
import threading
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from time import monotonic, sleep, time_ns
from typing import Literal, NamedTuple

from modicum.calls import UserError
from modicum.ledger import positions
from modicum.ledger.calls_in_flight import CallsInFlight
from modicum.ledger.file_lock import try_lock
from modicum.ledger.journal_files.held_files import HeldFiles
from modicum.ledger.journal_files.write_ahead import WriteAheadLog
from modicum.ledger.on_disk import is_broken, is_foreign, set_aside

SHIPPED = "shipped"
"""The reader of journals that ships them; see `modicum.ledger.shipper`."""
KEPT_RECORDS = 10_000
"""Shipped records that stay, so that a late context finds its call and a restart its finished calls."""
RETRY_S = 0.25
PRUNE_EVERY_RECORDS = 5_000
FLUSH_EVERY_S = 1.0
GATHER_S = 0.001
"""A commit waits so long while records come fast: fewer syncs, and replies come sooner, since the disk is asked less
often (as PostgreSQL's commit_delay)."""
FAST_PER_S = 1_500.0
"""Records: more than one will join a commit that waits. How many calls are under way would not tell: they take seconds.
"""
MOST_LOG_PAGES = 8_000
"""Of the log before SQLite itself moves them, within a commit; `WriteAheadLog` does so long before."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    seq INTEGER PRIMARY KEY,
    number TEXT NOT NULL,
    kind TEXT NOT NULL,
    body BLOB NOT NULL,
    context BLOB
);
CREATE TABLE IF NOT EXISTS journal (id TEXT NOT NULL);
INSERT INTO journal SELECT lower(hex(randomblob(12))) WHERE NOT EXISTS (SELECT 1 FROM journal)
"""
"""The id tells a journal from one that is in its place later; see `modicum.ledger.positions`. The newest record is
never forgotten, so the next one has a number above all that there ever were: SQLite need not write that down itself
(AUTOINCREMENT), which would be a second page with each commit."""
_INSERT = "INSERT INTO records (number, kind, body, context) VALUES (?, ?, ?, ?)"


class NotDurable(Exception):  # noqa: N818 - a state of the disk, not a bug
    """A record could not be written in time. It is still waiting, and will be written when the disk allows."""


class Record(NamedTuple):
    """One line of the journal."""

    number: str
    """The gateway's own number of the call. Empty: the journal gives the record one, so that no two are alike."""
    kind: str
    """`call` (a `Call`), `context` (a list of `ContextPart`, of a call that was recorded before it), `outcome`."""
    body: bytes
    context: bytes | None = None
    """With a `call`: the parts of its context, if they are known by then."""


class _Waiting(NamedTuple):
    record: Record
    slot: int | None
    future: "asyncio.Future[None] | None"


class Journal:
    """The journal of one gateway process, used from its event loop.

    Args:
        folder: where the files are; a former process's records under the same name are continued.
        patience_s: how long `finish` waits for a disk that refuses.
        kept: how many records stay after the ledger has them; None: `KEPT_RECORDS`.
        durable: what a record survives when `finish` returns. `process`: it is with the kernel, which survives any end
            of the process; a power cut may take the last records, and leaves the file whole.

    Raises:
        UserError: the folder cannot be written to, or another gateway process has the journal.
    """

    def __init__(
        self,
        folder: Path,
        name: str = "gateway",
        *,
        slots: int = 4096,
        patience_s: float = 5.0,
        kept: int | None = None,
        durable: Literal["disk", "process"] = "disk",
    ) -> None:
        self.path = folder / f"{name}.sqlite"
        self.healthy = True
        """Whether the last commit went through."""
        self.reason = ""
        """Why not, where it did not."""
        self.set_aside: list[Path] = []
        """Files that were broken, under their new names."""
        self.commits = self.written = 0
        self._run_token = secrets.token_hex(4)
        self._patience_s = patience_s
        self._kept = KEPT_RECORDS if kept is None else kept
        self._durable = durable
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        """What the thread writes next. None: only that it looks around."""
        self._writing = threading.Lock()
        """Held by the thread that writes into the file."""
        self._misplaced: dict[int, Record] = {}
        """By identity, what waits although it was written: into files that were not in their places by then. Once these
        are back, so is the record."""
        self._per_s = 0.0
        """Records, as the last commit saw it."""
        self._committed_at = monotonic()
        self._log = WriteAheadLog(self.path, self._writing)
        self._closing = False
        self._closed = threading.Event()
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = _Lock(folder / f"{name}.lock")
            self._base = self._open_or_start_anew()
            self._under_way = CallsInFlight(folder / f"{name}.underway", slots)
            self._files = HeldFiles("the journal", folder)
            self._files.hold(self.path, self._log.path, folder / f"{name}.underway")
        except (OSError, sqlite3.Error) as error:
            raise UserError(f"the journal {self.path} cannot be used: {error}") from None
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._upkeep = threading.Thread(target=self._keep_up, name="journal-files", daemon=True)
        self._thread.start()
        self._upkeep.start()

    def left_under_way(self) -> list[bytes]:
        """What a former process had begun and not finished. `recovered` says what they are booked as."""
        return self._under_way.left

    def finished_numbers(self) -> set[str]:
        """Numbers of the newest records: a crash may have come between a commit and the end of a slot."""
        base = _open_file(self.path)
        try:
            return _newest_numbers(base)
        finally:
            base.close()

    async def recover(self, records: list[Record]) -> None:
        """Makes the records of calls that a former process left durable, and only then empties their slots."""
        await asyncio.gather(*(self.append(record) for record in records))
        self._under_way.forget()

    def begin(self, record: bytes) -> int:
        """Notes that a call is sent now; returns its slot.

        Raises:
            Full: too many calls are under way.
        """
        return self._under_way.begin(record)

    def begin_again(self, slot: int, record: bytes) -> None:
        """A call under way goes on as another attempt: this record takes the place of its first."""
        self._under_way.rewrite(slot, record)

    async def finish(self, slot: int, record: Record) -> None:
        """Returns when the record of a call is on the disk; its slot is given back then, not before.

        Raises:
            NotDurable: the disk refused for longer than the patience. The record is kept and tried again.
        """
        await self._write_durably(record, slot)

    async def append(self, record: Record) -> None:
        """Appends a record that is no call under way, and returns when it is on the disk.

        Raises:
            NotDurable: as `finish`.
        """
        await self._write_durably(record, None)

    def add(self, record: Record) -> None:
        """Appends a record that nobody waits for."""
        self._queue.put(_Waiting(record, None, None))

    @property
    def calls_under_way(self) -> int:
        return len(self._under_way)

    @property
    def records_waiting(self) -> int:
        return self._queue.qsize()

    def close(self) -> None:
        """Writes what waits, and ends."""
        self._closing = True
        self._queue.put(None)
        self._closed.set()
        self._thread.join(timeout=10)
        self._upkeep.join(timeout=10)
        self._under_way.flush()
        self._under_way.close()
        self._lock.release()

    async def _write_durably(self, record: Record, slot: int | None) -> None:
        if self._durable == "process" and self._wrote_at_once(record):
            if slot is not None:
                self._under_way.end(slot)
            return
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        self._queue.put(_Waiting(record, slot, future))
        # A disk that refused a moment ago is not waited for anew by every call.
        timer = loop.call_later(self._patience_s if self.healthy else RETRY_S, self._give_up, future)
        try:
            await future
        finally:
            timer.cancel()

    def _wrote_at_once(self, record: Record) -> bool:
        """Writes a record from the event loop, where nothing waits for the disk: to hand it to the thread and be woken
        takes as long as to write it. False: records come fast, the thread writes, or the file refuses; then it is the
        thread's.
        """
        if not (self._queue.empty() and self.healthy and self._per_s < FAST_PER_S):
            return False
        if not self._writing.acquire(blocking=False):
            return False
        try:
            if self._write([_Waiting(record, None, None)]):
                return False
            self._count_commit(1)
        finally:
            self._writing.release()
        return True

    def _give_up(self, future: "asyncio.Future[None]") -> None:
        if not future.done():
            future.set_exception(NotDurable(self.reason or "the disk is slow"))

    def _settle(self, batch: "list[_Waiting]") -> None:
        """In the loop, once for a whole batch: it is on the disk."""
        for _, slot, future in batch:
            if slot is not None:
                self._under_way.end(slot)
            if future is not None and not future.done():
                future.set_result(None)

    # the thread that writes

    def _run(self) -> None:
        pruned_at, checked_at = 0, monotonic()
        while True:
            if batch := self._next_batch():
                self._commit(batch)
            elif self._closing:
                break
            if monotonic() - checked_at >= FLUSH_EVERY_S:
                checked_at = monotonic()
                self._check_files()
            if self.written - pruned_at >= min(PRUNE_EVERY_RECORDS, self._kept):
                pruned_at = self.written
                with self._writing:
                    self._prune()
        self._base.close()

    def _next_batch(self) -> "list[_Waiting]":
        """All that waits, once something does; nothing, if nothing comes for a while, or the journal closes."""
        queue = self._queue
        try:
            batch = [queue.get(timeout=0.0 if self._closing else FLUSH_EVERY_S)]
        except Empty:
            return []
        if self._per_s >= FAST_PER_S:
            sleep(GATHER_S)
        batch += [queue.get_nowait() for _ in range(queue.qsize())]
        return [waiting for waiting in batch if waiting is not None]

    def _commit(self, batch: "list[_Waiting]") -> None:
        while reason := self._write_batch(batch):
            self.healthy, self.reason = False, reason
            if self._closing:
                return
            threading.Event().wait(RETRY_S)
        self.healthy, self.reason = True, ""
        awaited = [waiting for waiting in batch if waiting.future is not None]
        if awaited and awaited[0].future is not None:
            loop = awaited[0].future.get_loop()
            if not loop.is_closed():
                loop.call_soon_threadsafe(self._settle, awaited)

    def _write_batch(self, batch: "list[_Waiting]") -> str:
        with self._writing:
            reason = self._write(batch)
            if not reason:
                self._count_commit(len(batch))
        return reason

    def _count_commit(self, records: int) -> None:
        now = monotonic()
        self._per_s, self._committed_at = records / max(now - self._committed_at, 1e-6), now
        self.commits += 1
        self.written += records

    def _write(self, batch: "list[_Waiting]") -> str:
        """Writes a batch; returns why it is not on the disk, empty if it is."""
        if not self.healthy and (trouble := self._files.replaced()):
            return trouble
        try:
            if self.path not in self._files:
                self._base = self._open()
                self._files.hold(self.path, self._log.path)
            records = [self._with_number(record, at) for at, record in enumerate(self._unwritten(batch))]
            if len(records) == 1:  # a transaction of its own
                self._base.execute(_INSERT, records[0])
            elif records:
                self._base.execute("BEGIN IMMEDIATE")
                self._base.executemany(_INSERT, records)
                self._base.execute("COMMIT")
            self._log.add(sum(len(record.body) + len(record.context or b"") for record in records))
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):
                if self._base.in_transaction:
                    self._base.execute("ROLLBACK")
            if is_broken(error):
                self._give_up_file()
            return f"{self.path}: {error}"
        return self._check_places(batch)

    def _check_places(self, batch: "list[_Waiting]") -> str:
        """Why a batch that was written just now is not on the disk; empty if it is."""
        trouble = self._files.replaced()
        if trouble:
            self._misplaced |= {id(waiting.record): waiting.record for waiting in batch}
        elif self._misplaced:
            for waiting in batch:
                self._misplaced.pop(id(waiting.record), None)
        return trouble

    def _unwritten(self, batch: "list[_Waiting]") -> list[Record]:
        """Those that no try before has written."""
        return [waiting.record for waiting in batch if id(waiting.record) not in self._misplaced]

    def _with_number(self, record: Record, at: int) -> Record:
        if record.number:
            return record
        return record._replace(number=f"{time_ns():x}-{self._run_token}-{self.written + at:x}")

    def _open_or_start_anew(self) -> sqlite3.Connection:
        """The journal; one that is broken, or none of ours, makes way for a new one."""
        try:
            if not self.path.is_dir():
                return self._open()
        except sqlite3.Error as error:
            if not (is_broken(error) or is_foreign(error)):
                raise
        self.set_aside.append(set_aside(self.path))
        return self._open()

    def _open(self) -> sqlite3.Connection:
        base = _open_file(self.path)
        base.execute(f"PRAGMA wal_autocheckpoint = {MOST_LOG_PAGES}")
        if self._durable == "process":
            base.execute("PRAGMA synchronous = NORMAL")  # in a WAL: only what moves it into the file waits for the disk
        return base

    def _give_up_file(self) -> None:
        """It is broken: what waits goes into a new one, at the next try."""
        with suppress(sqlite3.Error):
            self._base.close()
        self._misplaced.clear()
        with suppress(OSError):
            self.set_aside.append(set_aside(self.path))
            self._files.drop(self.path, self._log.path)

    def _check_files(self) -> None:
        """While nothing is written: said at once, and taken back when they are there again."""
        with self._writing:
            trouble = self._files.replaced(believes_folder=False)
        self.healthy, self.reason = not trouble, trouble

    def _prune(self) -> None:
        """Forgets what the ledger has, but for the newest records."""
        try:
            shipped = positions.last_confirmed(self._base, self.path, SHIPPED)
            self._base.execute(
                "DELETE FROM records WHERE seq <= ? AND seq < (SELECT max(seq) FROM records)", (shipped - self._kept,)
            )
        except sqlite3.Error:
            return  # the disk is full or busy: what is kept too long does no harm

    # the thread beside it, on whose work no call waits

    def _keep_up(self) -> None:
        self._log.keep_room()
        while not self._closed.wait(FLUSH_EVERY_S):
            with suppress(OSError):  # the disk refuses; commits say so
                self._under_way.flush()
            self._log.move()
            self._log.keep_room()


def written_ns(number: str) -> int:
    """When a record that the journal numbered was written, in nanoseconds since 1970; 0: a former version wrote it."""
    try:
        return int(number.partition("-")[0], 16)
    except ValueError:
        return 0


def _open_file(path: Path) -> sqlite3.Connection:
    base = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
    try:
        path.chmod(0o600)  # before it has a -wal and a -shm, which are made like it
        base.execute("PRAGMA journal_mode = WAL")
        base.execute("PRAGMA synchronous = FULL")
        base.executescript(_SCHEMA)
        if not any(row[1] == "context" for row in base.execute("PRAGMA table_info(records)")):
            base.execute("ALTER TABLE records ADD COLUMN context BLOB")
        _newest_numbers(base)  # what is broken or of another kind shows now, and not at the first call
    except (OSError, sqlite3.Error):
        base.close()
        raise
    return base


def _newest_numbers(base: sqlite3.Connection) -> set[str]:
    rows = base.execute("SELECT number FROM records ORDER BY seq DESC LIMIT ?", (KEPT_RECORDS,)).fetchall()
    return {number for (number,) in rows}


class _Lock:
    """One process per journal."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w")
        try:
            is_ours = try_lock(self._file.fileno(), path, shared=False)
        except UserError:
            self._file.close()
            raise
        if not is_ours:
            self._file.close()
            raise UserError(f"another gateway runs with the journal in {path.parent}; stop it first")

    def release(self) -> None:
        self._file.close()
