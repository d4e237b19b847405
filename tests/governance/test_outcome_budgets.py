import pytest

from modicum.governance.budget_windows import BudgetWindow, Period
from modicum.governance.outcome_budgets import OutcomeBudget, OutcomeSpend, judge_cost
from modicum.statistics.ratios import ratio_of_sums

BUDGET = OutcomeBudget(outcome="resolved", limit_usd=2.0, window=BudgetWindow(Period.MONTH))


def spend(**fields):
    usual = {"tasks": 50, "outcomes": 40, "cost_usd": 40.0, "usd_each": 1.0, "low": 0.8, "high": 1.3}
    return OutcomeSpend(**(usual | fields))


@pytest.mark.parametrize(
    ("fields", "ruling", "words"),
    [
        ({}, "within", "the whole interval is within"),
        ({"usd_each": 3.0, "low": 2.1, "high": 4.0}, "above", "the whole interval is above"),
        ({"high": 2.5}, "not_shown", "the interval holds the limit"),
        ({"low": 2.0, "high": 2.0}, "within", ""),
        ({"tasks": 0, "outcomes": 0, "usd_each": None, "low": None}, "cannot_say", "no task has an outcome"),
        ({"tasks": 9}, "cannot_say", "9 tasks are too few"),
        ({"tasks": 9, "low": 5.0, "usd_each": 6.0, "high": 7.0}, "cannot_say", "9 tasks are too few"),
        ({"low": None, "high": None, "no_interval": "all tasks are alike"}, "cannot_say", "all tasks are alike"),
        ({"is_lower_bound": True}, "not_shown", "the costs are a lower bound"),
        ({"is_lower_bound": True, "usd_each": 3.0, "low": 2.1, "high": 4.0}, "above", ""),
        ({"tasks_unpriced": 3}, "not_shown", "3 tasks are left out"),
        ({"tasks_without_outcome": 8, "cost_without_outcome_usd": 50.0}, "not_shown", "if they fail, one costs $2.25"),
        (
            {"tasks_without_outcome": 8, "cost_without_outcome_usd": 20.0},
            "within",
            "8 tasks have no outcome yet, at $20",
        ),
        ({"caution": "few tasks hold nearly all"}, "within", "with care: few tasks"),
    ],
)
def test_what_is_said(fields, ruling, words):
    verdict = judge_cost(BUDGET, spend(**fields))

    assert verdict.ruling == ruling
    assert words in verdict.why


def without_any(tasks, cost):
    return judge_cost(BUDGET, OutcomeSpend(tasks=tasks, outcomes=0, cost_usd=cost))


def test_not_one_outcome_is_above_once_chance_cannot_explain_it():
    dear, cheap, few = without_any(40, 80.0), without_any(40, 1.0), without_any(9, 900.0)

    assert dear.ruling == "above"
    assert "at most 7.2 % of cases (95 %), so one costs $27.72 or more" in dear.why
    assert (cheap.ruling, few.ruling) == ("cannot_say", "cannot_say")
    assert "not one resolved in 9 tasks for $900.00" in few.why


def test_how_many_tasks_would_decide():
    verdict = judge_cost(BUDGET, spend(usd_each=1.6, low=1.0, high=2.56))

    needed = verdict.tasks_needed
    assert needed == pytest.approx(50 * (0.470 / 0.2231) ** 2, rel=0.01)
    assert judge_cost(BUDGET, spend(usd_each=2.0, low=1.0, high=4.0)).tasks_needed is None


def test_the_verdict_is_that_of_the_interval_of_a_yield():
    ratio = ratio_of_sums([3.0] * 30, [1.0, 0.0] * 15)
    verdict = judge_cost(
        BUDGET,
        OutcomeSpend(tasks=30, outcomes=15, cost_usd=90.0, usd_each=ratio.value, low=ratio.low, high=ratio.high),
    )

    assert (ratio.value, verdict.ruling) == (6.0, "above")
