from datetime import UTC, datetime, timedelta

import pytest

from ledger.samples import entry
from modicum.calls import UserError
from modicum.ledger.opening import open_store
from modicum.ledger_process.day_sums import DAYS_A_TURN, EVERY_S, REST, DaySums
from modicum.ledger_process.watching.live_settings import LiveSettings
from modicum.settings import Settings


class Clock:
    def __init__(self):
        self.s = 100.0

    def __call__(self):
        return self.s


def test_days_are_summed_a_few_at_a_time_with_rests_between():
    clock, store = Clock(), open_store(":memory:")
    sums = DaySums(LiveSettings(Settings(timezone="UTC")), clock)
    began = datetime.now(UTC) - timedelta(days=5)
    store.append([entry(f"c{day}", started=began + timedelta(days=day)) for day in range(3)])
    plain = store.sum_days

    def two_seconds(*asked):
        clock.s += 2
        return plain(*asked)

    store.sum_days = two_seconds
    assert sums.sum_some(store) == DAYS_A_TURN
    clock.s += 2 * REST - 0.1
    assert sums.sum_some(store) == 0
    clock.s += 0.1
    assert sums.sum_some(store) == 1
    clock.s += 2 * REST
    assert sums.sum_some(store) == 0  # none is left
    store.append([entry("c9", started=began)])
    clock.s += EVERY_S - 2.1
    assert sums.sum_some(store) == 0
    clock.s += 0.1
    assert sums.sum_some(store) == 1


def test_a_zone_that_there_is_not_is_said_and_asked_for_again_after_a_while():
    clock = Clock()
    sums = DaySums(LiveSettings(Settings(timezone="Mars/Olympus")), clock)

    with pytest.raises(UserError, match="Mars/Olympus"):
        sums.sum_some(open_store(":memory:"))
    assert sums.sum_some(open_store(":memory:")) == 0
