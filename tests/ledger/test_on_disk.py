import sqlite3

from modicum.ledger.on_disk import explain_replaced_file, file_at, is_broken, is_foreign, set_aside


def fault(path, statement):
    base = sqlite3.connect(path)
    try:
        base.execute(statement).fetchall()
    except sqlite3.Error as error:
        return error
    finally:
        base.close()
    raise AssertionError("it did not fail")


def test_a_file_that_is_no_database_is_broken_and_one_of_somebody_else_is_foreign(tmp_path):
    (tmp_path / "random").write_bytes(b"no database at all" * 100)

    assert is_broken(fault(tmp_path / "random", "SELECT * FROM sqlite_master"))
    foreign = fault(tmp_path / "fresh", "SELECT * FROM records")
    assert (is_broken(foreign), is_foreign(foreign)) == (False, True)
    full = sqlite3.OperationalError("database or disk is full")
    assert (is_broken(full), is_foreign(full)) == (False, False)


def test_a_file_is_set_aside_with_what_belongs_to_it_and_under_a_name_of_its_own(tmp_path):
    path = tmp_path / "gateway.sqlite"
    names = []
    for _ in range(2):
        for part in ("", "-wal"):
            path.with_name(path.name + part).write_text(part)
        names.append(set_aside(path).name)

    assert names == ["gateway.sqlite.broken", "gateway.sqlite.broken-2"]
    assert (tmp_path / "gateway.sqlite.broken-2-wal").read_text() == "-wal"
    assert not path.exists()


def test_a_file_that_is_replaced_is_another_one(tmp_path):
    path = tmp_path / "a"
    path.touch()
    before = file_at(path)
    (tmp_path / "b").touch()
    (tmp_path / "b").replace(path)

    assert file_at(path) != before
    path.unlink()
    assert file_at(path) == (0, 0)
    assert str(path) in explain_replaced_file("the journal", path)
    assert "modicum up" in explain_replaced_file("the journal", path)
