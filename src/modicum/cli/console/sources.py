"""Where the console has its figures from: the process that holds the ledger, or a server."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modicum.calls import UserError
from modicum.cli.console.auditing import audit_beside
from modicum.cli.inputs import resources
from modicum.console.asking import Sources
from modicum.ledger.opening import open_store
from modicum.ledger.store import Store
from modicum.ledger_process.client import LedgerProcessStore
from modicum.ledger_process.running import Running, find
from modicum.settings import Settings

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

LIVE_SECONDS = 60
WAIT_S = 1.0
"""How long a page waits for a ledger process that is starting."""


def sources_of(place: str, folder: Path, settings: Settings, read_settings: Callable[[], Settings]) -> Sources:
    """The sources of a console over one ledger.

    Args:
        place: the ledger, as settings name it.
        folder: of the gateway's state, where the ledger process leaves its note.
        settings: those that hold now.
        read_settings: reads them again.
    """
    return Sources(
        open_store=_from_server(place) if "://" in place else lambda: _from_process(place, folder),
        read_settings=read_settings,
        prices=resources.load_prices(None, settings),
        state=folder,
        audit=partial(audit_beside, place, folder),
        find_live=lambda: _find_live(folder),
    )


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


def _from_server(place: str) -> "Callable[[], AbstractContextManager[Store]]":
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


def _find_live(folder: Path) -> Mapping[str, Any] | None:
    """None: no ledger process runs, or it does not answer."""
    running = find(folder, WAIT_S)
    if running is None:
        return None
    try:
        live: Mapping[str, Any] = LedgerProcessStore(running).live("model", LIVE_SECONDS)
    except UserError:
        return None
    return live
