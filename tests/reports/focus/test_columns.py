from decimal import Decimal

from modicum.reports.focus.columns import COLUMNS, DECIMALS, TIMES, cell_text


def test_columns_stand_in_order_once_each_and_ours_last():
    for columns in COLUMNS.values():
        theirs = [name for name in columns if not name.startswith("x_")]

        assert len(set(columns)) == len(columns)
        assert list(columns[: len(theirs)]) == sorted(theirs)
        assert {*DECIMALS, *TIMES} <= set(columns)
    assert set(COLUMNS["1.3"]) - set(COLUMNS["1.2"]) == {"HostProviderName", "ServiceProviderName"}


def test_a_decimal_always_has_a_point():
    values = (Decimal(1200), Decimal("0.5000"), Decimal("0E-10"), Decimal("1E-7"), Decimal("-0.25"), None, "7")

    assert [cell_text(value) for value in values] == ["1200.0", "0.5", "0.0", "0.0000001", "-0.25", "", "7"]
