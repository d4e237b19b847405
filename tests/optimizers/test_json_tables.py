import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.optimizers.json_minify import minify_json
from modicum.optimizers.json_tables import COLUMNS, json_with_tables, json_without_tables

VALUES = st.none() | st.integers() | st.text(max_size=5) | st.lists(st.integers(), max_size=3)
ROWS = st.lists(st.fixed_dictionaries({"id": st.integers(), "name": VALUES, "say": VALUES}), max_size=8)


@given(ROWS | st.fixed_dictionaries({"items": ROWS, "next": VALUES}))
def test_tables_turn_back_into_the_very_bytes(data):
    text = json.dumps(data, ensure_ascii=False)

    tables = json_with_tables(text)

    assert json_without_tables(tables) == minify_json(text)
    assert json_with_tables(tables) == tables


def test_keys_are_written_once_and_numbers_as_they_were():
    text = '{"n": [{"a": 1.0, "b": 1e3}, {"a": 12345678901234567890123, "b": 2}, {"a": 3, "b": 4}, {"a": 5, "b": 6}'
    text += ', {"a": 7, "b": 8}, {"a": 7, "b": 8}]}'

    assert json_with_tables(text) == (
        '{"n":{"columns of this table":["a","b"],"rows":[[1.0,1e3],[12345678901234567890123,2],'
        "[3,4],[5,6],[7,8],[7,8]]}}"
    )


@pytest.mark.parametrize(
    "text",
    [
        '[{"a": 1}, {"b": 2}, {"a": 3}]',
        '[{"a": 1, "a": 2}, {"a": 1, "a": 2}, {"a": 1, "a": 2}]',
        '[{"a": 1}, {"a": 2}, 3]',
        json.dumps([{"a": number, COLUMNS: [1]} for number in range(9)]),
        '[{"a": 1}, {"a": 2}',
    ],
)
def test_what_is_not_uniform_or_uses_our_own_key_is_no_table(text):
    assert minify_json(json_with_tables(text)) == minify_json(text)


def test_what_is_no_json_says_so():
    with pytest.raises(ValueError, match="no JSON"):
        json_without_tables("[1")
