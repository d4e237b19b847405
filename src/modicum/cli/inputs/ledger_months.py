"""What is said where a ledger has no calls of the time that was asked for."""

from typing import TYPE_CHECKING

from modicum.calls import UserError
from modicum.calls.words.counted_nouns import number_of

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from modicum.ledger.store import Store

FILL = "fill it with 'modicum import PATH...'"


def no_calls_of(store: "Store", time: str, zone: "ZoneInfo", instead: str, fill: str = FILL) -> UserError:
    """What to raise where `store` has no calls of a time. An empty ledger and one with other calls are told apart: what
    is there need not be imported again.

    Args:
        store: which was asked.
        time: which time, as it stands after "no calls": "in that time".
        zone: in which months are cut.
        instead: what to do where it has calls of other months, a whole clause; `{last}` stands for the last of them.
        fill: what fills an empty ledger, a whole clause.
    """
    months = sorted(str(row["name"])[:7] for row in store.ask("names", by="month", tag="", zone=zone.key))
    if not months:
        return UserError(f"the ledger {store.place} holds no calls {time}; {fill}")
    span = f"{months[0]} to {months[-1]}" if len(months) > 1 else months[0]
    return UserError(
        f"the ledger {store.place} holds no calls {time}, but calls of {number_of(len(months), 'month')} ({span}); "
        f"{instead.format(last=months[-1])}"
    )
