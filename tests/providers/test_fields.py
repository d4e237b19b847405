import math
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.providers import fields

NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "said",
    [
        "2026-02-01T12:00:00Z",
        "2026-02-01T13:00:00+01:00",
        "2026-02-01T12:00:00",
        NOON.timestamp(),
        int(NOON.timestamp() * 1000),
        int(NOON.timestamp() * 1_000_000_000),
        str(int(NOON.timestamp())),
    ],
)
def test_one_moment_in_many_spellings(said):
    assert fields.moment(said) == NOON


@pytest.mark.parametrize(
    "said", [None, True, "", "soon", 0, -5, math.inf, math.nan, 10**40, "9999-12-31T23:59:59-14:00", []]
)
def test_no_moment(said):
    assert fields.moment(said) is None


@given(st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.lists(st.integers())))
def test_whatever_stands_there_gives_the_wanted_type(value):
    assert isinstance(fields.text(value), str)
    assert isinstance(fields.listed(value), list)
    assert fields.mapping(value) == {}
    at = fields.moment(value)
    assert at is None or at.tzinfo is UTC


def test_half_characters_are_replaced():
    assert fields.text("a\ud800") == "a?"


@pytest.mark.parametrize(
    ("said", "usd"),
    [(0.25, Decimal("0.25")), ("1.5", Decimal("1.5")), (0, None), (-1, None), ("x", None), (math.nan, None)],
)
def test_a_cost_of_nothing_is_no_cost_known(said, usd):
    assert fields.dollars(said) == usd
