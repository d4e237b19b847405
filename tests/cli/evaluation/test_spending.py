import pytest

from modicum.calls import UserError
from modicum.cli.evaluation.spending import BudgetReached, EvalBudget


def test_what_is_set_aside_counts_until_it_is_settled(tmp_path):
    budget = EvalBudget(tmp_path / "spending", 1.0)
    number = budget.reserve(0.7)
    with pytest.raises(BudgetReached):
        budget.reserve(0.4)
    budget.settle(number, 0.1)
    budget.reserve(0.4)

    assert budget.spent_usd == pytest.approx(0.5)
    assert EvalBudget(tmp_path / "spending", 1.0).spent_usd == pytest.approx(0.5)


def test_a_cost_that_nobody_knows_stays_at_its_worst(tmp_path):
    budget = EvalBudget(tmp_path / "spending", 1.0)
    budget.settle(budget.reserve(0.7), None)

    assert budget.spent_usd == pytest.approx(0.7)


def test_an_unknown_worst_case_passes_no_budget(tmp_path):
    with pytest.raises(UserError, match="nobody knows what such a call may cost"):
        EvalBudget(tmp_path / "spending", 1.0).reserve(None)
    EvalBudget(tmp_path / "free", None).reserve(None)


def test_a_file_broken_in_its_middle_is_no_empty_one(tmp_path):
    path = tmp_path / "spending"
    path.write_text('{"number":0,"usd":0.5}\n{"numb')
    assert EvalBudget(path, 1.0).spent_usd == 0.5
    path.write_text('{"numb\n{"number":0,"usd":0.5}\n')
    with pytest.raises(UserError, match="nobody knows what was spent"):
        EvalBudget(path, 1.0)
