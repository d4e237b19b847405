"""What was spent before we counted is added once, however many ask, and again where that failed."""

import asyncio
import secrets
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from modicum.calls import UserError
from modicum.gateway.budgets.cover_plan import CallCover
from modicum.gateway.budgets.covering import CountedBudget
from modicum.gateway.budgets.former import FormerLoads
from modicum.gateway.http.refusal import Refused
from modicum.governance.budget_windows import parse_window
from modicum.governance.budgets import AtLimit, Budget, LimitUnit
from modicum.insights.budgets.spend import FormerSpend
from modicum.state.counters import Line
from modicum.state.memory import MemoryCounters
from modicum.state.redis import RedisCounters
from state.server import running_server

NOW = datetime.now(UTC)


class Before:
    """A ledger that fails as often as it is set to."""

    ledger = "one"

    def __init__(self, failures=0):
        self.failures, self.asked = failures, []

    def find(self, budget, since, until, counted_in):  # noqa: ARG002 - as the ledger is asked
        self.asked.append((since, until, counted_in))
        if len(self.asked) <= self.failures:
            raise UserError("it does not answer")
        return [FormerSpend((), 0.0, 7), FormerSpend((), 100.0, 4)]


def budget(per="ever", at_limit=AtLimit.REFUSE, since=NOW):
    window = parse_window(per, "UTC")
    return CountedBudget(Budget(name="b", unit=LimitUnit.CALLS, limit=20, window=window, at_limit=at_limit), since)


def loaded(before, counted, *, times=3, at=NOW):
    async def load():
        counters = MemoryCounters()
        loads, place = FormerLoads(counters, before, lambda _stage: None), counted.sum_of((), at)
        try:
            results = await asyncio.gather(*(loads.load(place) for _ in range(times)), return_exceptions=True)
            results.append(await asyncio.gather(loads.load(place), return_exceptions=True))
        finally:
            loads.close()
        (level,) = await counters.levels([Line(place.counter, 0, None)])
        return results, level.spent

    return asyncio.run(load())


def test_all_that_wait_are_served_by_one_question():
    before = Before()

    assert loaded(before, budget())[1] == 11
    assert [asked[1:] for asked in before.asked] == [(NOW, "")]


def test_a_question_that_failed_is_asked_again_by_the_next_call_and_a_hard_budget_says_so(capfd):
    before = Before(failures=1)
    results, spent = loaded(before, budget(), times=2)

    assert [type(one) for one in results[:2]] == [Refused, Refused]
    assert results[2] == [None]
    assert (spent, len(before.asked)) == (11, 2)
    assert capfd.readouterr().err.count("budget_unknown") == 1


@pytest.mark.parametrize(("failures", "at_limit"), [(0, AtLimit.REFUSE), (1, AtLimit.ALERT)])
def test_a_kind_of_call_is_loaded_once_and_as_long_as_that_fails_at_each_call(failures, at_limit):
    async def load():
        before, counted = Before(failures=failures), budget(at_limit=at_limit)
        loads, cover = FormerLoads(MemoryCounters(), before, lambda _stage: None), CallCover((counted.sum_of((), NOW),))
        complete_in = []
        try:
            for _ in range(3):
                await loads.load_cover(cover)
                complete_in.append(cover.complete_in)
        finally:
            loads.close()
        return complete_in, len(before.asked)

    assert asyncio.run(load()) == ([None] * failures + [""] * (3 - failures), failures + 1)


def test_a_budget_that_only_warns_refuses_nobody():
    assert loaded(Before(failures=1), budget(at_limit=AtLimit.ALERT), times=1)[0][0] is None


def test_a_window_that_slides_is_asked_for_as_a_whole_and_one_that_begins_later_not_at_all():
    sliding, day = Before(), Before()
    loaded(sliding, budget("5h"), at=NOW + timedelta(hours=1))
    loaded(day, budget("day"), at=NOW + timedelta(days=1))

    assert sliding.asked[0][:2] == (NOW - timedelta(hours=5), NOW)
    assert day.asked == []


@pytest.mark.parametrize("failures", [0, 2])
def test_all_budgets_are_loaded_without_any_call(failures, monkeypatch):
    monkeypatch.setattr("modicum.gateway.budgets.former.TRY_AGAIN_S", 0.001)
    before = Before(failures)

    async def load():
        counters = MemoryCounters()
        loads = FormerLoads(counters, before, lambda _stage: None)
        await loads.load_all([budget(), budget("month", since=datetime.now(UTC))])  # that has begun before
        loads.close()
        return len(counters)

    assert asyncio.run(load()) == 2
    assert len(before.asked) == failures + 2


def carrying(share, since):
    window = parse_window("day", "UTC")
    one = Budget(name="b", unit=LimitUnit.CALLS, limit=20, window=window, most_carried=int(20 * share), key="*")
    return CountedBudget(one, since)


@pytest.fixture(scope="module")
def server():
    with running_server() as server:
        yield server


@pytest.fixture(params=["memory", "redis"])
def opened(request):
    """Makes counters that nobody has used."""

    async def make():
        if request.param == "memory":
            return MemoryCounters()
        url = request.getfixturevalue("server").url
        counters = RedisCounters(url, "host/a", secrets.token_hex(4), grace_s=0)
        await counters.start()
        await counters.report_reserved_again()
        await counters.report_loaded()  # nobody else is waited for
        return counters

    return make


async def limit_of(name, at, counters, counted, before):
    """Of a sum, as a process sees it that has just begun."""
    loads = FormerLoads(counters, before, lambda _stage: None)
    try:
        return (await loads.with_carried(counted.sum_of((name,), at))).budget.limit
    finally:
        loads.close()


def limits_of_today(opened, counted, before, spent_yesterday=0, held_yesterday=0):
    """The limit of two sums today: of `ci`, which spent, as two processes see it, and of `web`."""

    async def ask():
        counters, yesterday = await opened(), NOW - timedelta(days=1)
        place = counted.sum_of(("ci",), yesterday)
        await counters.reserve("runs", [place.held_line(held_yesterday)])
        await counters.add(place.held_line(spent_yesterday))
        limits = []
        for name in ("ci", "ci", "web"):
            limits.append(await limit_of(name, NOW, counters, counted, before))
            await counters.add(place.held_line(1))  # comes too late: what is carried is settled
        await counters.close()
        return limits

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("share", "spent", "held", "limit"),
    [(0, 0, 0, 20), (1, 0, 0, 40), (0.5, 0, 0, 30), (0.5, 15, 0, 25), (0.5, 15, 3, 22), (1, 20, 0, 20), (1, 33, 0, 20)],
)
def test_what_was_left_of_yesterday_is_added_up_to_a_share_less_what_runs(opened, share, spent, held, limit):
    counted = carrying(share, NOW - timedelta(days=3))

    assert limits_of_today(opened, counted, Before(), spent, held) == [limit, limit, 20 + int(20 * share)]


def test_what_was_left_of_a_day_before_we_counted_comes_from_the_ledger(opened):
    day = NOW.replace(hour=0, minute=0, second=0, microsecond=0)

    class OfYesterday(Before):
        def find(self, budget, since, until, counted_in):
            super().find(budget, since, until, counted_in)
            return [FormerSpend(("ci",), 0.0, 17)]

    before = OfYesterday()
    assert limits_of_today(opened, carrying(1, NOW), before) == [23, 23, 40]
    assert before.asked[0][:2] == (day - timedelta(days=1), day)


def test_a_window_that_slides_carries_nothing(opened):
    window = parse_window("5h", "UTC")
    counted = CountedBudget(
        Budget(name="b", unit=LimitUnit.CALLS, limit=20, window=window, most_carried=9, key="*"), NOW
    )

    assert limits_of_today(opened, counted, Before()) == [20, 20, 20]


def test_what_is_carried_on_cannot_be_spent_by_a_late_call_of_the_day_before_as_well(opened):
    counted = carrying(0.5, NOW - timedelta(days=3))

    async def late():
        counters, yesterday = await opened(), counted.sum_of(("ci",), NOW - timedelta(days=1))
        await counters.add(yesterday.held_line(14))
        limit = await limit_of("ci", NOW, counters, counted, Before())
        late = [(await counters.reserve(f"{number}", [yesterday.line(1)])).admitted for number in range(3)]
        again = await limit_of("ci", NOW, counters, counted, Before())
        await counters.close()
        return limit, late, again

    assert asyncio.run(late()) == (26, [False] * 3, 26)


@pytest.mark.parametrize(("limit", "share", "today"), [(40, 0.5, 60), (20, 1, 26), (10, 1, 10), (20, 0, 20)])
def test_a_budget_that_is_changed_carries_on_what_it_would_have_from_the_same_sum(limit, share, today):
    counted, since = carrying(0.5, NOW - timedelta(days=3)), NOW - timedelta(days=3)
    changed = msgspec.structs.replace(counted.budget, limit=limit, most_carried=int(limit * share))

    async def change():
        counters = MemoryCounters()
        loads = FormerLoads(counters, Before(), lambda _stage: None)
        await counters.add(counted.sum_of(("ci",), NOW - timedelta(days=1)).held_line(14))
        before = await loads.with_carried(counted.sum_of(("ci",), NOW))
        after = await loads.with_carried(CountedBudget(changed, since).sum_of(("ci",), NOW))
        loads.close()
        return before.budget.limit, after.budget.limit

    assert asyncio.run(change()) == (26, today)


def test_all_ledgers_add_the_window_before_too_where_something_is_carried():
    before, counted = Before(), carrying(1, NOW + timedelta(days=1))

    async def load():
        loads = FormerLoads(MemoryCounters(), before, lambda _stage: None)
        await loads.load_all([counted])
        loads.close()

    asyncio.run(load())
    today, yesterday = (asked[:2] for asked in before.asked)
    assert yesterday == (today[0] - timedelta(days=1), today[0])
