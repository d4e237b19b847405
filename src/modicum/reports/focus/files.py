"""An export as a file: CSV, or Parquet as DuckDB writes it; and an earlier one, read again."""

import csv
import tempfile
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

from modicum.calls import UserError
from modicum.reports.focus.columns import COLUMNS, DECIMALS, TIMES, Row, cell_text
from modicum.reports.spreadsheet import write_csv


def write_focus_csv(stream: TextIO, rows: Iterable[Row], version: str) -> None:
    """One line of names, then the rows."""
    columns = COLUMNS[version]
    write_csv(stream, columns, ([cell_text(row.get(name)) for name in columns] for row in rows))


def write_focus_parquet(path: Path, rows: Iterable[Row], version: str) -> None:
    """The same with types: amounts as decimals with 18 places, times with their zone.

    Raises:
        UserError: the file cannot be written.
    """
    import duckdb  # most reports are written without it

    types = {name: _type(name) for name in COLUMNS[version]}
    with tempfile.TemporaryDirectory(prefix="modicum-focus-") as folder:
        plain = Path(folder) / "rows.csv"
        with plain.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow(types)
            writer.writerows([cell_text(row.get(name)) for name in types] for row in rows)
        base = duckdb.connect()
        try:
            base.execute("SET TimeZone = 'UTC'")
            base.read_csv(str(plain), header=True, dtype=types, na_values=[""]).write_parquet(str(path))
        except duckdb.IOException as error:
            raise UserError(f"{path} cannot be written: {str(error).splitlines()[0]}; name another file") from None
        finally:
            base.close()


def read_focus_csv(path: Path) -> list[Row]:
    """The rows of an export that was written as CSV; amounts as decimals, empty cells as None.

    Raises:
        UserError: it cannot be read, or is no such file; the message names the line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            return list(_read(stream, path))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path}: cannot be read as an export of FOCUS: {error}") from None


def _read(stream: TextIO, path: Path) -> Iterator[Row]:
    reader = csv.DictReader(stream, strict=True)
    missing = [
        name for name in ("BilledCost", "ChargePeriodStart", "SkuPriceId") if name not in (reader.fieldnames or ())
    ]
    if missing:
        raise UserError(f"{path}: is no export of FOCUS: the column {missing[0]} is not there")
    for row in reader:
        if None in row or None in row.values():
            raise UserError(f"{path}:{reader.line_num}: the line has not as many cells as there are columns")
        yield {name: _parsed(name, text, f"{path}:{reader.line_num}") for name, text in row.items()}


def _parsed(name: str, text: str, place: str) -> Any:
    if not text:
        return None
    if name not in DECIMALS:
        return text
    try:
        value = Decimal(text)
    except ArithmeticError:
        value = Decimal("NaN")
    if not value.is_finite():
        raise UserError(f"{place}: {name} is '{text:.40}', no amount")
    return value


def _type(name: str) -> str:
    return "DECIMAL(38, 18)" if name in DECIMALS else "TIMESTAMPTZ" if name in TIMES else "VARCHAR"
