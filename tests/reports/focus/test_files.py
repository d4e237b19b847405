import io
from decimal import Decimal

import duckdb
import pytest

from modicum.calls import UserError
from modicum.reports.focus.columns import COLUMNS
from modicum.reports.focus.corrections import correct
from modicum.reports.focus.files import read_focus_csv, write_focus_csv, write_focus_parquet
from modicum.reports.focus.rows import build_rows
from reports.focus.samples import charge

ROWS = build_rows([charge("0.123456789", tags={"app": '"a", <b>\u00e9'}), charge(None, team="")])


def csv_file(tmp_path, rows=ROWS):
    path = tmp_path / "rows.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        write_focus_csv(stream, rows, "1.2")
    return path


def test_csv_comes_back_as_it_was_written(tmp_path):
    found = read_focus_csv(csv_file(tmp_path))

    assert list(found[0]) == list(COLUMNS["1.2"])
    assert [row["BilledCost"] for row in found] == [Decimal("0.123456789"), 0]
    assert found[0]["Tags"] == ROWS[0]["Tags"]
    assert correct(found, ROWS, "1.2") == []


def test_parquet_has_types(tmp_path):
    path = tmp_path / "it's.parquet"
    write_focus_parquet(path, ROWS, "1.3")

    found = duckdb.read_parquet(str(path))
    types = dict(zip(found.columns, map(str, found.types), strict=True))
    assert list(types) == list(COLUMNS["1.3"])
    assert types["BilledCost"] == "DECIMAL(38,18)"
    assert types["ChargePeriodStart"] == "TIMESTAMP WITH TIME ZONE"
    assert found.aggregate("sum(BilledCost), min(Tags), count(SubAccountId)").fetchall() == [
        (Decimal("0.123456789"), ROWS[0]["Tags"], 1)
    ]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("a,b\n1,2\n", "is no export of FOCUS: the column BilledCost is not there"),
        ("BilledCost,ChargePeriodStart,SkuPriceId\n1,2\n", r":2: the line has not as many cells"),
        ("BilledCost,ChargePeriodStart,SkuPriceId\nx,2,3\n", r":2: BilledCost is 'x', no amount"),
        ("\xff", "is no export"),
    ],
)
def test_what_is_no_export_is_said_with_its_line(content, why, tmp_path):
    path = tmp_path / "x.csv"
    path.write_text(content, encoding="utf-8")

    with pytest.raises(UserError, match=why):
        read_focus_csv(path)


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    with pytest.raises(UserError, match="cannot be written"):
        write_focus_parquet(tmp_path / "no" / "x.parquet", ROWS, "1.2")


def test_a_name_is_no_formula():
    stream = io.StringIO()
    write_focus_csv(stream, build_rows([charge(team="=cmd|calc")]), "1.2")

    assert ",=cmd" not in stream.getvalue()


def test_hostile_names_are_not_corrected_by_themselves(tmp_path):
    rows = build_rows(
        [charge(team=name, model=name) for name in ("=cmd|calc", "a\x1fb", "new\nline\r", "\u202eZ\u00fcrich")]
    )

    assert correct(read_focus_csv(csv_file(tmp_path, rows)), rows, "1.2") == []
