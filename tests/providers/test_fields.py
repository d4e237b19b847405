import math
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.providers import fields

NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)
MARCH = datetime(2026, 3, 2, 12, tzinfo=UTC)


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


@pytest.mark.parametrize(
    "written",
    [
        "2026-03-02T12:00:00Z",
        "2026-03-02 12:00:00.000000",
        "2026-03-02 14:00:00+02:00",
        1772452800,
        1772452800000,
        "1772452800.0",
    ],
)
def test_times_as_exports_write_them(written):
    assert fields.checked_moment(written) == MARCH


@pytest.mark.parametrize("written", ["noon", 1e300, float("nan"), {"a": 1}, "9" * 30])
def test_what_is_no_time_is_a_value_error(written):
    with pytest.raises(ValueError, match="time"):
        fields.checked_moment(written)


def test_counts_may_be_text_and_the_first_that_is_there_stands():
    assert fields.count({"a": "", "b": "12", "c": 3}, "a", "b", "c") == 12
    assert fields.count({"a": None}, "a") is None


@pytest.mark.parametrize("written", ["many", "-1", "1.5", "1e30", [], True])
def test_what_is_no_count_is_a_value_error(written):
    with pytest.raises(ValueError, match="tokens"):
        fields.count({"tokens": written}, "tokens")


def test_money_is_decimal_and_never_strange():
    assert fields.checked_dollars(0.1) == Decimal("0.1")
    assert fields.checked_dollars("") is None
    for strange in ("-1", "nan", "1e9", "dear"):
        with pytest.raises(ValueError, match="cost"):
            fields.checked_dollars(strange)


def test_structures_may_be_text_in_a_cell():
    assert fields.parsed_mapping('{"a": 1}') == {"a": 1}
    assert fields.parsed_list("[1, 2]") == [1, 2]
    assert fields.parsed_mapping("{broken") == {}
    assert fields.parsed_list("plain") == []


def test_a_checked_amount_may_be_nothing_and_a_plain_one_may_not():
    assert (fields.checked_dollars(0), fields.dollars(0)) == (Decimal(0), None)


def test_a_label_may_be_a_number():
    assert [fields.label(one) for one in (7, "a\ud83d", True, 1.5, None)] == ["7", "a?", "", "", ""]
