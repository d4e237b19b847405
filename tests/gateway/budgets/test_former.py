"""What was spent before we counted is added once, however many ask, and again where that failed."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from modicum.calls import UserError
from modicum.gateway.budgets.covering import CountedBudget
from modicum.gateway.budgets.former import FormerLoads
from modicum.gateway.http.refusal import Refused
from modicum.governance.budget_windows import parse_window
from modicum.governance.budgets import AtLimit, Budget, LimitUnit
from modicum.insights.budgets.spend import FormerSpend
from modicum.state.counters import Line
from modicum.state.memory import MemoryCounters

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


def budget(per="ever", at_limit=AtLimit.REFUSE):
    window = parse_window(per, "UTC")
    return CountedBudget(Budget(name="b", unit=LimitUnit.CALLS, limit=20, window=window, at_limit=at_limit), NOW)


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
        await loads.load_all([budget(), budget("hour")])
        loads.close()
        return len(counters)

    assert asyncio.run(load()) == 2
    assert len(before.asked) == failures + 2
