"""The ledger on ClickHouse, where it differs from the other engine: in process, by `chdb`."""

from datetime import timedelta

import pytest

from ledger.samples import EVER, START, entry, window
from modicum.calls import Outcome, UserError
from modicum.ledger.clickhouse import ClickHouseStore
from modicum.ledger.records import ENERGY_WINDOWS, OUTCOMES
from modicum.ledger.store import Appended


@pytest.fixture
def place(clickhouse_place):
    return clickhouse_place


@pytest.fixture
def store(place):
    opened = ClickHouseStore(place)
    yield opened
    opened.close()


def test_times_in_questions_are_exact_to_the_microsecond(store):
    moment = START + timedelta(microseconds=7)
    store.append_records(OUTCOMES, [Outcome(outcome_id="o", task="t", name="n", value=1.0, time=moment)])

    assert len(store.records(OUTCOMES, moment)) == 1
    assert store.records(OUTCOMES, moment + timedelta(microseconds=1)) == []
    assert store.records(OUTCOMES, None, moment) == []


def test_an_answer_without_rows_has_its_columns(store):
    store.append([entry()])
    nobody = EVER | {"since": EVER["until"]}

    assert store.ask_columns("history_calls", **nobody).keys() == store.ask_columns("history_calls", **EVER).keys()


def test_a_view_that_was_lost_is_made_again(store, place):
    store.append_records(ENERGY_WINDOWS, [window()])
    store._client.command("DROP VIEW energy_windows")
    store.close()
    again = ClickHouseStore(place)

    assert again.records(ENERGY_WINDOWS) == [window()]
    again.close()


def test_replaced_records_are_forgotten_with_the_one_that_stands(store):
    store.append_records(ENERGY_WINDOWS, [window(seconds=2.0)])
    store.append_records(ENERGY_WINDOWS, [window()])

    assert store.purge_records(START + timedelta(days=1)) == {"energy_windows": 1, "shortenings": 0}
    assert store._rows("SELECT count() AS held FROM energy_log", {}) == [{"held": 0}]
    assert store.append_records(ENERGY_WINDOWS, [window(seconds=2.0)]) == Appended(new=1)


def test_a_ledger_of_a_newer_version_is_refused(store, place):
    store._client.command("INSERT INTO schema_versions VALUES (900, now())")
    store.close()

    with pytest.raises(UserError, match=r"was written by a newer modicum \(schema 900\)"):
        ClickHouseStore(place)


def test_a_password_is_in_no_message():
    with pytest.raises(UserError, match=r"clickhouse://ann:\*\*\*@127.0.0.1:1/none does not answer") as refused:
        ClickHouseStore("clickhouse://ann:secret@127.0.0.1:1/none")
    assert "secret" not in str(refused.value)
