from datetime import UTC, datetime
from decimal import Decimal

import msgspec

from modicum.calls import Basis
from modicum.cli.terminal.csv_rows import print_struct_rows


class Ratio(msgspec.Struct):
    value: float | None
    low: float | None = None


class Line(msgspec.Struct):
    name: str
    usd: Decimal | None
    basis: Basis
    at: datetime
    ratio: Ratio
    many: list[int] = []
    words: str = "long"


def test_plain_fields_are_columns_and_lists_are_left_to_json(capsys):
    at = datetime(2026, 2, 3, tzinfo=UTC)
    print_struct_rows(
        [Line("=1+1", Decimal("1E+1"), Basis.EXACT, at, Ratio(0.5)), Line("b", None, Basis.UNKNOWN, at, Ratio(None))],
        but=("words",),
    )

    assert capsys.readouterr().out.splitlines() == [
        "name,usd,basis,at,ratio.value,ratio.low",
        "'=1+1,10,exact,2026-02-03T00:00:00+00:00,0.5,",
        "b,,unknown,2026-02-03T00:00:00+00:00,,",
    ]


def test_no_rows_are_an_empty_table(capsys):
    print_struct_rows([])

    assert capsys.readouterr().out.strip() == ""
