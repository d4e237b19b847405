import sqlite3

import pytest

from ledger.faults import garbage, left_open
from modicum.ledger.identities import Identities


def test_an_id_belongs_to_the_first_call_that_had_it_for_good(tmp_path):
    one = Identities(tmp_path / "identities.db")
    assert one.first([("x", "1"), ("x", "2"), ("y", "3")]) == {"x": "1", "y": "3"}
    one.close()

    other = Identities(tmp_path / "identities.db")
    assert other.first([("x", "4"), ("z", "5")]) == {"x": "1", "z": "5"}
    other.close()


def test_only_the_newest_are_remembered(tmp_path, monkeypatch):
    monkeypatch.setattr("modicum.ledger.identities.KEPT", 3)
    identities = Identities(tmp_path / "identities.db")
    for number in range(10):
        identities.first([(f"id {number}", f"{number}")])

    assert identities.first([("id 0", "later"), ("id 9", "later")]) == {"id 0": "later", "id 9": "9"}
    identities.close()


def test_no_ids_ask_for_nothing(tmp_path):
    identities = Identities(tmp_path / "identities.db")
    assert identities.first([]) == {}
    identities.close()


def test_a_file_that_is_no_file_of_ids_is_not_left_open(tmp_path, monkeypatch):
    path = garbage(tmp_path, "random")

    def open_it():
        with pytest.raises(sqlite3.DatabaseError):
            Identities(path)

    assert left_open(monkeypatch, open_it) == 0
