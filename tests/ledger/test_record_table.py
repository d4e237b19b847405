from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from modicum.ledger.record_table import SENT, Column, ColumnKind, RecordTable, Repeats

NOON = datetime(2026, 2, 3, 12, tzinfo=UTC)


class Note(msgspec.Struct, frozen=True):
    note_id: str
    text: str = ""
    revision: int = 0
    at: datetime = NOON


NOTE_ID = Column("note_id", ColumnKind.TEXT, lambda n: n.note_id)
AT = Column("at", ColumnKind.TIME, lambda n: n.at)
REVISION = Column("revision", ColumnKind.WHOLE, lambda n: n.revision)


def notes(repeats=Repeats.FIRST_STANDS, columns=(NOTE_ID, AT), **fields: Any) -> RecordTable[Note]:
    row = {"name": "notes", "label": "notes", "noun": Note, "identity": "note_id", "time": "at"}
    return RecordTable(**row | fields, columns=columns, repeats=repeats, from_row=lambda row: Note(row["note_id"]))


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"name": "notes; DROP TABLE entries"}, "'notes; DROP TABLE entries' is no name of a table or column"),
        ({"columns": (NOTE_ID, AT, AT)}, "two columns have one name"),
        ({"identity": "number"}, "'number', its identity, is no column of kind TEXT"),
        ({"time": "note_id"}, "'note_id', by which it ages, is no column of kind TIME"),
        ({"repeats": Repeats.GREATEST_REVISION_STANDS}, "GREATEST_REVISION_STANDS does not fit its columns"),
        ({"columns": (NOTE_ID, AT, REVISION)}, "FIRST_STANDS does not fit its columns"),
    ],
)
def test_a_row_that_does_not_hold_together_says_where(fields, reason):
    with pytest.raises(ValueError, match=f"the table of records '.*{reason}"):
        notes(**fields)


@pytest.mark.parametrize(
    ("repeats", "texts"),
    [
        (Repeats.FIRST_STANDS, ["a", "other"]),
        (Repeats.GREATEST_REVISION_STANDS, ["b", "other"]),
        (Repeats.LAST_SENT_STANDS, ["d", "other"]),
    ],
)
def test_of_repeats_in_one_batch_one_stands(repeats, texts):
    columns = (NOTE_ID, AT) if repeats is Repeats.FIRST_STANDS else (NOTE_ID, AT, REVISION)
    batch = [Note("1", "a", 1), Note("2", "other"), Note("1", "b", 2), Note("1", "c", 2), Note("1", "d", 1)]

    text = Column("text", ColumnKind.TEXT, lambda n: n.text)
    assert notes(repeats, (*columns, text)).fill(batch)["text"] == texts


def test_what_was_sent_last_stands_in_whatever_order_it_comes():
    table = notes(Repeats.LAST_SENT_STANDS, (NOTE_ID, AT, SENT, Column("text", ColumnKind.TEXT, lambda n: n.text)))
    batch = [Note("1", "late"), Note("1", "early"), Note("2", "a"), Note("2", "b")]

    columns = table.fill(batch, [9, 3, 5, 5])

    assert (columns["text"], columns["revision"]) == (["late", "b"], [9, 5])
    with pytest.raises(ValueError, match="1 times for 4 records"):
        table.fill(batch, [1])


def test_half_characters_are_replaced_before_identities_are_compared():
    columns = notes().fill([Note("a\ud83d"), Note("a?")])

    assert columns["note_id"] == ["a?"]


def test_records_become_columns_and_know_their_place():
    later = Note("1", at=datetime(2026, 2, 4, tzinfo=UTC))

    assert notes().fill([Note("2"), later]) == {"note_id": ["2", "1"], "at": [NOON, later.at]}
    assert notes().place_of(later) == (later.at, "1")
    assert (notes().log, notes(clickhouse_log="slips").log) == ("notes_log", "slips")


@pytest.mark.parametrize("encode", [msgspec.json.encode, msgspec.msgpack.encode])
def test_records_of_another_process_are_nouns_again(encode):
    assert notes().decode(encode([Note("1", "x")])) == [Note("1", "x")]
    assert notes().convert([{"note_id": "2"}]) == [Note("2")]
    with pytest.raises(msgspec.DecodeError):
        notes().decode(encode([{"text": "no id"}]))
