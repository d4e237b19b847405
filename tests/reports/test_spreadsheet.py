import csv
import io
from decimal import Decimal

import pytest

from modicum.reports.spreadsheet import write_csv


def written(columns, rows):
    stream = io.StringIO()
    write_csv(stream, columns, rows)
    return stream.getvalue()


@pytest.mark.parametrize(
    "name",
    [
        "=1+1",
        "+1+1",
        "-1+1",
        "@SUM(A1)",
        "\t=1+1",
        "\r=1+1",
        "\n=1+1",
        " =1+1",
        "\u00a0=1+1",
        "\uff1d1+1",
        '=HYPERLINK("http://evil","x")',
        "-team",
    ],
)
def test_no_cell_of_a_csv_is_a_formula(name):
    text = written([name, "calls"], [[name, 1]])

    head, row = csv.reader(io.StringIO(text, newline=""))

    assert row[0][0] in "'\\"  # what a control character is written as begins with a backslash
    assert row[0].endswith(name.strip())
    assert (head, row[1]) == ([row[0], "calls"], "1")


def test_a_cell_within_a_cell_is_no_formula_either():
    text = written(["name"], [["a;=1+1"], ["a;  @x"], ["a\r=1+1\nb"], ["a;b"], ["a=b"], ["eu-west"]])

    rows = list(csv.reader(io.StringIO(text, newline="")))

    assert rows[1:] == [["a;'=1+1"], ["a;'  @x"], ["a\\r=1+1\\nb"], ["a;b"], ["a=b"], ["eu-west"]]


@pytest.mark.parametrize("number", [-5, Decimal("-0.5"), -0.25, "-0.0042", "+3", "1e-7", "", "2026-01-31"])
def test_numbers_of_a_csv_stay_numbers(number):
    text = written(["cost_usd", "calls"], [[number, 1]])

    assert text.splitlines()[1] == f"{number},1"


def test_small_amounts_are_plain_numbers():
    assert written(["cost"], [[Decimal("6.00E-8")]]) == "cost\n0.0000000600\n"


@pytest.mark.parametrize(
    ("value", "cell"), [(4.5018161999999995, "4.5018162"), (-0.25, "-0.25"), (1e-09, "0.000000001"), (3.0, "3")]
)
def test_an_estimate_has_no_last_bits_and_is_a_plain_number(value, cell):
    assert written(["cost"], [[value]]) == f"cost\n{cell}\n"
