"""Moves records from journals into the ledger, each booked once.

Reading goes on from the last position that was shipped; the position is written after the ledger has the records. If
the process ends in between, they are sent again, and the ledger knows them by id and revision.
"""

import sqlite3
from pathlib import Path

import msgspec

from modicum.calls import Anatomy, Call, Entry, Outcome, Problem
from modicum.ledger import positions
from modicum.ledger.booking import book
from modicum.ledger.journal import shipped_position
from modicum.ledger.store import Store
from modicum.metering.prices import PriceBook

BATCH = 2_000

_call = msgspec.msgpack.Decoder(Call)
_anatomy = msgspec.msgpack.Decoder(Anatomy)
_outcome = msgspec.msgpack.Decoder(Outcome)


class Shipped(msgspec.Struct):
    """What one round moved."""

    entries: list[Entry] = []
    outcomes: int = 0
    problems: list[Problem] = []
    more: bool = False
    """Whether a journal holds more than a round takes."""


class Shipper:
    """Args:
    folder: where gateways keep their journals.
    """

    def __init__(self, folder: Path, store: Store, prices: PriceBook) -> None:
        self._folder, self._store, self._prices = folder, store, prices
        self._bases: dict[Path, sqlite3.Connection] = {}

    def ship(self) -> Shipped:
        """One round over all journals. Raises what the store raises; nothing is lost then."""
        moved = Shipped()
        for path in sorted(self._folder.glob("*.sqlite")):
            self._ship(path, moved)
        return moved

    def close(self) -> None:
        for base in self._bases.values():
            base.close()
        self._bases.clear()

    def _ship(self, path: Path, moved: Shipped) -> None:
        base = self._bases.get(path)
        if base is None:
            base = self._bases[path] = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=5.0)
        position = shipped_position(path)
        rows = base.execute(
            "SELECT seq, number, kind, body FROM records WHERE seq > ? ORDER BY seq LIMIT ?", (position, BATCH)
        ).fetchall()
        if not rows:
            return
        calls: list[Call] = []
        outcomes: list[Outcome] = []
        for seq, number, kind, body in rows:
            try:
                if kind == "call":
                    calls.append(_call.decode(body))
                elif kind == "anatomy":
                    calls += self._with_anatomy(base, number, _anatomy.decode(body))
                elif kind == "outcome":
                    outcomes.append(_outcome.decode(body))
            except msgspec.DecodeError:
                moved.problems.append(Problem(str(path), f"record {seq} ({kind}) cannot be read"))
        entries = [book(call, self._prices) for call in calls]
        self._store.append(entries)
        self._store.append_outcomes(outcomes)
        positions.write(path, "shipped", rows[-1][0])
        moved.entries += entries
        moved.outcomes += len(outcomes)
        moved.more |= len(rows) == BATCH

    def _with_anatomy(self, base: sqlite3.Connection, number: str, anatomy: Anatomy) -> list[Call]:
        """The call again, with what was found out about its context after it had been recorded."""
        row = base.execute(
            "SELECT body FROM records WHERE number = ? AND kind = 'call' ORDER BY seq DESC LIMIT 1", (number,)
        ).fetchone()
        if row is None:
            return []
        call = _call.decode(row[0])
        return [msgspec.structs.replace(call, anatomy=anatomy, revision=call.revision + 1)]
