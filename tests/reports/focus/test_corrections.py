from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modicum.calls import UserError
from modicum.reports.focus.corrections import AMOUNTS, correct
from modicum.reports.focus.rows import build_rows
from reports.focus.samples import charge

CHARGES = st.lists(
    st.builds(
        lambda usd, model, team, quantity: charge(usd, model=model, team=team, quantity=quantity),
        st.sampled_from([None, "0.1", "0.30", "7"]),
        st.sampled_from(["opus", "gpt"]),
        st.sampled_from(["a", ""]),
        st.sampled_from([10, 1000]),
    ),
    max_size=6,
)


def total(rows, column):
    return sum((row.get(column) or Decimal(0) for row in rows), Decimal(0))


@given(CHARGES, CHARGES)
@settings(max_examples=25)
def test_an_export_and_its_correction_are_together_what_one_is_now(before, now):
    earlier, current = build_rows(before), build_rows(now)

    corrections = correct(earlier, current, "1.2")

    assert all(row["ChargeClass"] == "Correction" for row in corrections)
    for column in AMOUNTS:
        assert total(earlier, column) + total(corrections, column) == total(current, column)
    assert correct([*earlier, *corrections], current, "1.2") == []


def test_only_what_has_changed_is_corrected_in_its_own_period():
    earlier = build_rows([charge(), charge(model="gpt")])
    now = build_rows([charge(), charge("1", model="gpt", quantity=2000, calls=3)])

    (row,) = correct(earlier, now, "1.2")

    assert (row["x_ModelId"], row["BilledCost"], row["ConsumedQuantity"], row["x_CallCount"]) == (
        "gpt",
        Decimal("0.5"),
        1000,
        1,
    )
    assert row["ChargePeriodStart"] == "2026-10-31T23:00:00Z"


def test_an_amount_that_is_none_names_its_row():
    with pytest.raises(UserError, match="row 1 of the earlier export: BilledCost is 'much', no amount"):
        correct([{"BilledCost": "much"}], [], "1.2")
