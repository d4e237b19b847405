from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modicum.calls import Basis, Call, Charges, Cost, Entry, Tier, Usage
from modicum.calls.rates import Rates
from modicum.insights.doubts import LOGGED_EARLY, UNSURE_PRICES, Doubt, find_doubts, make_doubt_cells
from modicum.ledger.opening import open_store

START, END = datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
PRICES = Rates.of_text(
    input_uncached=Decimal(1),
    cache_read=Decimal(1),
    cache_write_5m=Decimal(1),
    cache_write_1h=Decimal(1),
    output_visible=Decimal(1),
    output_reasoning=Decimal(1),
    fees={"web_search": Decimal(1)},
)


class Book:
    """Prices of one kind for all."""

    def __init__(self, rates=PRICES):
        self._rates = rates
        self.looked_up = 0

    def rates(self, *_query, **_fields):
        self.looked_up += 1
        return self._rates


def entry(number=0, basis=Basis.ESTIMATED, source="genai-prices", **fields):
    about = {
        "call_id": f"c{number}",
        "source": "test",
        "provider": "p",
        "model": "m",
        "started": datetime(2026, 2, 3, tzinfo=UTC),
        "usage": Usage(1, 2, 3, 4, 5, 6),
    }
    return Entry(Call(**(about | fields)), Cost(Decimal(1), basis, None, source))


def reasons(entries, book=None):
    return [(doubt.reason, doubt.calls) for doubt in find_doubts(make_doubt_cells(entries), book or Book())]


def test_exact_calls_have_no_doubts_and_need_no_prices():
    book = Book()

    assert reasons([entry(basis=Basis.EXACT)], book) == []
    assert book.looked_up == 0


def test_what_is_not_understood_is_named_and_counted():
    caveats = Charges(caveats=("usage.smell_tokens",))
    found = reasons([entry(1, charges=caveats), entry(2, charges=caveats, calls_count=3)])

    assert found == [("usage.smell_tokens: a number that this version does not know", 4)]


def test_counts_that_are_not_final_need_no_prices():
    book = Book()

    assert reasons([entry(basis=Basis.LOWER_BOUND, output_basis=Basis.LOWER_BOUND)], book) == [(LOGGED_EARLY, 1)]
    assert book.looked_up == 0


@pytest.mark.parametrize(
    ("fields", "rates", "reason"),
    [
        ({"charges": Charges({"page": 2})}, PRICES, "requests of a kind that no fee is known for: page"),
        (
            {"usage": Usage(input_audio=5)},
            msgspec.structs.replace(PRICES, fallbacks=("input_audio", "output_audio")),
            "input_audio without a price of its own, priced as input_uncached",
        ),
        ({}, msgspec.structs.replace(PRICES, basis=Basis.ESTIMATED), UNSURE_PRICES),
        ({}, PRICES, UNSURE_PRICES),
        ({}, None, "a price that is no longer known"),
    ],
)
def test_a_doubt_of_the_price_names_its_models(fields, rates, reason):
    assert find_doubts(make_doubt_cells([entry(**fields)]), Book(rates)) == [Doubt(reason, 1, ["m"])]


CALLS = st.builds(
    entry,
    number=st.integers(0, 5),
    basis=st.sampled_from(Basis),
    model=st.sampled_from(["m", "n"]),
    tier=st.sampled_from(Tier),
    output_basis=st.sampled_from(Basis),
    charges=st.builds(
        Charges,
        requests=st.dictionaries(st.sampled_from(["web_search", "page"]), st.integers(1, 3)),
        region=st.sampled_from(["", "us"]),
        caveats=st.lists(st.sampled_from(["usage.a", "usage.b"]), unique=True).map(tuple),
    ),
    usage=st.builds(Usage, input_audio=st.integers(0, 3), cache_read=st.integers(0, 3)),
)


@settings(max_examples=15, deadline=None)
@given(st.lists(CALLS, unique_by=lambda one: one.call.call_id))
def test_the_ledger_gives_the_cells_that_entries_give(entries):
    store = open_store(":memory:")
    store.append(entries)
    rows = store.ask("doubts", since=START, until=END)
    store.close()

    for fallbacks in ((), ("input_audio",)):
        book = Book(msgspec.structs.replace(PRICES, fallbacks=fallbacks))
        assert find_doubts(rows, book) == find_doubts(make_doubt_cells(entries), book)
