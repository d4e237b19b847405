import io
import json
import re
from decimal import Decimal

import pytest
from rich.cells import cell_len

from modicum.cli.terminal.output import json_text, print_csv, print_table, print_text


def test_json_has_decimals_as_numbers():
    assert json.loads(json_text({"cost_usd": Decimal("876.7434")})) == {"cost_usd": 876.7434}


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    """What is shown on a terminal of some width, line by line."""

    def show(width, print_it):
        stream = Terminal()
        monkeypatch.setattr("sys.stdout", stream)
        for name, value in {"COLUMNS": str(width), "NO_COLOR": "1", "TERM": "xterm"}.items():
            monkeypatch.setenv(name, value)
        print_it()
        return re.sub(r"\x1b\[[0-9;]*m", "", stream.getvalue()).splitlines()

    return show


COLUMNS = ["model", "calls", "prompt", "cached", "cost", "share", "basis"]
ROWS = [
    ["claude-opus-4-5-20251101", "6,657", "637,283,724", "95.3 %", ">= $547.91", "62.5 %", "lower_bound"],
    ["claude-haiku-4-5-20251001", "452", "26,045,551", "87.9 %", ">= $8.27", "0.9 %", "lower_bound"],
]
TOTAL = ["total", "11,719", "1,090,336,230", "95.6 %", ">= $876.74", "100.0 %", "lower_bound"]


@pytest.mark.parametrize("width", [120, 80, 60, 40, 20])
def test_on_a_terminal_of_any_width_names_and_money_are_whole(terminal, width):
    lines = terminal(width, lambda: print_table(COLUMNS, ROWS, footer=TOTAL))

    assert max(len(line.rstrip()) for line in lines) <= width
    text = "\n".join(lines)
    for row in [*ROWS, TOTAL]:
        assert row[4] in text
        assert row[0] in text or row[0] in text.replace("\n", "")
    assert "…" not in text


def test_a_narrow_terminal_is_said_what_it_does_not_show(terminal):
    lines = terminal(60, lambda: print_table(COLUMNS, ROWS, footer=TOTAL, least_valued=["prompt"]))

    assert "model" in lines[1]
    assert "cost" in lines[1]
    assert "prompt" not in lines[1]
    assert " ".join(lines[-2:]).startswith("not shown, since the terminal is narrow: prompt")


@pytest.mark.parametrize(
    "name", ["m" * 300, "\u05e9\u05dc\u05d5\u05dd " * 30, "\U0001f600" * 90, "\u6a21" * 150, "a\x1b[2Jb"]
)
def test_names_of_any_kind_leave_the_figures_where_they_are(terminal, name):
    lines = terminal(80, lambda: print_table(["model", "cost"], [[name, "$1.00"], ["short", "$2.00"]]))

    assert max(cell_len(line.rstrip()) for line in lines) <= 80
    assert "\x1b[2J" not in "".join(lines)
    ends = [cell_len(line.rstrip()) for line in lines if "$" in line]
    assert len(ends) == 2
    assert ends[0] == ends[1]


def test_a_sentence_is_wrapped_at_words_and_its_lines_begin_alike(terminal):
    lines = terminal(40, lambda: print_text("   one two three four five six seven eight nine ten eleven"))

    assert [line[:3] for line in lines] == ["   "] * 2
    assert " ".join(line.strip() for line in lines) == "one two three four five six seven eight nine ten eleven"


def test_a_sentence_in_a_pipe_is_one_line(capsys):
    print_text("   " + "word " * 60)

    assert capsys.readouterr().out.count("\n") == 1


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


def test_a_pipe_that_says_how_wide_it_is_read_gets_wrapped_sentences(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    print_text("\n  a note that is longer than one line; next\n    and an indented one")
    monkeypatch.setenv("COLUMNS", "wide")
    print_text("word " * 12)

    shown = capsys.readouterr().out.splitlines()
    assert shown[:4] == ["", "  a note that is longer than", "  one line; next", "    and an indented one"]
    assert len(shown) == 5
