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
        others = accepted_are(rows) if rows else "nor any other: 'modicum outcome --help' says how to add some"
        raise UserError(f"the ledger {store.place} holds no outcome '{name:.80}'; {others}")
    return rows[name]


def only_outcome(store: Store, name: str = "") -> str:
    """The outcome of this name, or the only one that the ledger holds; empty where it holds none, or several.

    Raises:
        UserError: it holds none of this name.
    """
    if name:
        return str(find_outcome(store, name)["name"])
    names = [row["name"] for row in store.ask("outcomes")]
    return str(names[0]) if len(names) == 1 else ""


def choose_outcome(store: Store, name: str = "") -> str:
    """The outcome of this name, or the only one that the ledger holds.

    Raises:
        UserError: it holds none, not this one, or several to choose from.
    """
    names = [row["name"] for row in store.ask("outcomes")]
    if not names:
        raise UserError("the ledger holds no outcome yet to grade by: 'modicum outcome --help' says how to add some")
    if not name and len(names) != 1:
        raise UserError(f"--outcome NAME must say which outcome of the ledger grades tasks; {accepted_are(names)}")
    return str(find_outcome(store, name or names[0])["name"])
