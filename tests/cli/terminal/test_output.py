import csv
import io
import json
from decimal import Decimal

import pytest

from modicum.cli.terminal.output import dollars, json_text, print_csv, print_table, share


@pytest.mark.parametrize(
    ("usd", "shown"),
    [
        (Decimal("1234.567"), "$1,234.57"),
        (Decimal("0.0042"), "$0.0042"),
        (Decimal(0), "$0.00"),
        (Decimal("0.000012"), "$0.000012"),
        (None, "unknown"),
    ],
)
def test_dollars_keep_what_matters_of_small_amounts(usd, shown):
    assert dollars(usd) == shown


def test_json_has_decimals_as_numbers():
    assert json.loads(json_text({"cost_usd": Decimal("876.7434")})) == {"cost_usd": 876.7434}


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
def test_no_cell_of_a_csv_is_a_formula(capsys, name):
    print_csv([name, "calls"], [[name, 1]])

    head, row = csv.reader(io.StringIO(capsys.readouterr().out, newline=""))

    assert row[0][0] in "'\\"  # what a control character is written as begins with a backslash
    assert row[0].endswith(name.strip())
    assert (head, row[1]) == ([row[0], "calls"], "1")


def test_a_cell_within_a_cell_is_no_formula_either(capsys):
    print_csv(["name"], [["a;=1+1"], ["a;  @x"], ["a\r=1+1\nb"], ["a;b"], ["a=b"], ["eu-west"]])

    rows = list(csv.reader(io.StringIO(capsys.readouterr().out, newline="")))

    assert rows[1:] == [["a;'=1+1"], ["a;'  @x"], ["a\\r=1+1\\nb"], ["a;b"], ["a=b"], ["eu-west"]]


@pytest.mark.parametrize("number", [-5, Decimal("-0.5"), -1e-9, "-0.0042", "+3", "1e-7", "", "2026-01-31"])
def test_numbers_of_a_csv_stay_numbers(capsys, number):
    print_csv(["cost_usd", "calls"], [[number, 1]])

    assert capsys.readouterr().out.splitlines()[1] == f"{number},1"


def test_a_table_in_a_pipe_has_no_rules_and_is_not_cut(capsys):
    print_table(["model", "cost"], [["m" * 200, "$1.00"], ["[bold]x", "$2.00"]])

    lines = capsys.readouterr().out.splitlines()

    assert lines[1].split() == ["m" * 200, "$1.00"]
    assert lines[2].split() == ["[bold]x", "$2.00"]
    assert "─" not in "".join(lines)


def test_a_row_is_one_line_whatever_a_name_holds(capsys):
    print_table(["", "team\n[b]a"], [["x\ny\x1b[31m", "[b]z"]], title="runs of [b]\r\n")

    lines = capsys.readouterr().out.splitlines()

    assert [line.strip() for line in lines] == [r"runs of [b]\r\n", r"team\n[b]a", r"x\ny\x1b[31m        [b]z"]


def test_csv_quotes_what_needs_it(capsys):
    print_csv(["a"], [['x,"y"']])

    assert capsys.readouterr().out == 'a\n"x,""y"""\n'


def test_a_share_of_nothing_is_not_shown():
    assert share(1, 4) == "25.0 %"
    assert share(1, 0) == ""
