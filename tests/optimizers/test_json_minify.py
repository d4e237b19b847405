import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.optimizers.json_minify import may_be_json, minify_json

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=20,
)


def pairs(text):
    """The data with order, keys that come twice, and numbers as they are written."""
    return json.loads(text, object_pairs_hook=list, parse_int=str, parse_float=str)


@given(JSON, st.sampled_from([None, 1, "\t"]), st.booleans())
def test_data_are_the_same_after_it(data, indent, ascii_only):
    text = json.dumps(data, indent=indent, ensure_ascii=ascii_only)

    assert pairs(minify_json(text)) == pairs(text)
    assert len(minify_json(text)) <= len(text)


@pytest.mark.parametrize(
    ("text", "shorter"),
    [
        (
            '{ "b" : 12345678901234567890123, "a": 1.0e+05 , "a" : -0 }',
            '{"b":12345678901234567890123,"a":1.0e+05,"a":-0}',
        ),
        ('[ "a  b\\u0041\\/" ]', '["a  b\\u0041\\/"]'),
    ],
)
def test_numbers_keys_and_escapes_stay_as_they_were_written(text, shorter):
    assert minify_json(text) == shorter


@pytest.mark.parametrize("text", ['{"a": 1', '{"a": NaN}', "[1, 2] and more", '{"a": 1} {"b": 2}', "", '["\ud800", 1]'])
def test_what_is_no_json_stays(text):
    assert minify_json(text) == text


def test_a_quick_look_sees_objects_and_lists():
    assert may_be_json(' {"a": 1}\n')
    assert not may_be_json("  1\t{")
