import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.calls import Problem
from modicum.importers import array_items as array_items_file
from modicum.importers.array_items import array_items, holds_too_much

PATH = Path("a.json")


def items(data, size):
    return list(array_items(PATH, iter([data[at : at + size] for at in range(0, len(data), size)])))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(st.lists(VALUES, max_size=6), st.integers(1, 40), st.sampled_from([None, 1]), st.booleans())
def test_items_are_those_of_the_whole_however_it_is_cut(values, size, indent, escaped):
    data = json.dumps(values, indent=indent, ensure_ascii=escaped).encode("utf-8", "replace")

    assert items(data, size) == list(enumerate(json.loads(data), 1))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_the_first_bytes_tell_the_encoding(encoding):
    assert items('["é", 1]'.encode(encoding), 64) == [(1, "é"), (2, 1)]


@pytest.mark.parametrize(
    ("text", "good", "reason", "line"),
    [
        (b'[{"a": 1},\n{"a": 2},\n{"a" 3},\n{"a": 4}]', 2, "not valid JSON", 3),
        (b'[{"a": 1},\n{"a": ', 1, "not valid JSON", 2),
        (b'[{"a": 1}', 1, "',' is missing", 1),
        (b'[{"a": 1}\n{"a": 2}]', 1, "',' is missing", 2),
        (b"[1] [2]", 1, "something follows the array", 1),
        (b"[1, \xff]", 0, "not valid UTF-8", 1),
        (b"[1, " + b"[" * 100_000, 1, "nested too deeply", 1),
        (b"[1, " + b"9" * 5_000 + b"]", 1, "a number is too long", 1),
        (b"[1,]", 1, "not valid JSON", 1),
    ],
)
def test_all_before_a_broken_place_is_given_and_the_place_is_named(text, good, reason, line):
    *before, problem = items(text, 1 << 20)

    assert len(before) == good
    assert reason in problem.reason
    assert problem.line == line


def test_what_ended_the_pieces_is_the_problem():
    cut = Problem("a.json", "the gzip file is cut off")

    assert list(array_items(PATH, iter([b'[1, {"a": ', cut]))) == [(1, 1), cut]


def test_an_item_that_is_too_large_or_holds_too_much_is_left_out(monkeypatch):
    monkeypatch.setattr(array_items_file, "MOST_VALUES", 100)
    many = b"[1, [" + b"[]," * 200 + b"[]]]"
    assert [type(found) for found in items(many, 64)] == [tuple, Problem]

    monkeypatch.setattr(array_items_file, "MOST_ITEM_CHARACTERS", 1_000)
    large = b'[1, "' + b"x" * 5_000 + b'"]'
    assert "larger than" in items(large, 64)[-1].reason


def test_marks_within_texts_do_not_count(monkeypatch):
    monkeypatch.setattr(array_items_file, "MOST_VALUES", 100)

    assert not holds_too_much(json.dumps({"a": "[,{" * 100 + '\\"'}).encode())
    assert holds_too_much(json.dumps([[]] * 100).encode())
