from decimal import Decimal

import pytest

from modicum.reports.figures import dollars, dollars_of, dollars_of_axis, number_of, share, uncosted_note, unpriced_note


@pytest.mark.parametrize(
    ("usd", "shown"),
    [
        (Decimal("1234.567"), "$1,234.57"),
        (Decimal("0.0042"), "$0.0042"),
        (Decimal(0), "$0.00"),
        (Decimal("0.000012"), "$0.000012"),
        (Decimal("-0.000012"), "-$0.000012"),
        (None, "unknown"),
    ],
)
def test_dollars_keep_what_matters_of_small_amounts(usd, shown):
    assert dollars(usd) == shown


def test_a_share_of_nothing_is_not_shown():
    assert share(1, 4) == "25.0 %"
    assert share(1, 0) == ""


def test_numbers_of_things_and_of_axes():
    assert [number_of(1, "call"), number_of(1200, "call")] == ["1 call", "1,200 calls"]
    assert [dollars_of_axis(250.0), dollars_of_axis(0.5), dollars_of_axis(0)] == ["$250", "$0.50", "$0.00"]


@pytest.mark.parametrize(
    ("usd", "shown"),
    [
        (4.890000000000016e-05, "$0.000049"),
        (-26.184, "-$26.18"),
        (3e-15, "$0.00"),
        (-3e-15, "$0.00"),
        (None, "unknown"),
    ],
)
def test_a_small_saving_is_not_nothing_and_the_last_bits_of_a_sum_are(usd, shown):
    assert dollars_of(usd) == shown


def test_one_call_is_no_several():
    assert unpriced_note(1) == "1 call has no known price and is in no sum"
    assert unpriced_note(1200) == "1,200 calls have no known price and are in no sum"


def test_a_sum_says_how_many_of_its_calls_are_not_in_it():
    assert uncosted_note(1, 5) == "1 of 5 calls has no known cost and is in no sum"
    assert uncosted_note(2, 1200) == "2 of 1,200 calls have no known cost and are in no sum"
