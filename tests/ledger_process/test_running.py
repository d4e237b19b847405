import stat

from modicum.ledger_process.running import Running, find, lock_path, note_path, remove_note, take_place, write_note

HERE = Running(host="127.0.0.1", port=4100, token="t", ledger="ledger.duckdb", process=7)


def test_a_note_counts_while_its_writer_holds_the_lock(tmp_path):
    place = take_place(tmp_path)
    write_note(tmp_path, HERE)
    assert find(tmp_path, 0.0) == HERE

    place.release()
    assert find(tmp_path, 0.0) is None
    assert note_path(tmp_path).exists()  # as a crash leaves it


def test_only_its_user_can_read_the_token(tmp_path):
    place = take_place(tmp_path)
    write_note(tmp_path, HERE)

    assert stat.S_IMODE(note_path(tmp_path).stat().st_mode) == 0o600
    remove_note(tmp_path)
    assert not note_path(tmp_path).exists()
    place.release()


def test_there_is_one_place(tmp_path, monkeypatch):
    monkeypatch.setattr("modicum.ledger_process.running.STARTS_WITHIN_S", 0.0)
    first = take_place(tmp_path)

    assert take_place(tmp_path) is None
    first.release()
    second = take_place(tmp_path)
    assert second is not None
    second.release()
    assert lock_path(tmp_path).exists()


def test_a_stale_note_is_taken_away_by_the_next_one(tmp_path):
    write_note(tmp_path, HERE)

    place = take_place(tmp_path)
    assert not note_path(tmp_path).exists()
    place.release()


def test_a_note_that_is_no_note_is_none(tmp_path):
    place = take_place(tmp_path)
    note_path(tmp_path).write_bytes(b"{")

    assert find(tmp_path, 0.0) is None
    place.release()
