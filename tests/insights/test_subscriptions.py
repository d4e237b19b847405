from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from modicum.calls import Basis, Call, Cost, Entry, Usage
from modicum.insights.subscriptions import compare_with_fees, sum_by_month
from modicum.ledger.opening import open_store
from modicum.metering.price_file import Subscription

UTC_ZONE = ZoneInfo("UTC")


def entry(number, day, usd="10", source="claude-code"):
    call = Call(
        call_id=f"c{number}",
        source=source,
        provider="",
        model="m",
        started=datetime.fromisoformat(day).replace(tzinfo=UTC),
        usage=Usage(1),
    )
    return Entry(call, Cost(None if usd is None else Decimal(usd), Basis.EXACT))


ENTRIES = [
    entry(1, "2026-01-31"),
    entry(2, "2026-02-01"),
    entry(3, "2026-02-20", None),
    entry(4, "2026-04-01"),
    entry(5, "2026-02-02", "99", "codex"),
]


def test_a_fee_is_paid_for_every_month_that_it_was_used_in():
    fee = Subscription(name="Max", source="claude-code", usd_per_month=Decimal(200), since=date(2026, 1, 15))

    (found,) = compare_with_fees([fee], sum_by_month(ENTRIES, UTC_ZONE))

    assert (found.months, found.paid_usd, found.calls, found.list_cost_usd) == (3, 600, 4, 30)


def test_months_before_it_began_and_after_it_ended_are_not_covered():
    fee = Subscription(
        name="Max", source="claude-code", usd_per_month=Decimal(200), since=date(2026, 2, 1), until=date(2026, 4, 1)
    )

    assert compare_with_fees([fee], sum_by_month(ENTRIES, UTC_ZONE))[0].months == 1


def test_the_ledger_gives_the_same_months():
    store = open_store(":memory:")
    store.append(ENTRIES)
    span = {"since": datetime(1990, 1, 1, tzinfo=UTC), "until": datetime(2200, 1, 1, tzinfo=UTC)}
    rows = store.ask("months", zone="UTC", **span)
    store.close()

    assert sorted(rows, key=str) == sorted(sum_by_month(ENTRIES, UTC_ZONE), key=str)
