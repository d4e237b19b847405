import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.energy.servers.exposition import parse_exposition


def test_values_are_summed_over_label_sets():
    found = parse_exposition('a{engine="0"} 2\na{engine="1"} 3.5e1 1700000000\n')

    assert found.total("a") == 37.0
    assert found.total("a", where={"engine": "1"}) == 35.0


def test_the_first_name_that_is_there_is_taken():
    assert parse_exposition("new 1\nold 2\n").total("newer", "new", "old") == 1.0


def test_nothing_is_none_and_not_zero():
    assert parse_exposition("a 1\n").total("b") is None


@pytest.mark.parametrize("value", ["NaN", "+Inf"])
def test_a_value_that_is_no_number_is_unknown(value):
    assert parse_exposition(f"a {value}\n").total("a") is None


def test_comments_and_empty_lines_are_skipped():
    assert parse_exposition("# HELP a text\n# TYPE a counter\n\na 1\n").total("a") == 1.0


def test_a_text_that_came_as_one_json_string_is_read():
    assert parse_exposition('"# HELP a b\\na 4\\n"').total("a") == 4.0


@pytest.mark.parametrize("text", ["<html>", "a\n", "a{b=c} 1\n", "a one\n", '"a 1'])
def test_what_is_no_metric_names_its_line(text):
    with pytest.raises(ValueError, match="line 1"):
        parse_exposition(text)


@given(
    st.text(
        alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")
    )
)
def test_any_label_comes_back_as_it_was(value):
    written = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

    ((labels, number),) = parse_exposition(f'a{{x="{written}",y="1"}} 2\n').rows("a")

    assert (labels, number) == ({"x": value, "y": "1"}, 2.0)
