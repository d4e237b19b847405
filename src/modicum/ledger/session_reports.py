"""Reports on calls that came into the ledger themselves, before or after: each is set to nothing.

Which report counts is a question of what else is there (`modicum.calls.session_reports`), so it is asked when something
was booked. Such a record stays, stands for no call and costs nothing: the same report that comes again changes nothing.
"""

from collections.abc import Iterable

from modicum.calls import Call, Entry, Usage
from modicum.calls.session_reports import REPORTS
from modicum.ledger.booking import NOTHING
from modicum.ledger.store import Store

SETTLED = 1 << 60
"""What is added to the revision of a report that is set to nothing: above that of any report."""


def settle_reports(store: Store) -> int:
    """Sets the reports to nothing whose calls stand in the ledger. Returns how many."""
    settled = [
        Entry(
            Call(
                call_id=row["entry_id"],
                source=row["source"],
                provider=row["provider"],
                model=row["model"],
                started=row["started"],
                usage=Usage(),
                calls_count=0,
                task=row["task"],
                place=row["place"],
                revision=row["revision"] + SETTLED,
            ),
            NOTHING,
        )
        for row in store.ask("session_reports")
    ]
    if settled:
        store.append(settled)
    return len(settled)


def holds_reports(entries: Iterable[Entry]) -> bool:
    """Whether there is anything to settle among what was booked."""
    return any(entry.call.place in REPORTS for entry in entries)
