from ledger_process.rig import LedgerProcess
from modicum.cli.console.sources import sources_of
from modicum.settings import Settings


def test_what_ended_within_the_last_minute_is_asked_of_the_process(tmp_path):
    with LedgerProcess(tmp_path) as ledger:
        sources = sources_of(ledger.place, tmp_path, Settings(), Settings)
        assert sources.find_live()["total"]["calls"] == 0
        with sources.open_store() as store:
            assert store.place == ledger.place


def test_without_a_process_nobody_can_say(tmp_path):
    assert sources_of(str(tmp_path / "l.duckdb"), tmp_path, Settings(), Settings).find_live() is None
