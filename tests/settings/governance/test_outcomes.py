import pytest

from modicum.calls import UserError
from modicum.governance.budget_windows import Period
from modicum.settings import OutcomeSettings, outcome_budgets_of, read_settings, worth_of
from modicum.settings.governance.outcomes import outcome_fault

GOOD = {"name": "resolved", "limit_usd": 2.0}


def one(**fields):
    return OutcomeSettings(**(GOOD | fields))


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"name": " "}, "name"),
        ({"limit_usd": None}, "worth_usd"),
        ({"worth_usd": -1.0}, "worth_usd"),
        ({"worth_usd": float("nan")}, "worth_usd"),
        ({"limit_usd": 0.0}, "limit_usd"),
        ({"limit_usd": float("inf")}, "limit_usd"),
        ({"per": "fortnight"}, "per"),
        ({"per": "task"}, "per"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"by": "colour"}, "by"),
        ({"by": "status"}, "by"),
    ],
)
def test_the_setting_that_is_wrong_is_named(fields, key):
    assert outcome_fault([one(**fields)], 0)[:2] == (0, key)


def test_one_row_for_each_outcome():
    assert outcome_fault([one(), one()], 0)[:2] == (1, "name")
    assert outcome_fault([one(by="tag:feature"), one(name="merged", by="team", per="ever")], 0) is None


def test_a_ledger_that_forgets_cannot_answer():
    assert outcome_fault([one(per="90d")], 30)[:2] == (0, "per")


def test_budgets_and_worth():
    rows = [one(by="tag:feature", worth_usd=4.5), one(name="merged", limit_usd=None, worth_usd=9.0)]
    (budget,) = outcome_budgets_of(rows, "Europe/Berlin")

    assert (budget.outcome, budget.limit_usd, budget.by) == ("resolved", 2.0, "tag:feature")
    assert (budget.window.period, budget.window.sliding_s, budget.window.zone) == (
        Period.SLIDING,
        30 * 86_400,
        "Europe/Berlin",
    )
    assert (worth_of(rows, "merged"), worth_of(rows, "resolved"), worth_of(rows, "none")) == (9.0, 4.5, None)


def test_a_wrong_row_is_named_with_its_line(tmp_path):
    path = tmp_path / "modicum.toml"
    path.write_text('[[outcome]]\nname = "a"\nworth_usd = 1\n\n[[outcome]]\nname = "b"\nlimit_usd = -1\n')

    with pytest.raises(UserError, match=r"modicum.toml:7: outcome 'b': limit_usd must be a number above 0"):
        read_settings({"MODICUM_CONFIG": str(path)})
