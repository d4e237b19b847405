"""Opens the ledger that a place names, with the engine of that place."""

from pathlib import Path

from modicum.calls import UserError
from modicum.ledger.store import Store


def open_store(url: str, *, read_only: bool = False) -> Store:
    """The ledger at `url`: a path (DuckDB), `:memory:`, `clickhouse://user:password@host:port/database`, `chdb://path`.

    It is made, or brought to the newest schema, if need be.

    Raises:
        UserError: it cannot be opened; the message says why and what to do.
    """
    # Engines are loaded when one is opened: DuckDB and numpy take a quarter of a second, and verbs that show their help
    # or ask the ledger process need neither.
    if "://" in url:
        if not url.startswith(("clickhouse://", "clickhouses://", "chdb://")):
            raise UserError(f"'{url}' is no ledger: give a path, or clickhouse://user:password@host:port/database")
        from modicum.ledger.clickhouse import ClickHouseStore

        return ClickHouseStore(url)
    from modicum.ledger.embedded import DuckDBStore

    return DuckDBStore(url if url == ":memory:" else Path(url).expanduser(), read_only=read_only)
