from datetime import UTC, datetime, timedelta

from modicum.calls import Owner
from modicum.governance.budget_windows import parse_window
from modicum.governance.budgets import Amounts, Budget, LimitUnit, Spender
from modicum.insights.policies.spent_windows import SpentWindows

NOON = datetime(2026, 6, 11, 12, tzinfo=UTC)


def run(per, *hours, limit=2, team=""):
    budget = Budget(name="b", unit=LimitUnit.CALLS, limit=limit, window=parse_window(per, "UTC"), team=team)
    windows = SpentWindows([budget])
    return [
        windows.decide(Spender(Owner(owner), "m", "t", {}), NOON + timedelta(hours=hour), Amounts(0, 0)).is_refusal
        for hour, owner in hours
    ]


def test_a_calendar_window_begins_anew():
    assert run("day", (0, ""), (1, ""), (2, ""), (12, "")) == [False, False, True, False]


def test_a_window_that_slides_forgets_call_by_call_and_refused_ones_never_counted():
    assert run("5h", (0, ""), (3, ""), (4, ""), (5, ""), (6, "")) == [False, False, True, False, True]


def test_every_team_has_its_own_sum():
    assert run("ever", (0, "a"), (0, "b"), (1, "a"), (2, "a"), team="*") == [False, False, False, True]
