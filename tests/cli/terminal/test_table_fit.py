from hypothesis import given
from hypothesis import strategies as st

from modicum.cli.terminal.table_fit import TableColumn, fit_columns

MODEL = TableColumn("model", 26, 26, is_text=True)
CALLS = TableColumn("calls", 6, 6)
PROMPT = TableColumn("prompt", 13, 13)
COST = TableColumn("cost", 10, 10, is_money=True)
BASIS = TableColumn("basis", 11, 11)
BAR = TableColumn("", 24, 24, is_text=True)
BILL = [MODEL, CALLS, PROMPT, COST, BASIS]


def test_what_fits_stays():
    assert fit_columns(BILL, 80) == [0, 1, 2, 3, 4]


def test_bars_go_first_then_figures_from_the_right_and_money_stays():
    assert fit_columns([*BILL, BAR], 80) == [0, 1, 2, 3, 4]
    assert fit_columns(BILL, 66) == [0, 1, 2, 3]
    assert fit_columns(BILL, 50) == [0, 1, 3]
    assert fit_columns(BILL, 40) == [0, 3]


def test_a_verb_says_what_is_worth_least():
    assert fit_columns(BILL, 66, ["prompt"]) == [0, 1, 3, 4]
    assert fit_columns(BILL, 66, ["of another table", "calls"]) == [0, 2, 3]


def test_names_and_money_that_do_not_fit_are_no_table():
    assert fit_columns(BILL, 30) == []


columns = st.builds(
    TableColumn,
    st.sampled_from(["", "name", "calls"]),
    st.integers(0, 60),
    st.integers(0, 60),
    st.booleans(),
    st.booleans(),
)


@given(st.lists(columns, min_size=1, max_size=9), st.integers(1, 200))
def test_what_is_shown_fits_and_holds_names_and_money(table, width):
    shown = fit_columns(table, width, ["calls"])

    if shown:
        least = [table[number].least_width(is_first=number == 0) for number in shown]
        assert sum(least) + 3 * len(least) - 1 <= width
        assert shown[0] == 0
        assert {number for number, one in enumerate(table) if one.is_money and one.name not in {"", "calls"}} <= {
            *shown
        }
