"""Moves records from journals into the ledger, each booked once.

Reading goes on from the last position that was shipped; the position is written after the ledger has the records. If
the process ends in between, they are sent again, and the ledger knows them by id and revision. What several gateway
processes recorded is brought together here: ids (`Identities`) and conversations (`Conversations`).
"""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from modicum.calls import Call, Entry, Problem
from modicum.ledger import positions
from modicum.ledger.booking import book
from modicum.ledger.conversations import MOST_CONVERSATIONS, ContextPart, Conversations
from modicum.ledger.identities import Identities
from modicum.ledger.journal import shipped_position
from modicum.ledger.records import RECORDS
from modicum.ledger.store import Store
from modicum.metering.prices import PriceBook

BATCH = 2_000
"""Records of one journal that a round takes."""
REMEMBERED = timedelta(days=1)
"""A conversation that went on within this time before the start is known again."""

_call = msgspec.msgpack.Decoder(Call)
_context = msgspec.msgpack.Decoder(list[ContextPart])


class Shipped(msgspec.Struct):
    """What one round moved."""

    entries: list[Entry] = []
    records: dict[str, int] = {}
    """Other nouns than calls, by name of their table."""
    problems: list[Problem] = []
    more: bool = False
    """Whether a journal holds more than a round takes."""


class _Read(NamedTuple):
    """One call as a journal has it."""

    number: str
    call: Call
    context: list[ContextPart] | None


class Shipper:
    """Args:
    folder: where gateways keep their journals.
    """

    def __init__(self, folder: Path, store: Store, prices: PriceBook) -> None:
        self._folder, self._store, self._prices = folder, store, prices
        self._bases: dict[Path, sqlite3.Connection] = {}
        self._identities = Identities(folder / "identities.db")
        self._conversations = Conversations()
        since = datetime.now(UTC) - REMEMBERED
        self._conversations.remember(store.ask("contexts", since=since, most=MOST_CONVERSATIONS))

    def ship(self) -> Shipped:
        """One round over all journals. Raises what the store raises; nothing is lost then, but the conversations may
        be ahead of the ledger: go on with a new shipper.
        """
        moved = Shipped()
        done: dict[Path, int] = {}
        calls: list[_Read] = []
        records: dict[str, list[Any]] = {}
        for path in sorted(self._folder.glob("*.sqlite")):
            self._read(path, done, calls, records, moved)
        moved.entries = self._booked(calls)
        self._store.append(moved.entries)
        for name, found in records.items():
            self._store.append_records(RECORDS[name], found)
            moved.records[name] = len(found)
        for path, position in done.items():
            positions.write(path, "shipped", position)
        return moved

    def close(self) -> None:
        for base in self._bases.values():
            base.close()
        self._bases.clear()
        self._identities.close()

    def _read(
        self, path: Path, done: dict[Path, int], calls: list[_Read], records: dict[str, list[Any]], moved: Shipped
    ) -> None:
        base = self._bases.get(path)
        if base is None:
            base = self._bases[path] = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=5.0)
        rows = base.execute(
            "SELECT * FROM records WHERE seq > ? ORDER BY seq LIMIT ?",  # a former version's have no context
            (shipped_position(path), BATCH),
        ).fetchall()
        if not rows:
            return
        tables = {table.journal_kind: table for table in RECORDS.values() if table.journal_kind}
        for seq, number, kind, body, *context in rows:
            try:
                if kind == "call":
                    known = _context.decode(context[0]) if any(context) else None
                    calls.append(_Read(number, _call.decode(body), known))
                elif kind == "context":
                    calls += _with_context(base, number, _context.decode(body))
                elif kind in tables:
                    record = msgspec.msgpack.decode(body, type=tables[kind].noun)
                    records.setdefault(tables[kind].name, []).append(record)
                else:
                    moved.problems.append(Problem(str(path), f"record {seq} is of an unknown kind ({kind})"))
            except msgspec.DecodeError:
                moved.problems.append(Problem(str(path), f"record {seq} ({kind}) cannot be read"))
        done[path] = rows[-1][0]
        moved.more |= len(rows) == BATCH

    def _booked(self, calls: list[_Read]) -> list[Entry]:
        """What went through several processes in the order in which it began."""
        calls.sort(key=lambda read: read.call.started)
        named = [(read.call.call_id, read.number) for read in calls if read.call.call_id != _own_id(read)]
        first = self._identities.first(named)
        entries = []
        for read in calls:
            call = read.call
            if first.get(call.call_id, read.number) != read.number:
                call = msgspec.structs.replace(call, call_id=_own_id(read))
            if read.context is not None:
                call = self._conversations.placed(call, read.context, read.number)
            entries.append(book(call, self._prices))
        return entries


def _own_id(read: _Read) -> str:
    return f"{read.call.source}:{read.number}"


def _with_context(base: sqlite3.Connection, number: str, context: list[ContextPart]) -> list[_Read]:
    """The call again, with the context that was counted only after it had been recorded."""
    row = base.execute(
        "SELECT body FROM records WHERE number = ? AND kind = 'call' ORDER BY seq DESC LIMIT 1", (number,)
    ).fetchone()
    if row is None:
        return []
    call = _call.decode(row[0])
    return [_Read(number, msgspec.structs.replace(call, revision=call.revision + 1), context)]
