from datetime import UTC, datetime

import pytest

from modicum.calls import Owner, UserError
from modicum.console.acting.decisions import decide, read_events
from modicum.governance.keys import KeyEvent, audit

EVENT = KeyEvent(what="issued", key_id="k1", at=datetime(2026, 11, 30, tzinfo=UTC), by="ann", owner=Owner(key="ci"))


def test_a_decision_sees_all_before_it_and_may_refuse(asking_as, tmp_path):
    eve = asking_as("eve")
    assert read_events(tmp_path, "key", KeyEvent) == []
    decide(eve, "key", KeyEvent, lambda _former: EVENT, audit)

    def refuse(former):
        raise UserError(f"{len(former)} before")

    with pytest.raises(UserError, match="1 before"):
        decide(eve, "key", KeyEvent, refuse, audit)
    assert read_events(tmp_path, "key", KeyEvent) == [EVENT]


def test_a_ledger_that_is_away_loses_no_decision(asking_as, tmp_path, monkeypatch):
    eve = asking_as("eve")

    def away(_use):
        raise UserError("the ledger is away")

    monkeypatch.setattr(eve, "unchecked", away)
    decide(eve, "key", KeyEvent, lambda _former: EVENT, audit)

    assert read_events(tmp_path, "key", KeyEvent) == [EVENT]


def test_without_decisions_there_is_no_file(tmp_path):
    assert read_events(tmp_path / "state", "key", KeyEvent) == []
    assert not (tmp_path / "state").exists()
