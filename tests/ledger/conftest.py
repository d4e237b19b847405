import pytest

from modicum.ledger.opening import open_store


@pytest.fixture(params=["duckdb", "clickhouse"])
def place(request, tmp_path):
    return str(tmp_path / "ledger.duckdb") if request.param == "duckdb" else f"chdb://{tmp_path}/chdb"


@pytest.fixture
def store(place):
    """A ledger on each engine."""
    opened = open_store(place)
    yield opened
    opened.close()
