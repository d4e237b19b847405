from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.calls import OURSELVES, Basis, Call, CallStatus, Charges, Usage
from modicum.ledger.booking import book, newest, newest_calls
from modicum.metering.prices import PriceBook

PRICES = PriceBook()


def call(**fields):
    told = {
        "call_id": "c1",
        "source": "test",
        "provider": "anthropic",
        "model": "claude-opus-4-5",
        "started": datetime(2026, 2, 3, tzinfo=UTC),
        "usage": Usage(1_000_000, 0, 0, 0, 100_000),
    }
    return Call(**(told | fields))


def test_a_call_is_priced_bucket_by_bucket():
    cost = book(call(), PRICES).cost

    assert (cost.usd, cost.basis) == (Decimal("7.5"), Basis.EXACT)
    assert cost.by_bucket.input_uncached == Decimal(5)
    assert cost.by_bucket.total == cost.usd


def test_a_call_weighs_what_it_cost_in_uncached_input_tokens_of_its_own_model():
    # Opus 4.5: output costs five times, a cache read a tenth of what uncached input costs.
    assert book(call(usage=Usage(1_000, 500, 0, 0, 100)), PRICES).cost.effective_tokens == 1_000 + 50 + 500
    assert book(call(model="nobody-knows", reported_cost_usd=Decimal("0.3")), PRICES).cost.effective_tokens is None


def test_a_call_that_we_answered_ourselves_costs_nothing_for_sure():
    cost = book(call(provider=OURSELVES, usage=Usage()), PRICES).cost

    assert (cost.usd, cost.basis, cost.effective_tokens) == (0, Basis.EXACT, 0)


def test_a_cost_is_as_sure_as_its_weakest_figure():
    assert book(call(output_basis=Basis.LOWER_BOUND), PRICES).cost.basis is Basis.LOWER_BOUND
    assert book(call(output_basis=Basis.LOWER_BOUND, usage_basis=Basis.ESTIMATED), PRICES).cost.basis is Basis.ESTIMATED


def test_without_a_price_the_cost_is_what_the_log_reported_or_unknown():
    assert book(call(model="nobody-knows"), PRICES).cost.usd is None
    reported = book(call(model="nobody-knows", reported_cost_usd=Decimal("0.3")), PRICES).cost
    assert (reported.usd, reported.price_source) == (Decimal("0.3"), "reported")


def test_without_usage_the_cost_is_unknown_and_not_zero():
    cost = book(call(usage=Usage(), usage_basis=Basis.UNKNOWN), PRICES).cost

    assert (cost.usd, cost.basis) == (None, Basis.UNKNOWN)


def test_web_searches_are_charged_beside_the_tokens():
    assert book(call(charges=Charges({"web_search": 3})), PRICES).cost.by_bucket.requests == Decimal("0.03")


def test_a_fee_per_request_is_charged_once_a_call_and_is_not_exact():
    asked = call(provider="perplexity", model="sonar-pro", usage=Usage(1_000, 0, 0, 0, 100))

    cost = book(asked, PRICES).cost

    # 0.0045 for the tokens, and 0.006, 0.010 or 0.014 by the size of the search context, which no log holds.
    assert Decimal("0.0105") <= cost.usd <= Decimal("0.0185")
    assert cost.usd == cost.by_bucket.total == Decimal("0.0185")
    assert (cost.by_bucket.input_uncached, cost.by_bucket.requests) == (Decimal("0.003"), Decimal("0.014"))
    assert cost.basis is Basis.ESTIMATED


@pytest.mark.parametrize(
    ("fields", "fees"),
    [
        ({"calls_count": 5}, 5),
        ({"status": CallStatus.ERROR, "usage": Usage()}, 0),
        ({"status": CallStatus.ABORTED, "usage": Usage()}, 1),
    ],
)
def test_the_fee_is_due_for_every_request_that_was_served(fields, fees):
    cost = book(call(provider="perplexity", model="sonar", **fields), PRICES).cost

    assert cost.by_bucket.requests == fees * Decimal("0.012")


def test_a_call_whose_output_nobody_counted_has_no_cost():
    cost = book(call(output_basis=Basis.UNKNOWN), PRICES).cost

    assert (cost.usd, cost.basis) == (None, Basis.UNKNOWN)


@given(st.permutations([call(revision=1), call(revision=3, model="later"), call(revision=2)]))
def test_of_records_of_one_call_the_most_complete_stands_in_any_order(records):
    assert [c.model for c in newest_calls(records)] == ["later"]
    assert [e.call.model for e in newest([book(record, PRICES) for record in records])] == ["later"]


def test_what_a_log_reports_of_a_call_that_is_not_understood_is_an_estimate():
    reported = {"model": "nobody-knows", "reported_cost_usd": Decimal("0.5")}
    doubtful = call(charges=Charges(caveats=("usage.smell_tokens",)), **reported)

    assert book(call(**reported), PRICES).cost.basis is Basis.EXACT
    assert book(doubtful, PRICES).cost.basis is Basis.ESTIMATED
