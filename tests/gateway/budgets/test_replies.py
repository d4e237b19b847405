from datetime import UTC, datetime

import pytest

from modicum.gateway.budgets.replies import MOST_LINE_TOKENS, agent_line, left_text, not_downgraded, refusal, unknown
from modicum.governance.budget_windows import parse_window
from modicum.governance.budgets import NANO, Amounts, AtLimit, Budget, BudgetVerdict, LimitUnit, Ruling, Standing


def budget(per="day", unit=LimitUnit.USD, limit=10 * NANO, **fields):
    return Budget(**({"name": "b", "unit": unit, "limit": limit, "window": parse_window(per, "UTC")} | fields))


def refused(ruling, spent=0, reserved=0, opens_in_s=None, no_bound="", worst=NANO, **fields):
    standing = Standing(budget(**fields), spent, reserved, opens_in_s)
    return refusal(BudgetVerdict(ruling, standing), Amounts(worst, 7), no_bound)


@pytest.mark.parametrize(
    ("opens_in_s", "per", "words"),
    [
        (59.2, "day", "it opens again in 60 s"),
        (0.0, "day", "it opens again in 1 s"),
        (7 * 3600, "day", "it opens again in 7.0 hours"),
        (90.0, "5h", "some of it is free again in 90 s"),
        (None, "ever", "it does not open again by itself"),
    ],
)
def test_what_is_used_up_says_when_it_opens(opens_in_s, per, words):
    answer = refused(Ruling.SPENT, spent=10 * NANO, opens_in_s=opens_in_s, per=per)

    assert (answer.status, answer.kind) == (402, "budget_exceeded")
    assert f"($10.00 per {per}) has $0.00 left; this call may cost $1.00; {words}" in answer.message
    assert (answer.retry_after_s is None) == (opens_in_s is None)


def test_what_is_only_held_is_worth_another_try():
    answer = refused(Ruling.BUSY, spent=NANO, reserved=9 * NANO)

    assert (answer.status, answer.kind, answer.retry_after_s) == (429, "budget_busy", 1)
    assert "calls that run hold $9.00" in answer.message


def test_why_a_call_has_no_price():
    assert "give it one in prices.toml" in refused(Ruling.UNPRICED).message
    assert (
        "nothing bounds what this call may cost: set max_tokens"
        in refused(Ruling.UNPRICED, no_bound="set max_tokens").message
    )


def test_what_is_too_large_needs_a_smaller_bound():
    assert "can never hold it: this call may cost $11.00" in refused(Ruling.TOO_LARGE, worst=11 * NANO).message


@pytest.mark.parametrize("ruling", [Ruling.SPENT, Ruling.BUSY])
def test_a_budget_of_calls_says_nothing_of_what_a_call_may_cost(ruling):
    answer = refused(ruling, spent=3, opens_in_s=60, unit=LimitUnit.CALLS, limit=3)

    assert "has 0 calls left" in answer.message
    assert "; this is one more; " in answer.message


def test_the_ledger_that_is_away():
    assert (unknown(budget()).status, unknown(budget()).retry_after_s) == (503, 2)


def test_a_cheaper_model_that_a_call_cannot_go_to():
    cheaper = budget(at_limit=AtLimit.DOWNGRADE, downgrade_to="small")

    assert "go to 'small', and this one cannot: no" in not_downgraded(Standing(cheaper, 0, 0), "no").message


def test_the_header():
    assert left_text(Standing(budget(), NANO, NANO, 3.5)) == "b; usd=8.000000; resets_s=4"
    assert left_text(Standing(budget("ever", LimitUnit.CALLS, 3), 1, 0)) == "b; calls=2"


def test_an_agent_is_shown_the_tightest_budget_that_wants_it_and_is_low():
    end = datetime(2026, 12, 1, tzinfo=UTC)
    silent = Standing(budget(name="silent"), 10 * NANO, 0)
    low = Standing(budget(agent_line_below=5 * NANO), 8 * NANO, NANO // 2)
    wide = Standing(budget(name="wide", agent_line_below=5 * NANO), 6 * NANO, 0)
    full = Standing(budget(name="full", agent_line_below=5 * NANO), 5 * NANO, 0)
    slides = Standing(budget("5h", name="slides", agent_line_below=5 * NANO), 9 * NANO, 0)

    shown = agent_line([(silent, end), (wide, end), (low, end), (full, end)])

    assert shown == "[modicum: budget 'b': $1.50 of $10.00 left until 2026-12-01 00:00 UTC.]"
    assert agent_line([(slides, None)]) == "[modicum: budget 'slides': $1.00 of $10.00 left for any 5h.]"
    assert agent_line([(silent, end), (full, end)]) == ""


def test_no_line_is_longer_than_what_is_reserved_for_it():
    longest = budget(name="~" * 64, unit=LimitUnit.EFFECTIVE_TOKENS, limit=10**15, agent_line_below=10**15)

    line = agent_line([(Standing(longest, 1, 0), datetime(2026, 12, 1, tzinfo=UTC))])

    assert len(line) < MOST_LINE_TOKENS
