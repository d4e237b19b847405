from decimal import Decimal

import pytest

from modicum.energy.tco import ApiPrice, RentedGpus, Traffic, compute_ownership
from modicum.energy.tco_overheads import Overheads, QualityLoss, list_assumptions

RENT = RentedGpus(Decimal("2.00"))
API = ApiPrice(Decimal("0.10"), Decimal("0.40"))


def of(**assumed):
    return compute_ownership(RENT, 1_000, Traffic(1), API, assumed=Overheads(**assumed))


def test_nothing_is_assumed_until_it_is_given():
    bare = compute_ownership(RENT, 1_000, Traffic(1), API)

    assert of() == bare
    assert [line.assumed for line in bare.assumptions[1:]] == ["not counted"] * 4


def test_spare_machines_and_hands_cost_by_the_hour():
    found = of(spare_share=0.5, staff_hours_per_month=Decimal(73), staff_usd_per_hour=Decimal(50))

    assert found.usd_per_hour == Decimal(2) + Decimal(1) + Decimal(5)
    by_name = {line.name: line.usd_per_hour for line in found.assumptions}
    assert (by_name["machine"], by_name["redundancy"], by_name["staff"]) == (2, 1, 5)


def test_quality_and_review_cost_by_the_task_whatever_the_utilisation():
    bare, found = (
        of(),
        of(
            tokens_per_task=1_000,
            quality=QualityLoss(0.02),
            outcome_worth_usd=Decimal("0.005"),
            review_share=0.1,
            review_usd=Decimal("0.0005"),
        ),
    )

    # 1,000 tasks a million tokens: 20 outcomes at half a cent, 100 reviews at a twentieth of one
    more = Decimal("0.10") + Decimal("0.05")
    assert [
        one.usd_per_million_output - other.usd_per_million_output
        for one, other in zip(found.rows, bare.rows, strict=True)
    ] == [more] * len(bare.rows)
    at_full = bare.rows[-1].usd_per_million_output
    assert found.break_even_utilisation == pytest.approx(float(at_full / (Decimal("0.50") - more)))


def test_where_these_alone_cost_more_than_the_api_nothing_breaks_even():
    found = of(tokens_per_task=1_000, quality=QualityLoss(0.2), outcome_worth_usd=Decimal("0.005"))

    assert found.break_even_utilisation is None
    assert found.api_usd_per_million_output == Decimal("0.50")


def test_a_better_model_earns_and_a_measured_loss_has_ends():
    gain = of(tokens_per_task=1_000, quality=QualityLoss(-0.02, -0.05, 0.01, "own"), outcome_worth_usd=Decimal("0.005"))

    assert gain.rows[-1].usd_per_million_output < of().rows[-1].usd_per_million_output
    name, low, high = gain.sensitivity[-1]
    assert name == "quality lost -5.0 / +1.0 points"
    assert high - low == Decimal("0.06") * 5
    [line] = [
        one
        for one in list_assumptions(Decimal(2), Overheads(quality=QualityLoss(-0.02, -0.05, 0.01, "own")))
        if one.name == "quality lost"
    ]
    assert line.assumed.startswith("-2.0 points [-5.0, +1.0] (own)")
