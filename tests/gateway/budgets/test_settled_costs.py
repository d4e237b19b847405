"""Amounts in whole numbers against those of booking, which are the rule."""

from datetime import UTC, datetime
from decimal import Decimal

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from modicum.calls import BUCKETS, OURSELVES, Basis, Call, CallStatus, Charges, Usage
from modicum.calls.rates import Rates, RateStep
from modicum.gateway.budgets.settled_costs import SettledCosts, amounts_of
from modicum.ledger.booking import cost_of
from modicum.metering.prices import PriceBook

AT = datetime(2026, 3, 1, tzinfo=UTC)
COUNTS = st.integers(0, 200) | st.integers(0, 10**9) | st.integers(0, 10**17)
USAGES = st.builds(Usage, **dict.fromkeys(BUCKETS, COUNTS))
CALLS = st.builds(
    Call,
    call_id=st.just("a"),
    source=st.just("gateway"),
    provider=st.sampled_from(["openai", "anthropic", OURSELVES, "nobody"]),
    model=st.sampled_from(["gpt-4o-mini", "gpt-5.4", "claude-haiku-4-5", "omni-moderation-latest", "unheard-of"]),
    started=st.just(AT),
    usage=USAGES,
    usage_basis=st.sampled_from([Basis.EXACT, Basis.ESTIMATED, Basis.UNKNOWN]),
    output_basis=st.sampled_from([Basis.EXACT, Basis.UNKNOWN]),
    status=st.sampled_from(list(CallStatus)),
    finish_reason=st.sampled_from(["stop", "refusal"]),
    calls_count=st.integers(0, 3),
    charges=st.builds(
        Charges.of,
        requests=st.sampled_from([{}, {"web_search": 2}]),
        provider_cost_usd=st.sampled_from([None, Decimal("0.01")]),
    ),
)
PLAIN = Call(call_id="a", source="gateway", provider="openai", model="gpt-4o-mini", started=AT, usage=Usage(100))
BOOK = PriceBook()
PRICES = st.decimals(0, 1, places=12) | st.decimals(0, 1, places=25)


def booked(call, book):
    return amounts_of(cost_of(call, book), call.calls_count)


@given(CALLS)
@example(PLAIN)
def test_a_call_costs_what_booking_says_at_the_rates_of_the_list(call):
    settled = SettledCosts()

    assert settled.amounts(call, BOOK) == booked(call, BOOK)
    assert settled.amounts(call, BOOK) == booked(call, BOOK)  # as kept


class OwnPrices(PriceBook):
    def __init__(self, rates):
        super().__init__()
        self._own = rates

    def steps(self, *_args, **_more):
        return tuple(RateStep(above, rates) for above, rates in self._own)


@given(CALLS, st.lists(st.dictionaries(st.sampled_from(list(BUCKETS)), PRICES), min_size=1, max_size=2), PRICES)
def test_a_call_costs_what_booking_says_at_any_rates(call, priced, request_usd):
    usual = dict.fromkeys(BUCKETS, Decimal("0.000003"))
    steps = [(number * 1000 - 1, Rates(**(usual | one), request=request_usd)) for number, one in enumerate(priced)]
    call = msgspec.structs.replace(call, provider="openai")
    book = OwnPrices(steps)

    assert SettledCosts().amounts(call, book) == booked(call, book)
