from datetime import date

import pytest

import modicum as library
from modicum.calls import UserError


def test_a_price_has_a_row_for_each_lane_and_step(modicum):
    printed = modicum("prices", "gpt-5", "--at", "2026-10-01", "--json").json["models"][0]

    found = library.price("gpt-5", at=date(2026, 10, 1))

    assert [row["lane"] for row in found.to_dicts()] == [
        lane["lane"] for lane in printed["lanes"] for _ in lane["steps"]
    ]
    first = found.to_dicts()[0]["usd_per_million"]
    assert {name: float(usd) for name, usd in first.items()} == {
        name: float(usd) for name, usd in printed["lanes"][0]["steps"][0]["usd_per_million"].items()
    }


def test_a_model_without_a_price_has_no_rows():
    found = library.price("nobody-sells-this")

    assert not found.is_known
    assert found.to_dicts() == []


def test_a_time_that_is_none_is_named():
    with pytest.raises(UserError, match="someday"):
        library.price("gpt-5", at="someday")
