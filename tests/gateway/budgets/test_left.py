from datetime import UTC, datetime
from decimal import Decimal

from modicum.gateway.budgets.covering import CountedBudget
from modicum.gateway.budgets.left import BudgetsLeft, standings_of
from modicum.governance.budget_windows import parse_window
from modicum.governance.budgets import NANO, Budget, LimitUnit
from modicum.state.counters import Level

AT = datetime(2026, 1, 1, 12, tzinfo=UTC)


def sum_of(name, unit, limit, window="ever"):
    return CountedBudget(Budget(name=name, unit=unit, limit=limit, window=parse_window(window, "UTC")), AT).sum_of(
        (), AT
    )


def test_the_tightest_is_named_with_what_the_call_holds():
    sums = sum_of("month", LimitUnit.USD, 10 * NANO), sum_of("calls", LimitUnit.CALLS, 10)
    levels = Level(NANO, 0), Level(2, 1)

    assert BudgetsLeft(sums, levels).text() == "calls; calls=7"
    assert BudgetsLeft(sums, levels, (8 * NANO, 1)).text() == "month; usd=1.000000"
    assert BudgetsLeft((), ()).text() == ""


def test_rules_are_told_the_dollars_without_what_the_call_itself_holds():
    sums = sum_of("month", LimitUnit.USD, 10 * NANO), sum_of("calls", LimitUnit.CALLS, 10)

    assert BudgetsLeft(sums, (Level(NANO, NANO), Level(9, 0)), (5, 1)).usd() == Decimal(8)
    assert BudgetsLeft(sums[1:], (Level(9, 0),)).usd() is None


def test_a_window_opens_at_its_end_and_a_sliding_one_when_its_oldest_part_goes():
    sums = sum_of("day", LimitUnit.CALLS, 10, "day"), sum_of("slides", LimitUnit.CALLS, 10, "5h")

    opens = [one.opens_in_s for one in standings_of(sums, (Level(1, 0), Level(1, 0, 40.0), Level(7, 7)), AT)]

    assert opens == [12 * 3600, 40.0]
