"""A ledger of some calls only, in memory: every question that a ledger answers, asked of a part of it.

So no question has to know of conditions, and none can forget one. What is about calls (segments, edits, reuse,
shortenings) comes along with them, and outcomes with their tasks; energy and events belong to no call and stay away.
"""

from collections.abc import Sequence
from typing import NamedTuple

from modicum.ledger.embedded import DuckDBStore
from modicum.ledger.records import OUTCOMES, SHORTENINGS
from modicum.ledger.store import Store


class NamedCalls(NamedTuple):
    """Calls that have one of these names in a dimension."""

    by: str
    tag: str
    zone: str
    names: tuple[str, ...]


OF_CALLS = ("segments", "edits", "reuse", SHORTENINGS.name)
"""Tables whose rows belong to calls."""
_BEGINNINGS = """(
    SELECT *, row_number() OVER (PARTITION BY talk ORDER BY turn, started, entry_id) AS place_of_call
    FROM (SELECT *, CASE WHEN conversation = '' THEN entry_id ELSE conversation END AS talk FROM {whole}.entries)
)"""


def choose_calls(store: Store, chosen: Sequence[NamedCalls], *, whole_conversations: bool) -> DuckDBStore:
    """The calls that fit all conditions, with what belongs to them. The ledger stays as it is.

    Args:
        store: the ledger.
        chosen: conditions.
        whole_conversations: a conversation is in or out as a whole, by its first call: who looks at contexts must not
            miss calls in the midst.
    """
    part, whole = (store if isinstance(store, DuckDBStore) else _copy(store)).attach_part()
    fits, parameters = _write_conditions(chosen)
    if whole_conversations:
        begun = f"SELECT talk FROM {_BEGINNINGS.format(whole=whole)} WHERE place_of_call = 1 AND {fits}"
        fits = f"CASE WHEN conversation = '' THEN entry_id ELSE conversation END IN ({begun})"
    part.execute(f"INSERT INTO entries BY NAME SELECT * FROM {whole}.entries WHERE {fits}", parameters)
    for table in OF_CALLS:
        own = "SELECT entry_id FROM entries"
        part.execute(f"INSERT INTO {table} BY NAME SELECT * FROM {whole}.{table} WHERE entry_id IN ({own})", {})
    tasks = "SELECT task FROM entries"
    part.execute(f"INSERT INTO outcomes BY NAME SELECT * FROM {whole}.outcomes WHERE task IN ({tasks})", {})
    return part


def _write_conditions(chosen: Sequence[NamedCalls]) -> tuple[str, dict[str, object]]:
    """All of them as SQL, and what it binds."""
    parts, parameters = ["TRUE"], dict[str, object]()
    for number, one in enumerate(chosen):
        parts.append(
            f"dimension($by_{number}, $tag_{number}, $zone_{number}, model, source, provider, project, branch, task,"
            " agent, team, app, user_name, key_name, tier, status, place, tags, started)"
            f" IN (SELECT unnest($names_{number}))"
        )
        values = {"by": one.by, "tag": one.tag, "zone": one.zone, "names": list(one.names)}
        parameters |= {f"{name}_{number}": value for name, value in values.items()}
    return " AND ".join(parts), parameters


def _copy(store: Store) -> DuckDBStore:
    """All of a ledger that another process or machine holds."""
    whole = DuckDBStore(":memory:")
    for batch in store.entries():
        whole.append(batch)
    for table in (OUTCOMES, SHORTENINGS):
        whole.append_records(table, store.records(table))
    return whole
