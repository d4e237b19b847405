from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.insights.money.splitting import split_exactly

AMOUNTS = st.decimals(min_value=-10_000, max_value=10_000, places=12)
WEIGHTS = st.lists(st.decimals(min_value=0, max_value=1_000_000, places=10), min_size=1, max_size=30)


@given(AMOUNTS, WEIGHTS)
def test_parts_sum_to_the_amount_to_the_last_digit_and_are_near_their_share(amount, weights):
    parts = split_exactly(amount, weights)

    assert sum(parts) == amount
    whole = sum(weights)
    shares = [weight / whole if whole else 1 / Decimal(len(weights)) for weight in weights]
    assert all(abs(part - amount * share) < Decimal("0.0000000002") for part, share in zip(parts, shares, strict=True))


def test_what_does_not_divide_goes_to_the_largest_remainders_first():
    assert split_exactly(Decimal(1), [Decimal(1), Decimal(1), Decimal(1)]) == [
        Decimal("0.3333333334"),
        Decimal("0.3333333333"),
        Decimal("0.3333333333"),
    ]
    assert split_exactly(Decimal(0), [Decimal(3), Decimal(0)]) == [0, 0]


def test_there_must_be_somebody_to_divide_among():
    with pytest.raises(ValueError, match="nobody"):
        split_exactly(Decimal(1), [])
