"""Worst cases and costs, from the list's prices."""

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.calls import Basis, Call, Charges, OtherModel, Usage
from modicum.calls.call import OURSELVES
from modicum.gateway.budgets.bounds import NoBound
from modicum.gateway.budgets.call_prices import SHORT_BYTES, CallPrices
from modicum.metering.prices import PriceBook
from modicum.providers.dialects import DIALECTS

CHAT = next(dialect for name, dialect in DIALECTS.items() if "chat" in name)


@pytest.fixture
def prices():
    opened = CallPrices(PriceBook)
    yield opened
    opened.close()


def exchange(body=b'{"model": "gpt-4o-mini", "messages": [], "max_tokens": 100}', model="gpt-4o-mini"):
    return SimpleNamespace(
        edited=body,
        facts=CHAT.request(body, "/v1/chat/completions"),
        route=SimpleNamespace(model=model, upstream=SimpleNamespace(name="u", provider="openai", region="")),
        request=SimpleNamespace(served=SimpleNamespace(dialect=CHAT)),
        timing=SimpleNamespace(started_s=datetime(2026, 3, 1, tzinfo=UTC).timestamp()),
        most_line_tokens=0,
        guard_line="",
        ceiling=None,
    )


def call(**fields):
    usual = {"call_id": "a", "source": "gateway", "provider": "openai", "model": "gpt-4o-mini", "usage": Usage(100)}
    return Call(**(usual | {"started": datetime(2026, 3, 1, tzinfo=UTC)} | fields))


def test_a_call_costs_no_more_than_its_worst_case(prices):
    worst = asyncio.run(prices.worst(exchange()))
    cost = asyncio.run(prices.cost(call(usage=Usage(5, output_visible=100))))

    assert 100 * 600 <= cost.nano_usd <= worst.nano_usd
    assert cost.effective_tokens <= worst.effective_tokens


def test_other_models_that_it_names_are_added(prices):
    body = b'{"model": "gpt-4o-mini", "messages": [], "max_tokens": 100, "models": ["gpt-4o"]}'
    alone, both = asyncio.run(prices.worst(exchange())), asyncio.run(prices.worst(exchange(body)))

    assert both.nano_usd > 10 * alone.nano_usd


def test_an_unpriced_model_has_no_worst_case_and_what_has_no_bound_says_so(prices):
    assert asyncio.run(prices.worst(exchange(model="nobody-knows"))).nano_usd is None
    with pytest.raises(NoBound):
        asyncio.run(prices.worst(exchange(b'{"model": "x", "messages": [], "web_search_options": {}}')))


def test_what_was_looked_up_before_is_worked_out_at_once_and_to_the_same_amounts(prices):
    one, cheap, other = exchange(), exchange(model="gpt-4.1-nano"), call(model="gpt-4o")
    assert (prices.worst_at_once(one), prices.cost_at_once(other)) == (None, None)
    first, cost = asyncio.run(prices.worst(one)), asyncio.run(prices.cost(other))
    asyncio.run(prices.worst(cheap))

    assert (prices.worst_at_once(one), prices.cost_at_once(other)) == (first, cost)
    assert prices.worst_at_once(cheap) != first  # each model has its own rates


def test_long_requests_are_counted_in_the_thread(prices):
    long = b'{"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "%b"}]}' % (b"word " * SHORT_BYTES)

    assert asyncio.run(prices.worst(exchange(long))).nano_usd > SHORT_BYTES * 150


TEXTS = st.text(st.characters(codec="utf-8"), max_size=200)
VALUES = st.recursive(TEXTS | st.integers() | st.floats(allow_nan=False), lambda one: st.lists(one, max_size=3))


@given(st.lists(TEXTS, max_size=4), st.dictionaries(TEXTS, VALUES, max_size=3), st.booleans())
@pytest.mark.parametrize("model", ["gpt-4o-mini", "claude-haiku-4-5"])
def test_a_bound_by_bytes_is_no_smaller_than_the_count_that_comes_later(model, texts, schema, has_tools):
    """The vocabulary is public for the one model, and not for the other."""
    tools = {"tools": [{"type": "function", "function": {"name": "f", "parameters": schema}}]} if has_tools else {}
    told = {"model": model, "max_tokens": 10, "messages": [{"role": "user", "content": one} for one in texts]} | tools
    one, opened = exchange(msgspec.json.encode(told), model), CallPrices(PriceBook)
    try:
        bound = asyncio.run(opened.bound(one))
        assert not opened._part_counts._kept  # no vocabulary was needed
        counted = asyncio.run(opened.count(bound.uncounted))
    finally:
        opened.close()

    assert bound == opened.bound_at_once(one)
    assert counted == opened.worst_at_once(one)
    assert counted.least(bound.amounts) == counted


def test_what_counting_would_not_make_smaller_is_not_called_uncounted(prices):
    picture = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}
    told = {"model": "gpt-4o-mini", "max_tokens": 10, "messages": [{"role": "user", "content": [picture]}]}
    one = exchange(msgspec.json.encode(told))

    assert asyncio.run(prices.bound(one)) == (asyncio.run(prices.worst(one)), None)


def test_costs_are_those_that_are_booked(prices):
    others = Charges.of(others=[OtherModel("gpt-4o", Usage(100))])

    assert asyncio.run(prices.cost(call())) == (15_000, 100, 1, None)
    assert asyncio.run(prices.cost(call(charges=others))).nano_usd == 15_000 + 250_000
    assert asyncio.run(prices.cost(call(provider=OURSELVES, calls_count=0))) == (0, 0, 0, None)
    assert asyncio.run(prices.cost(call(usage_basis=Basis.UNKNOWN))).nano_usd is None


def test_a_line_that_the_prompt_may_end_with_is_part_of_the_worst_case(prices):
    plain, lined = exchange(), exchange()
    lined.most_line_tokens = 256

    more = asyncio.run(prices.worst(lined)).nano_usd - asyncio.run(prices.worst(plain)).nano_usd

    assert more >= 256 * 150  # $0.15 per million, or the priority lane's price
