"""The yield, on both engines: the worked example of docs/yield.md, and what may never be dropped."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modicum.calls import Basis, Call, Outcome, Usage
from modicum.insights.dimensions import CALLS
from modicum.insights.yields import build
from modicum.ledger.booking import book
from modicum.ledger.opening import open_store
from modicum.ledger.records import OUTCOMES
from modicum.metering.prices import PriceBook

START = datetime(2026, 2, 3, 10, tzinfo=UTC)
PRICES = PriceBook()
SPAN = {"since": START - timedelta(days=1), "until": START + timedelta(days=1), "tag": "", "zone": "UTC"}


def entry(call_id, task, usage, model="claude-opus-4-5", **fields):
    told = {"call_id": call_id, "source": "test", "provider": "anthropic", "started": START}
    return book(Call(**(told | {"task": task, "usage": usage, "model": model} | fields)), PRICES)


def outcome(task, value, name="resolved", when=START):
    return Outcome(outcome_id=f"{task}/{name}/{when}", task=task, name=name, value=value, time=when)


# Opus 4.5 costs $5 a million in, $0.50 cached, $25 out; Haiku 4.5 $1 in, $5 out.
EXAMPLE = [
    entry("c1", "T1", Usage(100_000, 200_000, output_visible=10_000)),  # $0.85
    entry("c2", "T2", Usage(40_000, output_visible=4_000)),  # $0.30
    entry("c3", "T3", Usage(60_000, output_visible=10_000)),  # $0.55
    entry("c4", "T3", Usage(150_000, output_visible=10_000), "claude-haiku-4-5"),  # $0.20
    entry("c5", "T4", Usage(20_000)),  # $0.10, and nobody knows what came of it
]
RESULTS = [outcome("T1", 1), outcome("T2", 0), outcome("T3", 1)]


def asked(store, by="model", name="resolved", **fields):
    return build(store.ask("yield", by=by, outcome=name, **(SPAN | fields)), name, by)


@pytest.fixture
def example(store):
    store.append(EXAMPLE)
    store.append_records(OUTCOMES, RESULTS)
    return asked(store)


def test_the_worked_example_in_total(example):
    total = example.total

    assert (total.tasks, total.tasks_failed, total.outcomes) == (3, 1, 2)
    assert (total.cost_usd, total.cost_failed_usd) == (Decimal("1.90"), Decimal("0.30"))
    assert total.effective_tokens == pytest.approx(170_000 + 60_000 + 110_000 + 200_000)
    assert total.outcomes_per_million_effective_tokens.value == pytest.approx(2 / 0.54)
    assert total.tokens == 310_000 + 44_000 + 230_000
    assert total.outcomes_per_million_tokens.value == pytest.approx(2 / 0.584)


def test_the_worked_example_has_this_interval(example):
    each = example.total.cost_per_outcome_usd

    assert (each.value, each.low, each.high) == pytest.approx((0.95, 0.3605, 2.503), rel=1e-3)
    assert each.tasks == 3


def test_tasks_without_the_outcome_stand_apart_with_their_cost(example):
    total = example.total

    assert (total.tasks_without_outcome, total.cost_without_outcome_usd) == (1, Decimal("0.10"))
    assert total.cost_per_outcome_all_tasks_usd.value == pytest.approx(2.00 / 2)
    assert any("stand apart" in rule for rule in example.rules)


def test_a_task_of_two_models_shares_its_outcome_by_cost_and_says_so(example):
    opus, haiku = example.rows

    assert (opus.name, haiku.name) == ("claude-opus-4-5", "claude-haiku-4-5")
    assert (opus.outcomes, haiku.outcomes) == pytest.approx((1 + 0.55 / 0.75, 0.20 / 0.75))
    assert opus.cost_per_outcome_usd.value == pytest.approx(1.70 / (1 + 0.55 / 0.75))
    assert haiku.outcomes_per_million_effective_tokens.value == pytest.approx(0.20 / 0.75 / 0.2)
    assert haiku.cost_per_outcome_usd.no_interval == "one task alone has no spread"
    assert any("shares its outcome" in rule and "2 such parts" in rule for rule in example.rules)


def test_where_no_task_is_shared_each_counts_in_full(store):
    store.append(EXAMPLE)
    store.append_records(OUTCOMES, RESULTS)
    found = asked(store, by="source")

    assert [row.outcomes for row in found.rows] == [2]
    assert any("counts there in full" in rule for rule in found.rules)


def test_calls_without_a_price_are_left_out_of_ratios_and_counted(store):
    store.append([*EXAMPLE, entry("c6", "T2", Usage(1_000), "nobody-knows")])
    store.append_records(OUTCOMES, RESULTS)
    total = asked(store, by="source").total

    assert (total.calls_unpriced, total.cost_usd) == (1, Decimal("1.90"))
    assert total.cost_per_outcome_usd.tasks == 2
    assert total.cost_per_outcome_usd.value == pytest.approx((0.85 + 0.75) / 2)
    assert total.outcomes_per_million_tokens.tasks == 3


def test_a_task_with_an_unpriced_model_is_shared_by_tokens(store):
    store.append([entry("c1", "T", Usage(30_000)), entry("c2", "T", Usage(10_000), "nobody-knows")])
    store.append_records(OUTCOMES, [outcome("T", 1)])
    shares = {row.name: row.outcomes for row in asked(store).rows}

    assert shares == pytest.approx({"claude-opus-4-5": 0.75, "nobody-knows": 0.25})


def test_calls_that_nobody_counted_are_in_no_ratio(store):
    store.append([entry("c1", "T", Usage(), usage_basis=Basis.UNKNOWN)])
    store.append_records(OUTCOMES, [outcome("T", 1)])
    total = asked(store).total

    assert (total.cost_usd, total.effective_tokens, total.tokens_basis) == (None, None, Basis.UNKNOWN)
    assert total.outcomes_per_million_tokens.value is None
    assert total.outcomes == 1


def test_a_lower_bound_makes_the_figures_one_and_is_said(store):
    store.append([entry("c1", "T", Usage(30_000), output_basis=Basis.LOWER_BOUND)])
    store.append_records(OUTCOMES, [outcome("T", 1)])
    found = asked(store)

    assert (found.total.basis, found.total.tokens_basis) == (Basis.LOWER_BOUND, Basis.LOWER_BOUND)
    assert any("lower bound" in rule for rule in found.rules)


def test_outcomes_of_one_task_are_summed(store):
    store.append(EXAMPLE)
    store.append_records(
        OUTCOMES, [outcome("T1", 2, "commits"), outcome("T1", 3, "commits", START + timedelta(hours=1))]
    )

    assert asked(store, name="commits").total.outcomes == 5


def test_a_task_belongs_to_the_time_in_which_it_began(store):
    late = START + timedelta(days=3)
    store.append([*EXAMPLE, entry("c9", "T1", Usage(20_000), started=late), entry("c8", "T9", Usage(1), started=late)])
    store.append_records(OUTCOMES, [*RESULTS, outcome("T9", 1)])

    assert asked(store).total.cost_usd == Decimal("2.00")
    assert asked(store, since=late, until=late + timedelta(days=1)).total.tasks == 1


def test_calls_outside_any_task_are_told_with_their_cost(store):
    store.append([*EXAMPLE, entry("c9", "", Usage(20_000))])
    store.append_records(OUTCOMES, [*RESULTS, outcome("", 1)])
    total = asked(store).total

    assert (total.calls_outside_tasks, total.cost_outside_tasks_usd) == (1, Decimal("0.10"))
    assert total.tasks == 3


@pytest.mark.parametrize("by", [*CALLS, "tag"])
def test_every_dimension_keeps_the_sums(store, by):
    store.append(EXAMPLE)
    store.append_records(OUTCOMES, RESULTS)
    found = asked(store, by=by)

    assert sum(row.outcomes for row in found.rows) == pytest.approx(2)
    assert sum(row.cost_usd for row in found.rows) == Decimal("1.90")


def test_outcomes_whose_task_has_no_call_are_counted(store):
    store.append(EXAMPLE)
    store.append_records(OUTCOMES, [*RESULTS, outcome("elsewhere", 1)])
    (known,) = store.ask("outcomes")

    assert (known["name"], known["outcomes"], known["tasks"]) == ("resolved", 4, 4)
    assert (known["tasks_without_calls"], known["value_sum_without_calls"]) == (1, 1)


calls = st.tuples(
    st.sampled_from(["T1", "T2", "T3", ""]),
    st.sampled_from(["claude-opus-4-5", "claude-haiku-4-5", "nobody-knows"]),
    st.integers(0, 10**6),
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(calls, max_size=8), st.dictionaries(st.sampled_from(["T1", "T2"]), st.integers(0, 3)))
def test_shares_sum_to_the_whole_and_no_dollar_is_lost(made, values):
    opened = open_store(":memory:")
    entries = [entry(f"c{n}", task, Usage(tokens), model) for n, (task, model, tokens) in enumerate(made)]
    opened.append(entries)
    opened.append_records(OUTCOMES, [outcome(task, value) for task, value in values.items()])
    found = asked(opened)
    opened.close()
    lines = [*found.rows]
    seen = {task for task, _, _ in made}

    assert sum(line.outcomes for line in lines) == pytest.approx(sum(v for t, v in values.items() if t in seen))
    spent = [e.cost.usd for e in entries if e.cost.usd is not None]
    told = [
        cost
        for line in lines
        for cost in (line.cost_usd, line.cost_without_outcome_usd, line.cost_outside_tasks_usd)
        if cost is not None
    ]
    assert sum(told) == sum(spent)
