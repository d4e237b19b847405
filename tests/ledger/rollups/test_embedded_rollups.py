from datetime import UTC, datetime, timedelta

import pytest

from ledger.rollups.test_rolled_answers import (
    BERLIN,
    BY_HAND,
    NOW,
    SPANS,
    START,
    ask_plainly,
    assert_same,
    one_of_each,
    reads_sums,
)
from ledger.samples import entry
from modicum.ledger.opening import open_store


@pytest.fixture
def store():
    opened = open_store(":memory:")
    yield opened
    opened.close()


def test_another_zone_has_all_days_summed_anew(store):
    store.append(BY_HAND[0])
    store.sum_days(BERLIN, NOW, 100)

    assert store.sum_days("Asia/Kathmandu", NOW, 100) == 3
    asked = {"by": "day", "tag": "", "zone": "Asia/Kathmandu", "since": SPANS[0][0], "until": NOW, "where": {}}
    assert reads_sums(store, "bill", **asked)
    assert_same(store.ask("bill", **asked), ask_plainly(store, "bill", **asked))


def test_a_day_is_left_open_for_an_hour_after_its_end(store):
    today = datetime.now(UTC)
    store.append([entry("now", started=today)])

    assert store.sum_days("UTC", today + timedelta(days=2), 100) == 0


def test_what_is_known_of_days_outlives_the_program(tmp_path):
    path = str(tmp_path / "ledger.duckdb")
    store = open_store(path)
    store.append(BY_HAND[0])
    store.sum_days(BERLIN, NOW, 2)
    store.append([one_of_each(13, usd="3", revision=1)])
    store.close()

    store = open_store(path)
    asked = {"by": "team", "tag": "", "zone": BERLIN, "since": SPANS[0][0], "until": NOW, "where": {}}
    assert_same(store.ask("bill", **asked), ask_plainly(store, "bill", **asked))
    assert store.sum_days(BERLIN, NOW, 100) == 3
    assert_same(store.ask("bill", **asked), ask_plainly(store, "bill", **asked))
    store.close()


def test_a_batch_that_fails_leaves_no_day_half_touched(tmp_path, monkeypatch):
    store = open_store(str(tmp_path / "ledger.duckdb"))
    store.append(BY_HAND[0])
    store.sum_days(BERLIN, NOW, 100)
    late = one_of_each(99, started=START + timedelta(hours=30))
    with monkeypatch.context() as patched:
        patched.setattr(store, "_append_reuse", lambda _: store.execute("SELECT error('disk')", {}))
        with pytest.raises(Exception, match="disk"):
            store.append([late])
    store.append([late])

    asked = {"by": "team", "tag": "", "zone": BERLIN, "since": SPANS[0][0], "until": NOW, "where": {}}
    assert sum(row["calls"] for row in store.ask("bill", **asked)) == 15
    store.close()
