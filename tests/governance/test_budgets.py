import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.calls import Owner
from modicum.governance.budget_windows import BudgetWindow, Period
from modicum.governance.budgets import (
    NANO,
    Amounts,
    AtLimit,
    Budget,
    LimitUnit,
    Ruling,
    Spender,
    Standing,
    crossed,
    decide,
    fits_model,
    show_amount,
    tightest,
)

DAY = BudgetWindow(Period.DAY)
CALL = Spender(Owner("platform", "bot", "ada", "ci"), "gpt-4o-mini", "PR-1", {"env": "prod"})


def budget(limit=100, unit=LimitUnit.CALLS, **fields):
    return Budget(**({"name": "b", "unit": unit, "limit": limit, "window": DAY} | fields))


def amounts(amount):
    return Amounts(amount, amount, amount)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"team": "platform"},
        {"key": "ci", "app": "bot", "user": "ada"},
        {"model": "gpt-4o*"},
        {"task": "PR-1"},
        {"tag": "env", "tag_value": "prod"},
    ],
)
def test_a_budget_covers_the_calls_that_all_of_its_names_fit(fields):
    assert budget(**fields).instance_of(CALL) == ()


@pytest.mark.parametrize(
    "fields",
    [
        {"team": "research"},
        {"team": "platform", "key": "other"},
        {"model": "claude-*"},
        {"task": "PR-2"},
        {"tag": "env", "tag_value": "test"},
        {"tag": "other", "tag_value": "prod"},
    ],
)
def test_and_no_others(fields):
    assert budget(**fields).instance_of(CALL) is None


def test_each_name_has_a_sum_of_its_own_and_to_have_none_is_no_way_past():
    each = budget(team="*", task="*", tag="env", tag_value="*")

    assert each.instance_of(CALL) == ("platform", "PR-1", "prod")
    assert each.instance_of(Spender(Owner(), "m", "", {})) == ("", "", "")


def test_a_model_fits_as_it_is_asked_for_and_as_it_is_dated():
    assert fits_model("gpt-4o", "gpt-4o-2024-08-06")
    assert fits_model("claude-opus-4-5", "claude-opus-4-5-20251101")
    assert not fits_model("gpt-4o", "gpt-4o-mini")


def test_what_is_counted_stays_the_same_when_a_limit_is_changed():
    assert budget(1).identity == budget(2, at_limit=AtLimit.ALERT).identity
    assert budget(1).identity != budget(1, team="x").identity
    assert budget(1, unit=LimitUnit.USD).identity != budget(1).identity


ENTRIES = st.lists(
    st.tuples(st.integers(0, 300), st.integers(0, 200), st.integers(0, 200), st.sampled_from(list(AtLimit))), max_size=5
)


@given(ENTRIES, st.integers(0, 150))
def test_a_call_is_admitted_if_and_only_if_it_fits_every_hard_budget(entries, amount):
    standings = [
        Standing(budget(limit, at_limit=at_limit, downgrade_above=limit), spent, reserved)
        for limit, spent, reserved, at_limit in entries
    ]
    fits = all(one.spent + one.reserved + amount <= one.budget.limit for one in standings if one.budget.is_hard)

    verdict = decide(standings, amounts(amount), may_downgrade=False)

    assert (verdict.ruling is Ruling.ADMIT) == fits
    assert verdict.is_refusal == (not fits)


def test_the_refusal_says_why():
    def ruling(spent, reserved, amount):
        return decide([Standing(budget(100), spent, reserved)], amounts(amount)).ruling

    assert ruling(95, 0, 10) is Ruling.SPENT
    assert ruling(50, 45, 10) is Ruling.BUSY
    assert ruling(0, 0, 101) is Ruling.TOO_LARGE
    assert ruling(0, 0, 100) is Ruling.ADMIT


def test_of_several_refusals_the_one_that_lasts_longest_is_given():
    soon, late = Standing(budget(1, name="soon"), 1, 0, 10.0), Standing(budget(1, name="late"), 1, 0, 99.0)
    never = Standing(budget(1, name="never"), 1, 0, None)

    assert decide([soon, late], amounts(1)).standing is late
    assert decide([soon, never, late], amounts(1)).standing is never


def test_a_call_without_a_price_is_refused_by_hard_budgets_alone():
    unpriced = Amounts(None, None)

    assert decide([Standing(budget(unit=LimitUnit.USD), 0, 0)], unpriced).ruling is Ruling.UNPRICED
    assert decide([Standing(budget(unit=LimitUnit.USD, at_limit=AtLimit.ALERT), 0, 0)], unpriced).ruling is Ruling.ADMIT
    assert decide([Standing(budget(), 0, 0)], unpriced).ruling is Ruling.ADMIT


def test_from_a_share_on_calls_go_to_the_cheaper_model_and_above_the_limit_nowhere():
    cheaper = budget(100, at_limit=AtLimit.DOWNGRADE, downgrade_to="small", downgrade_above=80)

    assert decide([Standing(cheaper, 70, 0)], amounts(10)).ruling is Ruling.ADMIT
    assert decide([Standing(cheaper, 75, 0)], amounts(10)).ruling is Ruling.DOWNGRADE
    assert decide([Standing(cheaper, 75, 0)], amounts(10), may_downgrade=False).ruling is Ruling.ADMIT
    assert decide([Standing(cheaper, 95, 0)], amounts(10), may_downgrade=False).ruling is Ruling.SPENT


def test_a_cheaper_model_is_tried_before_another_budget_refuses():
    cheaper = budget(100, at_limit=AtLimit.DOWNGRADE, downgrade_to="small", downgrade_above=0)

    assert decide([Standing(budget(5), 0, 0), Standing(cheaper, 0, 0)], amounts(10)).ruling is Ruling.DOWNGRADE


def test_a_budget_that_only_warns_is_named_when_it_is_crossed():
    warns = Standing(budget(10, at_limit=AtLimit.ALERT), 5, 4)

    assert crossed([warns], amounts(1)) == []
    assert crossed([warns], amounts(2)) == [warns]


def test_the_tightest_is_the_one_with_the_smallest_share_left():
    wide, narrow = Standing(budget(1000), 500, 0), Standing(budget(10), 9, 0)

    assert tightest([wide, narrow]) is narrow
    assert tightest([wide, Standing(budget(0), 0, 0)]).budget.limit == 0
    assert tightest([]) is None


def test_a_budget_that_was_lowered_below_what_is_spent_has_nothing_left():
    assert Standing(budget(10), 50, 0).left == 0


AMOUNT = st.integers(0, 10**15) | st.none()


@given(AMOUNT, AMOUNT, AMOUNT)
def test_what_was_reserved_is_read_as_it_was_written(usd, tokens, energy):
    written = Amounts(usd, tokens, millijoules=energy)

    assert Amounts.parse(written.text) == (usd or 0, tokens or 0, 0, energy or 0)


@pytest.mark.parametrize("text", ["", "x/y", "-5/-5", "1", "²/1"])
def test_foreign_text_is_no_amount(text):
    assert Amounts.parse(text)[0] in {0, 1}


def test_amounts_for_people():
    assert show_amount(LimitUnit.USD, 5 * NANO) == "$5.00"
    assert show_amount(LimitUnit.USD, 1_234) == "$0.000001"
    assert show_amount(LimitUnit.EFFECTIVE_TOKENS, 1200) == "1,200 effective tokens"


def test_a_budget_is_data():
    one = budget(team="*")

    assert msgspec.json.decode(msgspec.json.encode(one), type=Budget) == one


@given(st.integers(0, 100), st.integers(0, 100), st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_what_is_carried_never_lets_windows_together_pass_their_limits(limit, most_carried, shares):
    one = budget(limit, most_carried=min(most_carried, limit))
    carried, total = 0, 0
    for number, share in enumerate(shares, 1):
        spent = int((limit + carried) * share)
        total += spent
        assert spent <= limit + one.most_carried
        assert total <= number * limit
        carried = one.carried(spent)
