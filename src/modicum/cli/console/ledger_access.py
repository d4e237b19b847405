"""The ledger of a console: through the process that holds it, or from a server."""

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from modicum.calls import UserError
from modicum.ledger.opening import open_store
from modicum.ledger.store import Store
from modicum.ledger_process.client import LedgerProcessStore
from modicum.ledger_process.running import Running, find

WAIT_S = 1.0
"""How long a page waits for a ledger process that is starting."""


def opener_of(place: str, folder: Path) -> Callable[[], AbstractContextManager[Store]]:
    """Opens the ledger for a moment.

    Args:
        place: the ledger, as settings name it.
        folder: of the gateway's state, where the ledger process leaves its note.
    """
    return _from_server(place) if "://" in place else lambda: _from_process(place, folder)


def find_process(place: str, folder: Path) -> Running | None:
    """The process that holds that ledger; None: none does."""
    running = find(folder, WAIT_S)
    return running if running is not None and running.ledger == place else None


@contextmanager
def _from_process(place: str, folder: Path) -> Iterator[Store]:
    running = find_process(place, folder)
    if running is None:
        raise UserError(f"no process holds the ledger {place} just now; 'modicum up' starts one again by itself")
    yield LedgerProcessStore(running)


def _from_server(place: str) -> Callable[[], AbstractContextManager[Store]]:
    """One connection, which one question at a time uses."""
    lock = threading.Lock()
    opened: list[Store] = []

    @contextmanager
    def use() -> Iterator[Store]:
        with lock:
            if not opened:
                opened.append(open_store(place))
            yield opened[0]

    return use
