from datetime import timedelta

from ledger.samples import FULL, START, entry, window
from modicum.calls import AuditEvent, Outcome
from modicum.ledger.copying import copy_ledger, copy_records
from modicum.ledger.opening import open_store
from modicum.ledger.records import AUDIT_EVENTS, ENERGY_WINDOWS, OUTCOMES, RECORDS
from modicum.ledger.store import Appended


def test_a_copy_holds_all_and_can_be_repeated(store):
    other = open_store(":memory:")
    store.append([FULL, entry("c2")])
    store.append_records(OUTCOMES, [Outcome(outcome_id="o", task="t", name="n", value=1.0, time=START)])
    store.append_records(ENERGY_WINDOWS, [window(), window(started=START.timestamp() + 9)])
    event = AuditEvent(event_id="a", at=START, by="ann", kind="key", what="issued", subject="7f")
    store.append_records(AUDIT_EVENTS, [event])

    first, second = copy_ledger(store, other), copy_ledger(store, other)

    assert (first.entries, second.entries) == (Appended(new=2), Appended(unchanged=2))
    assert {name: one.booked for name, one in first.records.items()} == {
        "outcomes": 1, "energy_windows": 2, "audit_events": 1, "shortenings": 0
    }  # fmt: skip
    assert second.records == {
        "outcomes": Appended(replaced=1),  # of an outcome the one that was booked last stands
        "energy_windows": Appended(unchanged=2),
        "audit_events": Appended(unchanged=1),
        "shortenings": Appended(),
    }
    assert list(other.entries()) == list(store.entries())
    for table in RECORDS.values():
        assert other.records(table) == store.records(table)
    other.close()


def test_records_of_one_moment_are_copied_once_whatever_the_batch(store):
    other = open_store(":memory:")
    times = [0, 0, 0, 1, 2, 2, 3]
    records = [
        Outcome(outcome_id=f"o{n}", task="t", name="n", value=1.0, time=START + timedelta(microseconds=microseconds))
        for n, microseconds in enumerate(times)
    ]
    store.append_records(OUTCOMES, records)

    assert copy_records(store, other, OUTCOMES, batch=2) == Appended(new=7)
    assert other.records(OUTCOMES) == records
    other.close()
