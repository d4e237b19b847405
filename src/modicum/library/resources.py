"""What most verbs need before they can begin: the settings, the ledger, the prices, the key of digests."""

import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from modicum.calls import UserError
from modicum.calls.outside.fault_hints import hint_of_data_fault
from modicum.ledger.opening import open_store
from modicum.ledger_process.running import find
from modicum.library.file_permissions import make_private
from modicum.metering.price_file import PriceFile
from modicum.metering.prices import PriceBook
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

KEY_BYTES = 32


@contextmanager
def open_ledger(url: str | None, settings: Settings | None = None, *, creates: bool = False) -> "Iterator[Store]":
    """The ledger, closed at the end. If a ledger process owns it, that process is asked.

    Args:
        url: as `--ledger`; None: that of the settings.
        settings: None: they are read.
        creates: whether it is made where there is none: for what books. Whoever only asks leaves nothing behind, and
            is given an empty one.

    Raises:
        UserError: it cannot be opened; or one was named that is not there, to be asked.
    """
    place = url or ledger_place(settings or read_settings())
    store = _from_process(place)
    if store is None and not creates and _is_missing(place):
        if url:
            raise UserError(
                f"there is no ledger {place}; name another, or fill one: 'modicum import PATH... --ledger {place}'"
            )
        if _could_be_made(place):  # else opening it says why not
            store = open_store(":memory:")
            store.place = place
    if store is None:
        try:
            store = open_store(place)
        except UserError:
            store = _from_process(place)  # one that started at the same time has taken the ledger since
            if store is None:
                raise
    try:
        yield store
    except Exception as error:  # goes on up; duckdb, which names its errors, is loaded only where a ledger is one
        if "duckdb" in type(error).__module__:
            from modicum.ledger.embedded import trouble_of_disk

            if trouble := trouble_of_disk(store.place, error):
                raise UserError(trouble) from None
        raise
    finally:
        store.close()


@contextmanager
def ask_ledger(settings: Settings) -> "Iterator[Store]":
    """The ledger, for a gateway: one that is a file only through the process that owns it, which it must not take it
    from.

    Raises:
        UserError: that process does not run.
    """
    place = ledger_place(settings)
    store = open_store(place) if "://" in place else _from_process(place)
    if store is None:
        raise UserError("the ledger process does not run; 'modicum up' starts it")
    try:
        yield store
    finally:
        store.close()


def _is_missing(place: str) -> bool:
    return place != ":memory:" and "://" not in place and not Path(place).expanduser().exists()


def _could_be_made(place: str) -> bool:
    there = next(folder for folder in Path(place).absolute().parents if folder.exists())
    return there.is_dir() and os.access(there, os.W_OK)


def _from_process(place: str) -> "Store | None":

    running = find(state_folder())
    if running is None or running.ledger != place or "://" in place:
        return None
    from modicum.ledger_process.client import LedgerProcessStore  # it loads numpy; most verbs open the ledger itself

    return LedgerProcessStore(running)


def load_prices(path: Path | None, settings: Settings | None = None) -> "PriceBook":
    """The list prices with the user's own above them. Unit rates are kept in the cache folder from run to run."""
    chosen = path or price_file_place(settings or read_settings())
    own = None
    if chosen is not None:
        own = PriceFile.read(chosen)
    return PriceBook(own, kept_in=cache_folder() / "rates.json")


def read_digest_key() -> bytes:
    """The key of this user's digests, made at first use. It lies beside the ledger and never in it.

    Raises:
        UserError: the file cannot be read or written.
    """
    path = data_folder() / "digest.key"
    make_private(path.parent)
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _make_key(path)
        key = path.read_bytes()
    except OSError as error:
        raise UserError(
            f"the key of digests {path} cannot be read or made: {error.strerror}; {hint_of_data_fault(error)}"
        ) from None
    if not key:
        raise UserError(f"the key of digests {path} is empty: its making was cut short; delete the file")
    if len(key) < KEY_BYTES:
        raise UserError(
            f"the key of digests {path} is broken ({len(key)} bytes instead of {KEY_BYTES}): bring it back from a "
            "backup; without one, delete it and make your gateway keys anew ('modicum key create NAME')"
        )
    return key


def lend_digest_key() -> bytes:
    """The key of this user's digests, or where none can be made one for this process alone: enough for logs whose
    calls go into no ledger that lasts.

    Raises:
        UserError: there is a key, and it cannot be read.
    """
    try:
        return read_digest_key()
    except UserError:
        if has_digest_key():
            raise
        return _key_of_this_process()


@cache
def _key_of_this_process() -> bytes:

    return secrets.token_bytes(KEY_BYTES)


def has_digest_key() -> bool:
    """Whether digests of today are those of tomorrow."""
    return (data_folder() / "digest.key").exists()


def _make_key(path: Path) -> None:
    """Whole or not at all, also where the process is killed or another one makes it at the same time."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")  # for our eyes only
    fresh = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(secrets.token_bytes(KEY_BYTES))
            stream.flush()
            os.fsync(stream.fileno())
        try:
            path.hardlink_to(fresh)
        except FileExistsError:
            pass  # another process was faster: its key is the one
        except OSError:
            fresh.replace(path)  # no links there
    finally:
        fresh.unlink(missing_ok=True)
