"""Where the console has its figures from: the process that holds the ledger, or a server."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from modicum.calls import UserError
from modicum.cli.console.auditing import audit_beside
from modicum.cli.console.ledger_access import WAIT_S, opener_of
from modicum.console.asking import Sources
from modicum.ledger_process.client import LedgerProcessStore
from modicum.ledger_process.running import find
from modicum.library import resources
from modicum.settings import Settings

LIVE_SECONDS = 60


def sources_of(
    place: str, folder: Path, settings: Settings, read_settings: Callable[[], Settings], *, is_sample: bool = False
) -> Sources:
    """The sources of a console over one ledger.

    Args:
        place: the ledger, as settings name it.
        folder: of the gateway's state, where the ledger process leaves its note.
        settings: those that hold now.
        read_settings: reads them again.
        is_sample: whether the ledger is that of the sample shop.
    """
    return Sources(
        open_store=opener_of(place, folder),
        read_settings=read_settings,
        prices=resources.load_prices(None, settings),
        state=folder,
        audit=partial(audit_beside, place, folder),
        find_live=lambda: _find_live(folder),
        digest_key=resources.lend_digest_key(),
        is_sample=is_sample,
    )


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
