from datetime import timedelta
from decimal import Decimal

import pytest

from ledger.samples import EVER, START, entry
from modicum.calls import Basis, Owner, Usage
from modicum.governance.budget_windows import parse_window
from modicum.governance.budgets import NANO, AtLimit, Budget, LimitUnit
from modicum.governance.policy import CallPolicy, Clause
from modicum.insights.policies.policy_replay import replay_policy
from modicum.ledger.opening import open_store

HISTORY = [
    entry("a", "1", model="gpt-4o", provider="openai", owner=Owner("hr"), tags={"data_class": "personal"}),
    entry("b", "2", model="gpt-4o-mini", provider="openai", started=START + timedelta(hours=1)),
    entry("c", None, model="own", provider="", started=START + timedelta(hours=2)),
    entry("d", "4", started=START + timedelta(days=2), usage=Usage(90, 10, 0, 0, 7, 0)),
]


@pytest.fixture(params=["duckdb", "clickhouse"], scope="module")
def replay(request):
    """Replays a policy over a ledger that no test changes."""
    duckdb = request.param == "duckdb"
    store = open_store(":memory:" if duckdb else request.getfixturevalue("module_clickhouse"))
    store.append(HISTORY)
    yield lambda *clauses, budgets=(), **more: replay_policy(
        store.ask("policy_calls", **EVER), CallPolicy(clauses=clauses, **more), budgets
    )
    store.close()


def shown(lines):
    return [(line.kind, line.name, line.limit, line.sum.calls, line.sum.usd) for line in lines]


def test_what_would_have_been_refused_is_counted_and_priced_by_clause(replay):
    found = replay(Clause(name="x", not_models=("gpt-*",)), Clause(name="long", most_prompt_tokens=99))

    assert (found.every.calls, found.every.usd, found.every.calls_unpriced) == (4, 7, 1)
    assert (found.refused.calls, found.refused.usd, found.refused.basis) == (3, 7, Basis.EXACT)
    assert shown(found.lines) == [
        ("clause", "long", "most_prompt_tokens", 1, 4),
        ("clause", "x", "not_models", 2, 3),
    ]


def test_what_the_ledger_does_not_hold_is_undecided_and_in_no_other_sum(replay):
    found = replay(
        Clause(name="effort", most_effort="low", model="gpt-*"),
        Clause(name="place", providers=("anthropic", "openai")),
        Clause(name="bound", most_output_tokens=110, model="opus"),
    )

    assert found.refused.calls == 0
    assert shown(found.undecided_lines) == [
        ("clause", "effort", "most_effort", 2, 3),
        ("clause", "place", "providers", 1, 0),
        ("clause", "bound", "most_output_tokens", 1, 4),
    ]
    assert found.undecided.calls == 4


def test_a_reply_that_is_longer_than_its_bound_may_be_was_not_bounded_so(replay):
    assert replay(Clause(name="bound", most_output_tokens=6, model="opus")).refused.calls == 1


def test_the_class_that_a_call_named_counts(replay):
    clause = Clause(name="own", data_class="personal", providers=("own",))
    found = replay(clause, data_classes=("public", "personal"), unnamed_class="public")

    assert found.refused.calls == 1


def budget(limit, per="day", unit=LimitUnit.USD, **more):
    return Budget(name="b", unit=unit, limit=limit, window=parse_window(per, "UTC"), **more)


@pytest.mark.parametrize(
    ("one", "refused"),
    [
        (budget(NANO), 2),  # b is above what is left, d above all of it
        (budget(4 * NANO), 0),
        (budget(1, unit=LimitUnit.CALLS), 2),
        (budget(2, "90m", LimitUnit.CALLS), 0),
        (budget(1, "90m", LimitUnit.CALLS), 1),
        (budget(0, at_limit=AtLimit.ALERT), 0),
    ],
)
def test_budgets_are_replayed_by_what_calls_cost(replay, one, refused):
    found = replay(budgets=(one,))

    assert found.refused.calls == refused


def test_a_call_that_a_clause_refuses_is_spent_on_no_budget(replay):
    found = replay(Clause(name="x", not_models=("gpt-4o",)), budgets=(budget(1, unit=LimitUnit.CALLS),))

    assert shown(found.lines) == [("clause", "x", "not_models", 1, 1), ("budget", "b", "refused", 1, 0)]


def test_a_cost_that_nobody_knows_is_undecided_and_a_cheaper_model_is_no_refusal(replay):
    one = budget(100 * NANO, at_limit=AtLimit.DOWNGRADE, downgrade_to="m", downgrade_above=2 * NANO)
    found = replay(budgets=(one,))

    assert (found.refused.calls, found.cheaper.calls, found.cheaper.usd) == (0, 2, Decimal(6))
    assert shown(found.undecided_lines) == [("budget", "b", "cost unknown", 1, 0)]
