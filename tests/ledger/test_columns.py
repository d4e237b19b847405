"""Entries as columns and back, without an engine between them."""

import msgspec
import pytest

from ledger.samples import FULL, entry, read
from modicum.calls import Anatomy, Segment, SegmentKind
from modicum.ledger.columns import (
    EDIT_KINDS,
    ENTRY_COLUMNS,
    REUSE_KINDS,
    SEGMENT_KINDS,
    edit_columns,
    entry_columns,
    entry_from,
    reuse_columns,
    segment_columns,
)


def rows(columns):
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


@pytest.mark.parametrize("one", [FULL, entry("c2", None, conversation="c2"), read(0.25, 9)])
def test_an_entry_is_the_same_from_its_columns(one):
    (row,) = rows(entry_columns([one]))
    reuse = {row["digest"]: (row["read_share"], row["revision"]) for row in rows(reuse_columns([one]))}
    segments = [
        segment | dict(zip(("read_share", "later_calls"), reuse.get(segment["digest"], (None, None)), strict=True))
        for segment in rows(segment_columns([one]))
    ]
    edits = rows(edit_columns([one]))
    back = entry_from(row, segments, edits)

    wanted = msgspec.structs.replace(
        one, call=msgspec.structs.replace(one.call, conversation=one.call.conversation or one.call.task)
    )
    assert back == wanted


def test_every_column_is_filled_in_the_order_that_is_said():
    batch = [FULL, read(0.25, 9)]

    assert list(entry_columns(batch)) == [column.name for column in ENTRY_COLUMNS]
    for columns, kinds in (
        (segment_columns(batch), SEGMENT_KINDS),
        (edit_columns(batch), EDIT_KINDS),
        (reuse_columns(batch), REUSE_KINDS),
    ):
        assert list(columns) == list(kinds)
        assert columns["entry_id"]


def test_segments_lie_behind_those_that_were_kept():
    parts = (Segment(SegmentKind.USER, 5, b"a"), Segment(SegmentKind.TOOL_RESULT, 7, b"b"))
    columns = segment_columns([entry(anatomy=Anatomy(2, 30, parts)), entry("c2")])

    assert (columns["position"], columns["offset_tokens"]) == ([2, 3], [30, 35])


def test_equal_texts_of_a_call_have_one_row_of_reuse():
    assert reuse_columns([read(0.25, 9)])["read_share"] == [0.25]


def test_without_parts_there_are_empty_columns():
    assert set(map(len, segment_columns([entry()]).values())) == {0}
    assert set(map(len, edit_columns([entry()]).values())) == {0}
    assert set(map(len, reuse_columns([entry()]).values())) == {0}
