from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.calls import UserError
from modicum.energy.tco import ApiPrice, OwnedGpus, RentedGpus, Traffic, compute_ownership, price_per_million

RENT = RentedGpus(Decimal("2.69"))


@pytest.mark.parametrize(
    ("gpus", "speed", "utilisation", "usd"),
    # Worked examples: 8B on one H100, 70B on four at 50 ms.
    [(1, 9806, 1.0, "0.076"), (1, 9806, 0.25, "0.305"), (1, 9806, 0.05, "1.524"), (4, 4915, 1.0, "0.608")],
)
def test_dollars_per_million_tokens(gpus, speed, utilisation, usd):
    hour = RentedGpus(Decimal("2.69"), gpus).usd_per_hour()

    assert round(price_per_million(hour, speed, utilisation), 3) == Decimal(usd)


def test_the_measured_utilisation_is_a_row_of_its_own():
    found = compute_ownership(RENT, 9806, Traffic(4), measured_utilisation=0.11)

    assert [row.utilisation for row in found.rows] == [0.05, 0.11, 0.25, 0.5, 1.0]
    assert [row.measured for row in found.rows].index(True) == 1


@given(st.floats(1, 1e5), st.floats(0, 20), st.floats(0, 1))
def test_at_break_even_both_cost_the_same(speed, ratio, cached):
    api = ApiPrice(Decimal("0.05"), Decimal("0.20"), Decimal("0.01"))

    found = compute_ownership(RENT, speed, Traffic(ratio, cached), api)

    own = price_per_million(found.usd_per_hour, speed, found.break_even_utilisation)
    assert float(own) == pytest.approx(float(found.api_usd_per_million_output), rel=1e-6)


def test_prompts_are_part_of_what_an_api_charges():
    api = ApiPrice(Decimal("0.10"), Decimal("0.40"), Decimal("0.02"))

    assert api.usd_per_million_output(Traffic(5, 0.5)) == Decimal("0.40") + 5 * (Decimal("0.05") + Decimal("0.01"))
    assert ApiPrice(Decimal("0.10"), Decimal("0.40")).usd_per_million_output(Traffic(5, 0.5)) == Decimal("0.90")


def test_a_machine_of_ones_own_costs_writing_off_and_electricity():
    own = OwnedGpus(Decimal(280_320), Decimal(4), 8000, Decimal("0.10"), pue=1.25, other_usd_per_hour=Decimal("0.5"))

    assert own.usd_per_hour() == Decimal(8) + Decimal(1) + Decimal("0.5")
    assert compute_ownership(own, 40_000, Traffic(3)).electricity_share == pytest.approx(1 / 9.5)


def test_what_was_not_given_is_unknown():
    found = compute_ownership(RENT, 9806, Traffic(4))

    assert found.api_usd_per_million_output is None
    assert found.break_even_utilisation is None
    assert found.electricity_share is None


def test_impossible_figures_are_refused():
    with pytest.raises(UserError, match="more than 0"):
        compute_ownership(RENT, 0, Traffic(1))
    with pytest.raises(UserError, match="comes to 140 %"):
        compute_ownership(RENT, 10, Traffic(1), measured_utilisation=1.4)
