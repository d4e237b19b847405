"""One ledger into another: entries with their parts, then every noun of `records.py`."""

import msgspec

from modicum.ledger.record_table import N, RecordTable
from modicum.ledger.records import RECORDS
from modicum.ledger.store import Appended, Store

BATCH = 10_000


class Copied(msgspec.Struct):
    """What became of it in the other ledger."""

    entries: Appended = Appended()
    records: dict[str, Appended] = {}
    """By name of the table."""


def copy_ledger(one: Store, other: Store, batch: int = BATCH) -> Copied:
    """Copies everything. What the other one has already is not booked again, so this can be repeated."""
    copied = Copied()
    for entries in one.entries(batch):
        copied.entries += other.append(entries)
    for name, table in RECORDS.items():
        copied.records[name] = copy_records(one, other, table, batch)
    return copied


def copy_records(one: Store, other: Store, table: RecordTable[N], batch: int = BATCH) -> Appended:
    """In batches, since there may be many: a server watched for a year has five million windows of energy."""
    booked, last = Appended(), None
    while records := one.records(table, after=last, most=batch):
        booked += other.append_records(table, records)
        last = records[-1]
    return booked
