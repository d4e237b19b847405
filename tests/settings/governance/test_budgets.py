import pytest

from modicum.calls import UserError
from modicum.governance.budget_windows import Period
from modicum.governance.budgets import EACH, NANO, AtLimit, LimitUnit
from modicum.settings import BudgetSettings, budgets_of, read_settings
from modicum.settings.governance.budgets import budget_fault

GOOD = {"name": "a", "per": "day", "limit_usd": 5.0}


def one(**fields):
    return BudgetSettings(**(GOOD | fields))


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"name": ""}, "name"),
        ({"name": "größe"}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"limit_usd": None}, "limit_usd"),
        ({"limit_calls": 5}, "limit_usd"),
        ({"limit_usd": -1.0}, "limit_usd"),
        ({"limit_usd": float("nan")}, "limit_usd"),
        ({"limit_usd": float("inf")}, "limit_usd"),
        ({"limit_usd": 1e30}, "limit_usd"),
        ({"limit_usd": None, "limit_calls": -1}, "limit_calls"),
        ({"per": "fortnight"}, "per"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"at_limit": "downgrade"}, "downgrade_to"),
        ({"downgrade_to": "gpt-4o-mini"}, "downgrade_to"),
        ({"at_limit": "downgrade", "downgrade_to": "x", "downgrade_from": 1.5}, "downgrade_from"),
        ({"rollover": -0.1}, "rollover"),
        ({"rollover": 1.1}, "rollover"),
        ({"rollover": float("nan")}, "rollover"),
        ({"rollover": 0.5, "per": "5h"}, "rollover"),
        ({"rollover": 0.5, "per": "task"}, "rollover"),
        ({"emergency_reserve": -0.1}, "emergency_reserve"),
        ({"emergency_reserve": 1.0}, "emergency_reserve"),
        ({"emergency_reserve": float("inf")}, "emergency_reserve"),
        ({"emergency_reserve": 0.1, "at_limit": "alert"}, "emergency_reserve"),
        ({"agent_line_below": -0.1}, "agent_line_below"),
        ({"agent_line_below": 1.1}, "agent_line_below"),
        ({"agent_line_below": float("nan")}, "agent_line_below"),
        ({"tag": "env"}, "tag"),
        ({"tag": "=prod"}, "tag"),
    ],
)
def test_the_setting_that_is_wrong_is_named(fields, key):
    assert budget_fault([one(**fields)], 0)[:2] == (0, key)


def test_two_budgets_of_one_name_are_one_too_many():
    assert budget_fault([one(), one()], 0)[:2] == (1, "name")


@pytest.mark.parametrize(
    ("per", "rollover", "keep_days", "fits"),
    [
        ("month", 0.0, 30, False),
        ("month", 0.0, 40, True),
        ("month", 0.5, 40, False),
        ("month", 0.5, 64, True),
        ("task", 0.0, 400, False),
    ],
)
def test_a_ledger_that_forgets_would_make_room(per, rollover, keep_days, fits):
    assert (budget_fault([one(per=per, rollover=rollover)], keep_days) is None) == fits


def test_a_budget_as_it_is_counted():
    (dollars, calls) = budgets_of(
        [
            one(limit_usd=0.1, at_limit="downgrade", downgrade_to="x", downgrade_from=0.5, timezone="Asia/Tokyo"),
            one(name="b", per="task", limit_usd=None, limit_calls=3, tag="env=*"),
        ],
        "Europe/Berlin",
    )

    assert (dollars.limit, dollars.downgrade_above, dollars.unit) == (NANO // 10, NANO // 20, LimitUnit.USD)
    assert (dollars.at_limit, dollars.window.zone) == (AtLimit.DOWNGRADE, "Asia/Tokyo")
    assert (calls.limit, calls.task, calls.window.period, calls.window.zone) == (3, EACH, Period.EVER, "Europe/Berlin")
    assert (calls.tag, calls.tag_value) == ("env", EACH)


FILE = """
[gateway]
workers = 1

[[budget]]
name = "first"
per = "day"
limit_usd = 5

[[budget]]
name = "second"
per = "week"
limit_usd = -5
"""


def test_a_wrong_value_is_said_with_its_line(tmp_path):
    path = tmp_path / "modicum.toml"
    path.write_text(FILE)

    with pytest.raises(UserError, match=r"modicum.toml:13: budget 'second': limit_usd must be a number from 0"):
        read_settings({"MODICUM_CONFIG": str(path)})
    path.write_text(FILE.replace("-5", "7\nlimit = 1"))
    with pytest.raises(UserError, match=r"unknown field `limit`.*limit_effective_tokens"):
        read_settings({"MODICUM_CONFIG": str(path)})
    path.write_text(FILE.replace("-5", "7"))
    assert [budget.limit_usd for budget in read_settings({"MODICUM_CONFIG": str(path)}).budget] == [5, 7]
