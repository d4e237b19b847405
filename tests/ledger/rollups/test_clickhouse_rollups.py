from datetime import UTC, datetime, timedelta

import pytest

from ledger.rollups.test_rolled_answers import BERLIN, BY_HAND, NOW, SPANS, START, ask_plainly, assert_same, one_of_each
from ledger.samples import entry
from modicum.ledger.opening import open_store
from modicum.ledger.rollups.day_spans import slot_of

ASKED = {"by": "day", "tag": "", "zone": BERLIN, "since": SPANS[0][0], "until": NOW, "where": {}}


@pytest.fixture
def store(clickhouse_place):
    opened = open_store(clickhouse_place)
    yield opened
    opened.close()


def test_a_program_that_was_stopped_half_way_leaves_a_day_that_is_read_from_its_entries(store, monkeypatch):
    store.append(BY_HAND[0])
    store.sum_days(BERLIN, NOW, 100)
    rolled = store._rollups
    with monkeypatch.context() as patched:
        marks, mark = [], rolled.touch
        patched.setattr(rolled, "touch", lambda slots: marks.append(slots) or (len(marks) == 1 and mark(slots)))
        store.append([one_of_each(99, started=START + timedelta(hours=30))])  # marked before, and not after
    assert_same(store.ask("bill", **ASKED), ask_plainly(store, "bill", **ASKED))
    assert sum(row["calls"] for row in store.ask("bill", **ASKED)) == 15

    insert = rolled._command
    with monkeypatch.context() as patched:

        def stop(sql, parameters):
            if "summed_slots_log" in sql:
                raise ConnectionError
            insert(sql, parameters)

        patched.setattr(rolled, "_command", stop)
        with pytest.raises(ConnectionError):
            store.sum_days(BERLIN, NOW, 100)
    assert_same(store.ask("bill", **ASKED), ask_plainly(store, "bill", **ASKED))

    assert store.sum_days(BERLIN, NOW, 100) == 1
    assert store.sum_days(BERLIN, NOW, 100) == 0
    assert_same(store.ask("bill", **ASKED), ask_plainly(store, "bill", **ASKED))
    kept = store._rows("SELECT started, uniqExact(summed_at) AS times FROM rollups_log GROUP BY started", {})
    assert {row["times"] for row in kept} == {1}  # what was summed before is gone


def test_a_day_that_was_summed_while_its_entry_was_booked_is_summed_again_when_the_entry_comes_again(
    store, monkeypatch
):
    store.append(BY_HAND[0])
    store.sum_days(BERLIN, NOW, 100)
    rolled, late = store._rollups, one_of_each(99, started=START + timedelta(hours=30))
    with monkeypatch.context() as patched:
        marks, mark = [], rolled.touch

        def summed_behind_the_first_mark(slots):
            slots = set(slots)
            marks.append(slots)
            if len(marks) > 1:
                raise ConnectionError  # as if killed before the second one
            mark(slots)
            store.sum_days(BERLIN, NOW, 100)

        patched.setattr(rolled, "touch", summed_behind_the_first_mark)
        with pytest.raises(ConnectionError):
            store.append([late])

    assert store.append([late]).unchanged == 1
    assert_same(store.ask("bill", **ASKED), ask_plainly(store, "bill", **ASKED))
    assert sum(row["calls"] for row in store.ask("bill", **ASKED)) == 15


def test_what_comes_as_it_happens_is_marked_once(store, monkeypatch):
    commands = []
    real = store._rollups._command
    monkeypatch.setattr(store._rollups, "_command", lambda sql, values: (commands.append(sql), real(sql, values)))
    now = datetime.now(UTC)

    store.append([entry("a", started=now)])
    store.append([entry("b", started=now)])
    assert len(commands) == 1
    store.append([entry("c", started=now - timedelta(hours=5))])
    assert len(commands) == 3  # before it, and after it


def test_another_zone_is_summed_beside_the_first(store):
    store.append(BY_HAND[0])
    store.sum_days(BERLIN, NOW, 100)

    assert store.sum_days("UTC", NOW, 100) == 4
    asked = ASKED | {"zone": "UTC"}
    assert_same(store.ask("bill", **asked), ask_plainly(store, "bill", **asked))
    assert slot_of(START) in {row["slot"] for row in store._rows("SELECT slot FROM touched_slots_log", {})}
