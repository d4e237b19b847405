"""Which outcomes a ledger holds."""

from modicum.calls.errors import UserError, accepted_are
from modicum.ledger.rows import Row
from modicum.ledger.store import Store


def find_outcome(store: Store, name: str) -> Row:
    """What the ledger knows of the outcomes of this name: a row of the question `outcomes`.

    Raises:
        UserError: it holds none.
    """
    rows = {row["name"]: row for row in store.ask("outcomes")}
    if name not in rows:
        hint = "" if rows else ": see 'modicum outcome --help'"
        raise UserError(f"the ledger {store.place} holds no outcome '{name}'; {accepted_are(rows)}{hint}")
    return rows[name]
