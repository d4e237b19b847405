import os

import pytest

from modicum.importers.file_marks import EDGE_BYTES, has_only_grown, mark_file


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "session.jsonl"
    path.write_bytes(b"".join(b'{"row": %d}\n' % number for number in range(2000)))
    return path


def test_a_file_that_nobody_touched_has_the_same_mark(log):
    assert mark_file(log) == mark_file(log)


def test_rows_at_the_end_are_growth(log):
    before = mark_file(log)
    with log.open("ab") as file:
        file.write(b'{"row": "new"}\n')

    assert mark_file(log) != before
    assert has_only_grown(log, before, mark_file(log))


@pytest.mark.parametrize("place", [0, -1])
def test_a_file_that_was_written_anew_has_not_grown_even_if_it_is_longer(log, place):
    before = mark_file(log)
    data = bytearray(log.read_bytes())
    data[place] = ord("#")
    log.write_bytes(data + b"more\n")

    assert not has_only_grown(log, before, mark_file(log))


def test_a_file_with_the_size_and_time_of_before_is_known_by_its_ends(log):
    before, facts = mark_file(log), log.stat()
    log.write_bytes(b"#" + log.read_bytes()[1:])
    os.utime(log, ns=(facts.st_atime_ns, facts.st_mtime_ns))

    after = mark_file(log)
    assert (after.size, after.mtime_ns) == (before.size, before.mtime_ns)
    assert after != before


def test_a_shorter_file_has_not_grown(log):
    before = mark_file(log)
    log.write_bytes(log.read_bytes()[: EDGE_BYTES * 2])

    assert not has_only_grown(log, before, mark_file(log))


def test_what_a_database_writes_beside_itself_is_part_of_its_mark(log):
    before = mark_file(log)
    log.with_name("session.jsonl-wal").write_bytes(b"pages")

    assert mark_file(log) != before
    assert not has_only_grown(log, before, mark_file(log))


def test_what_is_no_file_or_cannot_be_read_has_no_mark(tmp_path):
    os.mkfifo(tmp_path / "pipe.jsonl")

    assert mark_file(tmp_path / "pipe.jsonl") is None
    assert mark_file(tmp_path / "gone.jsonl") is None


def test_a_name_that_is_no_utf8_has_no_mark_since_no_cache_can_hold_it(tmp_path):
    path = tmp_path / os.fsdecode(b"caf\xe9.jsonl")
    path.write_bytes(b"{}")

    assert mark_file(path) is None
