from datetime import UTC, datetime

import pytest

from modicum.calls import Basis, Call, Usage
from modicum.governance.energy_rate import EnergyRate
from modicum.governance.energy_rates import drawn_millijoules, most_millijoules, rate_of
from modicum.governance.worst_case import CallBound


def rate(model, **fields):
    usual = {"per_computed": 10_000_000, "per_cached": 1_000_000, "per_generated": 500_000_000}
    return EnergyRate(model=model, **(usual | fields))


def call(usage=None, **fields):
    usual = {
        "call_id": "a",
        "source": "gateway",
        "provider": "rack",
        "model": "llama-70b",
        "usage": usage or Usage(100),
    }
    return Call(**(usual | {"started": datetime(2026, 3, 1, tzinfo=UTC)} | fields))


def test_the_first_row_that_covers_a_model_counts_and_an_unknown_model_has_none():
    rates = (rate("llama-*", provider="other"), rate("llama-70b", per_call=5), rate("llama-*"))

    assert rate_of(rates, "rack", "llama-70b") is rates[1]
    assert rate_of(rates, "rack", "llama-8b-2025-01-02") is rates[2]
    assert rate_of(rates, "rack", "gpt-4o") is None
    assert most_millijoules(rates, "rack", "gpt-4o", CallBound(10, 10)) is None


def test_a_call_draws_no_more_than_it_may():
    usage = Usage(60, 40, output_visible=9, output_reasoning=1)

    drawn = drawn_millijoules((rate("llama-*"),), call(usage))

    assert drawn == 60 * 10 + 40 * 1 + 10 * 500
    assert drawn <= most_millijoules((rate("llama-*"),), "rack", "llama-70b", CallBound(100, 10))


@pytest.mark.parametrize(
    "fields", [{"usage_basis": Basis.UNKNOWN}, {"output_basis": Basis.UNKNOWN}, {"model": "gpt-4o"}]
)
def test_what_nobody_knows_is_not_0(fields):
    assert drawn_millijoules((rate("llama-*"),), call(**fields)) is None
