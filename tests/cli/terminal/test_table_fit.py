from hypothesis import given
from hypothesis import strategies as st

from modicum.cli.terminal.table_fit import TableColumn, column_widths, fit_columns

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
    assert fit_columns(BILL, 60, ["of another table", "calls"]) == [0, 2, 3]


def test_what_went_in_vain_comes_back():
    why = TableColumn("why", 300, 300, is_text=True)

    assert fit_columns([MODEL, CALLS, PROMPT, why], 55, ["calls"]) == [0, 1, 2]


def test_one_long_word_does_not_hide_its_column():
    why = TableColumn("why", 300, 300, is_text=True)

    assert fit_columns([MODEL, CALLS, why], 64) == [0, 1, 2]
    assert column_widths([MODEL, CALLS, why], [0, 1, 2], 64) == [25, 6, 25]


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


def test_the_widest_texts_are_wrapped_first_and_a_first_column_at_its_least_takes_nothing_from_others():
    times = [TableColumn("when", 19, 10, is_text=True), TableColumn("until", 16, 10, is_text=True)]
    table = [*times, TableColumn("by", 4, 4, is_text=True)]

    assert column_widths(table, [0, 1, 2], 80) == [19, 16, 4]
    assert column_widths(table, [0, 1, 2], 44) == [19, 13, 4]


@given(st.lists(columns, min_size=1, max_size=9), st.integers(1, 200))
def test_widths_fill_the_terminal_and_never_pass_it(table, width):
    shown = fit_columns(table, width)
    widths = column_widths(table, shown, width)

    full = [table[number].width for number in shown]
    assert all(one <= most for one, most in zip(widths, full, strict=True))
    assert not shown or sum(widths) == min(sum(full), width - 2 - 3 * (len(shown) - 1))
