import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.optimizers.line_numbers import NOTE, with_line_numbers, without_line_numbers

CODE = [f"\tcall({number})" for number in range(40)]
STYLES = {
    "claude code": lambda number: f"{number:6}→",
    "cat -n": lambda number: f"{number:6}\t",
    "zeros": lambda number: f"{number:05}| ",
    "bare": lambda number: f"{number}: ",
}


def numbered(lines, style="claude code", first=1):
    return "\n".join(STYLES[style](number) + line for number, line in enumerate(lines, first))


@pytest.mark.parametrize("style", STYLES)
def test_every_tenth_line_shows_its_number_and_the_text_comes_back(style):
    text = numbered(CODE, style, 7)

    edited = without_line_numbers(text)

    lines = edited.split("\n")
    assert lines[0] == f"{NOTE}40 lines every tenth shows its number]"
    assert lines[1] == STYLES[style](7) + CODE[0]
    assert lines[2:4] == CODE[1:3]
    assert lines[4] == STYLES[style](10) + CODE[3]
    assert with_line_numbers(edited) == text


def test_what_stands_around_a_file_stays_and_several_files_are_edited_each():
    text = "\n".join(["The file a.py:", numbered(CODE), "", "<note>", numbered(CODE, "cat -n", 991), "end"])

    edited = without_line_numbers(text)

    assert edited.count(NOTE) == 2
    assert edited.startswith("The file a.py:\n")
    assert edited.endswith("\nend")
    assert with_line_numbers(edited) == text


@pytest.mark.parametrize(
    "text",
    [
        numbered(CODE[:11]),
        "\n".join(f"{number:6}→x" for number in range(0, 80, 2)),
        "\n".join(CODE),
        f"{NOTE}3 lines every tenth shows its number]\n" + numbered(CODE),
        "\n".join(f"{'0 0'}{number}→x" for number in range(1, 40)),
    ],
    ids=["short", "not one by one", "no numbers", "our own note", "odd padding"],
)
def test_other_texts_stay(text):
    assert without_line_numbers(text) == text


LINE = st.text(max_size=12).map(lambda text: text.replace("\n", " "))
SOME_LINES = st.one_of(LINE, st.sampled_from(["     8→x", "12: y", "", NOTE + "4 lines", "日本\r", "\x85"]))


@given(
    st.lists(SOME_LINES, min_size=1, max_size=40),
    st.sampled_from(list(STYLES)),
    st.integers(0, 2_000_000),
    st.lists(SOME_LINES, max_size=3),
)
def test_whatever_the_lines_hold_the_text_comes_back(lines, style, first, around):
    text = "\n".join([*around, numbered(lines, style, first), *around])

    assert with_line_numbers(without_line_numbers(text)) == text
