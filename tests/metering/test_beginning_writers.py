"""One call writes a beginning, whoever else comes waits for it or reads it."""

from modicum.metering import beginning_writers
from modicum.metering.beginning_writers import BeginningTurn, BeginningWriters

WRITES, WAITS, READS = BeginningTurn.WRITES, BeginningTurn.WAITS, BeginningTurn.READS


def test_one_writes_others_wait_and_then_read_as_long_as_it_lives():
    writers = BeginningWriters()

    assert [writers.turn("k", call, 0.0) for call in "abca"] == [WRITES, WAITS, WAITS, WRITES]
    writers.reply_begun("k", 2.0, 300.0)
    assert [writers.turn("k", "b", at) for at in (2.0, 301.9)] == [READS, READS]
    writers.failed("k", "a")  # it has ended: nothing changes
    assert writers.turn("k", "b", 301.9) is READS
    assert writers.turn("k", "b", 302.0) is WRITES
    assert writers.turn("other", "c", 302.0) is WRITES


def test_where_the_writer_fails_the_next_one_writes():
    writers = BeginningWriters()
    writers.turn("k", "a", 0.0)

    writers.failed("k", "b")  # which is not the one that writes
    assert writers.turn("k", "b", 1.0) is WAITS
    writers.failed("k", "a")
    assert [writers.turn("k", call, 1.0) for call in "bc"] == [WRITES, WAITS]


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(beginning_writers, "MOST_BEGINNINGS", 3)
    writers = BeginningWriters()
    for number in range(9):
        writers.turn(number, "a", 0.0)

    assert [writers.turn(number, "b", 0.0) for number in (8, 7, 6)] == [WAITS] * 3
    assert writers.turn(0, "b", 0.0) is WRITES
