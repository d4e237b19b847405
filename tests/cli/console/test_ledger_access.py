import pytest

from ledger.samples import EVER, entry
from ledger_process.rig import LedgerProcess
from modicum.calls import UserError
from modicum.cli.console.ledger_access import find_process, opener_of

CUT = {"by": "model", "tag": "", "zone": "UTC", **EVER}


def test_the_process_that_holds_the_ledger_is_asked(tmp_path):
    with LedgerProcess(tmp_path) as ledger:
        with opener_of(ledger.place, tmp_path)() as store:
            store.append([entry("c1")])
            assert store.ask("bill", **CUT)[0]["calls"] == 1
        assert find_process("/other.duckdb", tmp_path) is None


def test_without_a_process_it_is_said_what_to_do(tmp_path):
    with pytest.raises(UserError, match="modicum up"), opener_of(str(tmp_path / "l.duckdb"), tmp_path)():
        pass


def test_a_server_is_asked_itself(clickhouse_place, tmp_path):
    opened = opener_of(clickhouse_place, tmp_path)
    with opened() as store:
        store.append([entry("c1")])
    with opened() as again:
        assert again.ask("bill", **CUT)[0]["calls"] == 1
        again.close()
