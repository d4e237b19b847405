from datetime import timedelta

from ledger.samples import START, entry
from modicum.calls import Owner, Usage
from modicum.governance.alerts import AlertKind
from modicum.ledger.opening import open_store
from modicum.ledger_process.watching.spend_watch import SpendWatch, find_unusual

BY_TEAM = (("team", ""),)
TODAY = START.date() + timedelta(days=30)


def filled(last_usd="10", cache_read=2_000_000):
    """Thirty days of $10 a day, all cached; then yesterday, and today."""
    store = open_store(":memory:")
    usage = Usage(1000, 2_000_000)
    days = [entry(f"c{n}", "10", owner=Owner("a"), started=START + timedelta(days=n), usage=usage) for n in range(29)]
    yesterday = Usage(2_001_000 - cache_read, cache_read)
    days.append(entry("y", "10", owner=Owner("a"), started=START + timedelta(days=29), usage=yesterday))
    store.append([*days, entry("t", last_usd, owner=Owner("a"), started=START + timedelta(days=30), usage=usage)])
    return store


def test_an_ordinary_day_is_none_and_a_dear_one_is_told_while_it_lasts():
    assert find_unusual(filled(), BY_TEAM, 20, TODAY, "UTC") == []

    (found,) = find_unusual(filled("90"), BY_TEAM, 20, TODAY, "UTC")

    assert (found.kind, found.owner.text, found.day, found.figure) == (AlertKind.SPEND_ANOMALY, "a", TODAY, 90)


def test_owners_are_those_of_the_settings():
    (found,) = find_unusual(filled("90"), (("team", ""), ("tag", "client")), 20, TODAY, "UTC")

    assert found.owner.names == (("team", "a"), ("tag:client", ""))


def test_caches_that_went_cold_yesterday_are_told():
    (found,) = find_unusual(filled(cache_read=100_000), BY_TEAM, 20, TODAY, "UTC")

    assert (found.kind, found.day) == (AlertKind.CACHE_COLD, TODAY - timedelta(days=1))
    assert found.figure < 0.06
    assert found.usual > 0.9


def test_it_is_asked_every_ten_minutes_and_not_at_all_without_a_floor():
    watch = SpendWatch()
    watch.check(open_store(":memory:"), BY_TEAM, 20, "")
    watch.check(None, BY_TEAM, 20, "")
    watch.check(None, BY_TEAM, 0, "")

    assert watch.unusual == ()
