import pytest

from insights.test_consumption import window
from modicum.cli.energy.booking import append_windows
from modicum.settings import data_folder


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

    def test_windows_of_energy_are_told_copied_and_forgotten_with_the_calls(self, modicum, tmp_path):
        append_windows(None, [window(), window(9 * 86_400)])
        there = tmp_path / "there.duckdb"

        (watched,) = modicum("ledger", "info", "--json").json["watched"]
        copied = modicum("ledger", "copy", data_folder() / "ledger.duckdb", there, "--json").json
        of_a_team = modicum("ledger", "purge", "--before", "2026-03-01", "--team", "x", "--yes", "--json").json
        gone = modicum("ledger", "purge", "--before", "2023-11-20", "--yes").out

        assert (watched["windows"], watched["joules"], copied["energy_windows"]) == (2, 2000, 2)
        assert "http://gpu1:8000" in modicum("ledger", "info", "--ledger", there).out
        assert of_a_team["windows_purged"] == 0
        assert "and 1 windows of energy" in gone

    def test_retention_forgets_windows_too(self, modicum, transcripts, monkeypatch, tmp_path):
        append_windows(None, [window()])
        (tmp_path / "modicum.toml").write_text("keep_days = 36500\n")
        monkeypatch.setenv("MODICUM_CONFIG", str(tmp_path / "modicum.toml"))
        modicum("import", transcripts)
        assert modicum("ledger", "info", "--json").json["watched"]
        (tmp_path / "modicum.toml").write_text("keep_days = 300\n")
        modicum("import", transcripts)
        assert modicum("ledger", "info", "--json").json["watched"] == []

    def test_a_ledger_is_not_copied_onto_itself(self, modicum):
        assert modicum("ledger", "copy", "a", "a").status == 2


def test_an_empty_ledger_says_how_to_fill_it(modicum):
    assert "no calls yet" in modicum("ledger", "info").out
