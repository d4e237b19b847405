from datetime import UTC, datetime
from decimal import Decimal

import pytest

from modicum.calls import Basis, Call, Charges, Usage
from modicum.metering.prices import PriceBook
from modicum.metering.regions import regional_factor


@pytest.mark.parametrize(
    ("provider", "model", "region", "times", "basis"),
    [
        ("anthropic", "claude-sonnet-4-6", "us", "1.1", Basis.EXACT),
        ("anthropic", "claude-sonnet-4-6", "", "1", Basis.EXACT),
        ("anthropic", "claude-sonnet-4-6", "mars", "1", Basis.ESTIMATED),
        ("openai", "gpt-5.4", "eu", "1.1", Basis.EXACT),
        ("openai", "gpt-5.4-mini-2026-03-17", "us", "1.1", Basis.EXACT),
        ("openai", "gpt-4o", "eu", "1", Basis.EXACT),
        ("openai", "gpt-5.6-sol", "", "1", Basis.EXACT),
        ("google", "claude-opus-4-8", "", "1", Basis.LOWER_BOUND),
        ("google", "claude-opus-4-8", "global", "1", Basis.EXACT),
        ("google", "claude-opus-4-8", "us-east5", "1.1", Basis.EXACT),
        ("google", "claude-3-5-sonnet-v2@20241022", "", "1", Basis.EXACT),
        ("google", "gemini-2.5-pro", "us-east5", "1", Basis.EXACT),
        ("aws", "us.anthropic.claude-sonnet-4-6", "", "1", Basis.EXACT),
        ("aws", "claude-opus-5-5", "", "1", Basis.LOWER_BOUND),
    ],
)
def test_what_a_place_costs_more(provider, model, region, times, basis):
    assert regional_factor(provider, model, region) == (Decimal(times), basis)


def test_a_call_is_priced_by_where_it_was_served():
    call = Call(
        call_id="c",
        source="t",
        provider="anthropic",
        model="claude-sonnet-4-6",
        started=datetime(2026, 9, 1, tzinfo=UTC),
        usage=Usage(1),
        charges=Charges(region="us"),
    )

    assert PriceBook().rates_of(call).input_uncached == Decimal("0.0000033")
