from datetime import UTC, datetime
from decimal import Decimal

import pytest

from modicum.importers import fields

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


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
    assert fields.moment(written) == NOON


@pytest.mark.parametrize("written", ["noon", 1e300, float("nan"), {"a": 1}, "9" * 30])
def test_what_is_no_time_is_a_value_error(written):
    with pytest.raises(ValueError, match="time"):
        fields.moment(written)


def test_counts_may_be_text_and_the_first_that_is_there_stands():
    assert fields.count({"a": "", "b": "12", "c": 3}, "a", "b", "c") == 12
    assert fields.count({"a": None}, "a") is None


@pytest.mark.parametrize("written", ["many", "-1", "1.5", "1e30", [], True])
def test_what_is_no_count_is_a_value_error(written):
    with pytest.raises(ValueError, match="tokens"):
        fields.count({"tokens": written}, "tokens")


def test_money_is_decimal_and_never_strange():
    assert fields.dollars(0.1) == Decimal("0.1")
    assert fields.dollars("") is None
    for strange in ("-1", "nan", "1e9", "dear"):
        with pytest.raises(ValueError, match="cost"):
            fields.dollars(strange)


def test_structures_may_be_text_in_a_cell():
    assert fields.mapping('{"a": 1}') == {"a": 1}
    assert fields.items("[1, 2]") == [1, 2]
    assert fields.mapping("{broken") == {}
    assert fields.items("plain") == []


def test_tags_are_named_or_true_and_never_content():
    assert fields.tags(["team:search", "nightly", "a=b", "x" * 500, 7]) == {
        "team": "search",
        "nightly": "true",
        "a": "b",
        "7": "true",
    }
    assert fields.named(name="chat", empty="", long="x" * 500) == {"name": "chat"}


def test_half_a_surrogate_pair_is_replaced():
    assert fields.text("a\ud83d") == "a?"
