import pytest

import modicum as library
from ledger.samples import entry
from modicum.calls import Owner, UserError
from modicum.ledger.opening import open_store


@pytest.fixture
def place(tmp_path):
    place = str(tmp_path / "own.duckdb")
    store = open_store(place)
    store.append(
        [
            entry("c2", model="b", owner=Owner("search", user="ann")),
            entry("c1", model="a", owner=Owner("search")),
            entry("c3", model="a", owner=Owner("chat")),
        ]
    )
    store.close()
    return place


def test_several_questions_are_asked_of_one_ledger(place):
    with library.open_ledger(place) as ledger:
        bill = ledger.bill(by="team")
        calls = ledger.calls(where={"team": "search"})

        assert {row["name"]: row["calls"] for row in bill.to_dicts()} == {"search": 2, "chat": 1}
        assert [row["call_id"] for row in calls.to_dicts()] == ["c1", "c2"]
        assert ledger.place == place
        assert ledger.ask("names", by="model", tag="", zone="UTC")


def test_other_persons_are_not_named_and_oneself_is(place, home, monkeypatch):
    with library.open_ledger(place) as ledger:
        assert {row["owner"]["user"] for row in ledger.calls().to_dicts()} == {None, ""}
        monkeypatch.setenv("LOGNAME", "ann")
        assert {row["owner"]["user"] for row in ledger.calls().to_dicts()} == {"ann", ""}


def test_a_ledger_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(UserError, match="there is no ledger"):
        library.open_ledger(str(tmp_path / "none.duckdb"))
    assert not (tmp_path / "none.duckdb").exists()


def test_a_closed_one_frees_the_file(place):
    library.open_ledger(place).close()

    with library.open_ledger(place) as again:
        assert again.calls(since="2000-01-01").entries
