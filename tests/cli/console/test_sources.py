import pytest

from ledger.samples import EVER, entry
from ledger_process.rig import LedgerProcess
from modicum.calls import UserError
from modicum.cli.console.sources import find_process, sources_of
from modicum.settings import Settings

CUT = {"by": "model", "tag": "", "zone": "UTC", **EVER}


def test_the_process_that_holds_the_ledger_is_asked(tmp_path):
    with LedgerProcess(tmp_path) as ledger:
        sources = sources_of(ledger.place, tmp_path, Settings(), Settings)
        with sources.open_store() as store:
            store.append([entry("c1")])
            assert store.ask("bill", **CUT)[0]["calls"] == 1
        assert sources.find_live()["total"]["calls"] == 0
        assert find_process("/other.duckdb", tmp_path) is None


def test_without_a_process_it_is_said_what_to_do(tmp_path):
    sources = sources_of(str(tmp_path / "l.duckdb"), tmp_path, Settings(), Settings)

    with pytest.raises(UserError, match="modicum up"), sources.open_store():
        pass
    assert sources.find_live() is None


def test_a_server_is_asked_itself(clickhouse_place, tmp_path):
    sources = sources_of(clickhouse_place, tmp_path, Settings(), Settings)
    with sources.open_store() as store:
        store.append([entry("c1")])
    with sources.open_store() as again:
        assert again.ask("bill", **CUT)[0]["calls"] == 1
        again.close()
