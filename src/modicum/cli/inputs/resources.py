"""What most verbs need before they can begin: the settings, the ledger, the prices, the key of digests."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from modicum.calls import UserError
from modicum.settings import (
    Settings,
    cache_folder,
    data_folder,
    ledger_place,
    price_file_place,
    read_settings,
    state_folder,
)

if TYPE_CHECKING:
    from modicum.ledger.store import Store
    from modicum.metering.prices import PriceBook

KEY_BYTES = 32


@contextmanager
def opened_ledger(url: str | None, settings: Settings | None = None) -> Iterator["Store"]:
    """The ledger, closed at the end. If a ledger process owns it, that process is asked."""
    from modicum.console.running import find

    place = url or ledger_place(settings or read_settings())
    running = find(state_folder())
    store: Store
    if running is not None and running.ledger == place and "://" not in place:
        from modicum.console.client import ConsoleStore

        store = ConsoleStore(running)
    else:
        from modicum.ledger.opening import open_store

        store = open_store(place)
    try:
        yield store
    finally:
        store.close()


def price_book(path: Path | None, settings: Settings | None = None) -> "PriceBook":
    """The list prices with the user's own above them. Unit rates are kept in the cache folder from run to run."""
    from modicum.metering.prices import PriceBook

    chosen = path or price_file_place(settings or read_settings())
    own = None
    if chosen is not None:
        from modicum.metering.price_file import PriceFile

        own = PriceFile.read(chosen)
    return PriceBook(own, kept_in=cache_folder() / "rates.json")


def digest_key() -> bytes:
    """The key of this user's digests, made at first use. It lies beside the ledger and never in it.

    Raises:
        UserError: the file cannot be read or written.
    """
    import secrets

    path = data_folder() / "digest.key"
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(made, "wb") as stream:
                stream.write(secrets.token_bytes(KEY_BYTES))
        return path.read_bytes()
    except FileExistsError:
        return path.read_bytes()
    except OSError as error:
        raise UserError(f"the key of digests {path} cannot be read or made: {error.strerror}") from None
