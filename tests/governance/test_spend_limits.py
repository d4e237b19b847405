from decimal import Decimal

import pytest

from modicum.governance.spend_limits import MirroredBudget, mirrored


def limit(scope, amount="50000", period="monthly", **more):
    return {"type": "spend_limit", "id": "spl_1", "scope": scope, "amount": amount, "period": period} | more


ORGANIZATION = {"type": "organization"}
GROUP = {"type": "rbac_group", "rbac_group_id": "contractors"}


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (limit(ORGANIZATION), MirroredBudget("claude-each-month", "month", Decimal(500), "", "*")),
        (
            limit(GROUP, "10050", "daily", currency="USD"),
            MirroredBudget("claude-contractors-day", "day", Decimal("100.5"), "contractors", "*"),
        ),
        (
            limit({"type": "user", "user_id": "user_1"}, "1", "weekly"),
            MirroredBudget("claude-user_1-week", "week", Decimal("0.01"), "", "user_1"),
        ),
    ],
)
def test_a_limit_is_a_budget_of_each_person_whom_it_covers(given, wanted):
    assert mirrored([given]) == ([wanted], [])


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (limit({"type": "seat_tier", "seat_tier": "premium"}), "no counterpart"),
        (limit({"type": "rbac_group"}), "no counterpart"),
        (limit(ORGANIZATION, None), "no limit"),
        (limit(ORGANIZATION, "-5"), "no number of cents"),
        (limit(ORGANIZATION, 500), "no number of cents"),
        (limit(ORGANIZATION, "0"), "is 0"),
        (limit(ORGANIZATION, currency="EUR"), "in EUR"),
        (limit(ORGANIZATION, period="yearly"), "period"),
        (limit(ORGANIZATION, is_enabled=False), "switched off"),
        ("x", "period"),
        (limit(None), "no counterpart"),
    ],
)
def test_what_cannot_be_mirrored_is_said(given, why):
    budgets, (problem,) = mirrored([given])
    assert budgets == []
    assert why in problem


def test_who_has_more_there_is_held_to_the_smaller_limit_here_and_that_is_said():
    one = limit({"type": "user", "user_id": "ann"}, "90000")
    budgets, (problem,) = mirrored([limit(ORGANIZATION), one])
    assert len(budgets) == 2
    assert "claude-ann-month" in problem
    assert mirrored([limit(ORGANIZATION), limit({"type": "user", "user_id": "ann"}, "100")]).problems == []
