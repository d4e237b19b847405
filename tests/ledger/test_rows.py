import pytest

from modicum.ledger.rows import json_text, storable_columns

HALF = "a\ud83d"


def test_texts_of_columns_are_freed_of_half_characters_and_other_values_stay():
    columns = {"name": [None, "x", HALF, "ü"], "number": [None, 1], "none": [None]}

    assert storable_columns(columns) == {"name": [None, "x", "a?", "ü"], "number": [None, 1], "none": [None]}


@pytest.mark.parametrize(
    ("names", "text"),
    [
        ({"b": "2", "a": "1"}, '{"a":"1","b":"2"}'),
        (("b", "a"), '["b","a"]'),
        ({HALF: HALF}, '{"a?":"a?"}'),
        ((HALF, "ü"), '["a?","ü"]'),
    ],
)
def test_several_texts_are_one_value_in_one_order(names, text):
    assert json_text(names) == text
