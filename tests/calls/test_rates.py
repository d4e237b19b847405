from decimal import Decimal

from modicum.calls import BUCKETS, BucketCosts, Usage
from modicum.calls.rates import KIN, Rates
from modicum.calls.usage import TEXT_BUCKETS

TEXT = {bucket: Decimal(place) for place, bucket in enumerate(TEXT_BUCKETS, 1)}


def test_every_bucket_has_tokens_a_rate_and_a_cost():
    assert list(BUCKETS) == list(Usage.__struct_fields__)
    assert set(BUCKETS) <= set(Rates.__struct_fields__)
    assert {*BUCKETS, "requests"} == set(BucketCosts.__struct_fields__)
    assert set(KIN) == set(BUCKETS) - set(TEXT_BUCKETS)


def test_a_bucket_without_a_price_of_its_own_costs_what_it_is_a_kind_of():
    rates = Rates.of_text(**TEXT, output_audio=Decimal(70))

    assert (rates.input_audio, rates.output_image, rates.output_audio) == (
        TEXT["input_uncached"],
        TEXT["output_visible"],
        70,
    )


def test_a_factor_is_for_tokens_alone():
    dearer = Rates.of_text(**TEXT, fees={"web_search": Decimal("0.01")}).times(Decimal("1.1"))

    assert dearer.cache_read == TEXT["cache_read"] * Decimal("1.1")
    assert dearer.cache_write_12h == TEXT["cache_write_1h"] * Decimal("1.1")
    assert dearer.fees == {"web_search": Decimal("0.01")}
