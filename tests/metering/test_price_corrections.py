from copy import copy
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import msgspec
import pytest
from genai_prices.data_snapshot import DataSnapshot, get_snapshot

from modicum.calls import Basis, Tier
from modicum.calls.rates import MILLION
from modicum.metering.price_corrections import Correction, Corrections, CorrectionState
from modicum.metering.price_list import ListPrices, find_listed_model
from modicum.metering.prices import PriceBook

NOTED = date(2026, 11, 30)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture(scope="module")
def prices():
    return PriceBook()


def per_million(rates, *buckets):
    return tuple(getattr(rates, bucket) * MILLION for bucket in buckets)


@pytest.mark.parametrize(
    ("moment", "lane", "usd"),
    [
        ("2026-10-06T23:59", Tier.STANDARD, "0.20"),
        ("2026-10-07T00:00", Tier.STANDARD, "0.10"),
        ("2026-10-01T12:00", Tier.BATCH, "0.10"),
        ("2026-10-20T12:00", Tier.BATCH, "0.05"),
    ],
)
def test_cache_reads_of_sonnet_5_5_cost_what_they_cost_on_their_day(prices, moment, lane, usd):
    rates = prices.rates("anthropic", "claude-sonnet-5-5", at(moment), lane)

    assert rates.cache_read * MILLION == Decimal(usd)
    assert rates.input_uncached * MILLION == (2 if lane is Tier.STANDARD else 1)


@pytest.mark.parametrize(
    ("model", "moment", "usd"),
    [
        ("deepseek-v4-pro", "2026-09-14T02:00", ("1.32", "0.044", "3.96")),  # a Monday, at its peak
        ("deepseek-v4-pro", "2026-09-14T04:00", ("0.66", "0.022", "1.98")),
        ("deepseek-v4-pro", "2026-09-12T02:00", ("0.66", "0.022", "1.98")),  # a Saturday
        ("deepseek-v4-pro", "2026-09-13T07:30", ("0.66", "0.022", "1.98")),
        ("deepseek-v4-pro", "2026-07-15T02:00", ("0.435", "0.003625", "0.87")),  # before there were peaks
        ("deepseek-v4-pro", "2026-08-16T15:59", ("0.435", "0.003625", "0.87")),
        ("deepseek-v4-pro", "2026-08-16T16:00", ("0.66", "0.022", "1.98")),  # midnight in Beijing
        ("deepseek-v4-flash", "2026-08-20T02:00", ("0.44", "0.014", "1.32")),
        ("deepseek-v4-flash", "2026-08-22T02:00", ("0.22", "0.007", "0.66")),
        ("deepseek-flash", "2026-11-28T02:00", ("0.15", "0.003", "0.6")),
        ("deepseek-chat", "2026-01-15T12:00", ("0.28", "0.028", "0.42")),
        ("deepseek-reasoner", "2026-01-15T20:00", ("0.28", "0.028", "0.42")),
        ("deepseek-chat", "2025-09-10T20:00", ("0.56", "0.07", "1.68")),
        ("deepseek-chat", "2026-06-01T12:00", ("0.14", "0.0028", "0.28")),
        ("deepseek-chat", "2025-06-01T20:00", ("0.135", "0.035", "0.55")),  # the list's own nights
    ],
)
def test_deepseek_costs_what_it_cost_at_that_hour(prices, model, moment, usd):
    rates = prices.rates("deepseek", model, at(moment))

    assert per_million(rates, "input_uncached", "cache_read", "output_visible") == tuple(map(Decimal, usd))
    assert rates.basis is Basis.EXACT


def test_calls_of_one_day_have_the_prices_of_their_hours(prices):
    """Rates are kept by day, but for models whose price varies within it."""
    noon, peak = at("2026-09-15T12:00"), at("2026-09-15T02:00")

    first = prices.rates("deepseek", "deepseek-v4-pro", noon)
    second = prices.rates("deepseek", "deepseek-v4-pro", peak)

    assert second.input_uncached == 2 * first.input_uncached


def test_a_corrected_price_says_so(prices):
    rates = prices.rates("anthropic", "claude-sonnet-5-5", at("2026-10-01T12:00"))
    plain = prices.rates("anthropic", "claude-sonnet-5-5", at("2026-10-20T12:00"))

    assert (rates.source, plain.source) == ("corrections", "genai-prices")
    assert rates.version.startswith(f"{plain.version}+")


def test_a_day_on_which_nobody_knows_the_hour_of_the_change_is_an_estimate(prices):
    assert prices.rates("deepseek", "deepseek-chat", at("2025-09-29T12:00")).basis is Basis.ESTIMATED
    assert prices.rates("deepseek", "deepseek-chat", at("2026-09-29T12:00")).basis is Basis.ESTIMATED


def test_a_doubt_that_begins_at_a_size_leaves_smaller_prompts_exact(prices):
    name = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
    small, large = (prices.rates("aws", name, at("2026-11-01T12:00"), prompt_tokens=n) for n in (200_000, 200_001))

    assert (small.basis, large.basis) == (Basis.EXACT, Basis.ESTIMATED)
    assert small.input_uncached == large.input_uncached


def changed_list(seller, model, **rates):
    """The list as a later version might have it."""
    providers = list(get_snapshot().providers)
    (place,) = (place for place, one in enumerate(providers) if one.id == seller)
    providers[place] = copy(providers[place])
    providers[place].models = [copy(entry) for entry in providers[place].models]
    (entry,) = (entry for entry in providers[place].models if entry.id == model)
    entry.prices = copy(entry.prices)
    vars(entry.prices).update({name: Decimal(usd) for name, usd in rates.items()})
    return DataSnapshot(providers, from_auto_update=False)


def test_a_correction_whose_list_has_changed_is_not_applied_and_its_price_is_an_estimate():
    newer = ListPrices(snapshot=changed_list("anthropic", "claude-sonnet-5-5", cache_read_mtok="0.15"))
    steps, _ = newer.steps("anthropic", "claude-sonnet-5-5", at("2026-10-01T12:00"), Tier.STANDARD)

    assert steps[0].rates.cache_read * MILLION == Decimal("0.15")
    assert (steps[0].rates.basis, steps[0].rates.source) == (Basis.ESTIMATED, "genai-prices")


def test_a_correction_that_the_list_has_taken_over_has_expired():
    newer = ListPrices(snapshot=changed_list("anthropic", "claude-sonnet-5-5", cache_read_mtok="0.2"))
    steps, _ = newer.steps("anthropic", "claude-sonnet-5-5", at("2026-10-01T12:00"), Tier.STANDARD)

    assert (steps[0].rates.basis, steps[0].rates.source) == (Basis.EXACT, "genai-prices")


def test_no_correction_has_expired_and_none_is_contradicted_by_the_list_that_is_pinned():
    """Where this fails, the list has changed: look at the source of the entry, and mend or remove it."""
    snapshot = get_snapshot()
    without = ListPrices(Corrections([], []))
    for entry in Corrections.read().corrections:
        for model in entry.models:
            listed = find_listed_model(snapshot, entry.seller, model)
            assert listed is not None, f"{entry.seller} no longer lists {model}"
            states = {
                entry.state(without.find(entry.seller, model, moment, entry.lane or Tier.STANDARD).price)
                for moment in entry.moments(NOTED)
            }
            assert CorrectionState.CONTRADICTED not in states, f"{entry.seller} {model}: {entry.why}"
            assert CorrectionState.DUE in states, f"{entry.seller} {model} has expired: {entry.why}"


def test_every_note_has_a_source_and_a_reason():
    corrections = Corrections.read()

    for entry in (*corrections.corrections, *corrections.unsettled):
        assert entry.source.startswith("https://"), entry
        assert entry.why, entry
        assert entry.since is None or entry.until is None or entry.since < entry.until


def test_a_note_holds_on_its_weekdays_and_hours_only():
    note = msgspec.convert(
        {
            "seller": "x",
            "rates": {},
            "from": at("2026-01-01T00:00"),
            "weekdays": [6],
            "hours": ["22:00-24:00"],
            "source": "https://example.com",
            "noted": NOTED,
            "why": "",
        },
        Correction,
    )
    saturday = at("2026-01-03T22:00")

    assert note.holds_at(saturday)
    assert not note.holds_at(saturday + timedelta(hours=2))
    assert not note.holds_at(saturday - timedelta(minutes=1))
    assert not note.holds_at(saturday - timedelta(days=1))
    assert note.divides(saturday)
    assert not note.divides(saturday - timedelta(days=1))


def test_rates_that_were_kept_with_other_corrections_are_not_used(tmp_path, monkeypatch):
    from modicum.metering import prices as module

    kept = tmp_path / "rates.json"
    first = PriceBook(kept_in=kept)
    first.rates("anthropic", "claude-opus-4-6", at("2026-10-01T12:00"))
    first.save()
    other = tmp_path / "corrections.toml"
    other.write_text("# none")
    monkeypatch.setattr(module, "CORRECTIONS", other)

    assert PriceBook(kept_in=kept)._steps == {}
