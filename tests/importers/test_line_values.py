import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modicum.importers.line_values import NO_OBJECT, reason_unread, values

ROW = b'{"id":"a","text":"}{ and {\\"id\\":1}"}'
NEXT = b'{"id":"b","in":{"id":"c"}}'
HALF = b'{"id":"x","text":"cut of'


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (ROW, [ROW]),
        (ROW + NEXT, [ROW, NEXT]),
        (ROW + b" \t" + NEXT + b"\r" + ROW, [ROW, NEXT, ROW]),
        (b"\x00" * 500 + ROW, [ROW]),
        (HALF + b"\x00" * 500 + NEXT + b"\x00", [HALF, NEXT]),
        (HALF + NEXT, [HALF, NEXT]),
        (NEXT + HALF, [NEXT, HALF]),
        (HALF + HALF + ROW, [HALF, HALF, ROW]),
        (b'{"id": ' + NEXT, [b'{"id": ' + NEXT]),
        (b"a,b}{c,d", [b"a,b}{c,d"]),
        (b"\x00\x00", []),
        (b"", []),
    ],
)
def test_each_value_of_a_line_stands_by_itself_and_a_broken_one_spoils_no_other(line, expected):
    assert values(line) == expected


ANY = st.recursive(st.integers() | st.text() | st.none(), lambda inner: st.dictionaries(st.text(), inner), max_leaves=8)


@given(
    st.lists(st.dictionaries(st.text(), ANY), min_size=1, max_size=6), st.sampled_from(["", " ", "\t", "\r", "\x00"])
)
def test_any_rows_without_line_ends_between_them_come_apart_again(rows, between):
    line = between.join(json.dumps(row, ensure_ascii=False) for row in rows).encode()

    assert [json.loads(value) for value in values(line)] == rows


@given(st.binary(max_size=200))
def test_nothing_but_holes_and_space_is_lost(line):
    joined = b"".join(values(line))

    assert sorted(joined.translate(None, b" \t\r\n\x00")) == sorted(line.translate(None, b" \t\r\n\x00"))


def test_a_line_of_halves_without_end_ends():
    line = b'{"a":[' * 200_000

    assert len(values(line)) < 1_000


def test_what_does_not_look_like_an_object_is_named():
    assert reason_unread(ROW) == ""
    assert reason_unread(HALF) == NO_OBJECT
