import pytest


@pytest.fixture
def filled(modicum, transcripts):
    modicum("import", transcripts)


@pytest.mark.usefixtures("filled")
class TestLedger:
    def test_info_says_what_is_in_it(self, modicum):
        (source,) = modicum("ledger", "info", "--json").json["sources"]

        assert (source["source"], source["calls"], source["calls_with_anatomy"]) == ("claude-code", 7, 7)
        assert "claude-code" in modicum("ledger", "info").out

    def test_purge_asks_and_forgets(self, modicum):
        assert (
            modicum("ledger", "purge", "--before", "2026-03-01", "--team", "x", "--yes", "--json").json["purged"] == 0
        )
        assert modicum("ledger", "purge", "--before", "2026-03-01", "--yes", "--json").json["purged"] == 7

    def test_a_copy_holds_the_same_bill_and_can_be_repeated(self, modicum, tmp_path, home):
        here = home / "xdg_data_home" / "modicum" / "ledger.duckdb"
        there = f"chdb://{tmp_path}/cluster"
        first = modicum("ledger", "copy", here, there, "--json").json
        second = modicum("ledger", "copy", here, there, "--json").json

        assert (first["new"], second["new"], second["unchanged"]) == (7, 0, 7)
        assert modicum("bill", "--ledger", there, "--json").json == modicum("bill", "--json").json
        assert modicum("anatomy", "--ledger", there, "--json").json["calls"] == 7

    def test_a_ledger_is_not_copied_onto_itself(self, modicum):
        assert modicum("ledger", "copy", "a", "a").status == 2
