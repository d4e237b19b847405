from datetime import UTC, datetime
from decimal import Decimal

import pytest

from modicum.calls import Basis, UserError
from modicum.metering.price_file import PriceFile
from modicum.metering.prices import PriceBook

AT = datetime(2026, 2, 3, tzinfo=UTC)
PER_MILLION = Decimal(1_000_000)


@pytest.fixture
def book(tmp_path):
    def write(text):
        path = tmp_path / "prices.toml"
        path.write_text(text)
        return PriceBook(PriceFile.read(path))

    return write


def test_a_self_hosted_model_has_the_rates_that_are_given(book):
    prices = book('[[price]]\nmodel = "my-llama"\ninput = 0.2\noutput = 1\ncache_read = 0.02\n')
    rates = prices.rates("", "my-llama", AT)

    assert [rates.input_uncached, rates.cache_read, rates.cache_write_1h, rates.output_reasoning] == [
        Decimal(price) / PER_MILLION for price in ("0.2", "0.02", "0.2", "1")
    ]
    assert (rates.source, len(rates.version)) == ("prices.toml", 12)


def test_an_own_fee_per_request_stands_beside_the_tokens_and_is_exact(book):
    text = '[[price]]\nmodel = "sonar-pro"\ninput = 3\noutput = 15\nrequest = 0.006\n'

    rates = book(text).rates("perplexity", "sonar-pro", AT)

    assert (rates.request, rates.input_uncached * PER_MILLION) == (Decimal("0.006"), 3)
    assert rates.basis is Basis.EXACT


def test_a_discount_comes_off_every_step_of_the_list(book):
    discounted = book('[[price]]\nmodel = "gemini-*"\nprovider = "google"\ndiscount = 0.1\n')
    listed = PriceBook()

    for size in (1000, 300_000):
        cheap = discounted.rates("google", "gemini-2.5-pro", AT, prompt_tokens=size)
        plain = listed.rates("google", "gemini-2.5-pro", AT, prompt_tokens=size)
        assert cheap.output_visible == plain.output_visible * Decimal("0.9")


def test_an_agreement_holds_from_its_first_day_until_its_last(book):
    prices = book('[[price]]\nmodel = "x"\ninput = 1\noutput = 1\nfrom = 2026-01-01\nuntil = 2026-02-01\n')

    assert prices.rates("", "x", datetime(2026, 1, 31, 23, tzinfo=UTC)) is not None
    assert prices.rates("", "x", AT) is None


def test_a_discount_on_a_model_without_list_price_gives_no_price(book):
    assert book('[[price]]\nmodel = "x"\ndiscount = 0.5\n').rates("", "x", AT) is None


def test_subscriptions_are_read(book):
    prices = book('[[subscription]]\nname = "Max"\nsource = "claude-code"\nusd_per_month = 200\n')

    assert prices.price_file.subscriptions[0].usd_per_month == Decimal(200)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('[[price]]\nmodel = "x"\n', "either 'discount' or both"),
        ('[[price]]\nmodel = "x"\ndiscount = 12\n', "between 0 and 1"),
        ('[[price]]\nmodel = "x"\ninput = -1\noutput = 1\n', "negative"),
        ('[[price]]\nmodel = "x"\ndiscount = 0.1\ninput = 1\noutput = 1\n', "either"),
        ('[[price]]\nmodel = "x"\ndiscount = 0.1\nrequest = 1\n', "'request' goes with"),
        ("[[price", "no valid TOML"),
    ],
)
def test_a_wrong_entry_says_what_is_wrong(book, text, reason):
    with pytest.raises(UserError, match=reason):
        book(text)
