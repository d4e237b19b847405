import sqlite3

import pytest

from ledger.faults import garbage, remove
from modicum.ledger.journals import Journals, NotReadable, opened_journal


def journal(folder, name, *bodies):
    base = sqlite3.connect(folder / f"{name}.sqlite")
    base.execute("CREATE TABLE records (seq INTEGER PRIMARY KEY AUTOINCREMENT, number, kind, body, context)")
    base.executemany("INSERT INTO records (body) VALUES (?)", [(body,) for body in bodies])
    base.commit()
    base.close()
    return folder / f"{name}.sqlite"


@pytest.fixture
def journals(tmp_path):
    journals = Journals(tmp_path)
    yield journals
    journals.close()


def bodies(journals):
    """What is read of each journal, and what is told."""
    found = {}

    def use(path, base):
        found[path.stem] = [body for (body,) in base.execute("SELECT body FROM records")]

    told = journals.each(use)
    return found, [str(problem) for problem in told]


def test_a_journal_that_was_replaced_or_deleted_is_not_read_on_as_it_was(tmp_path, journals):
    path = journal(tmp_path, "a", "old")
    journal(tmp_path, "b", "stays")
    assert bodies(journals) == ({"a": ["old"], "b": ["stays"]}, [])

    remove(path)
    journal(tmp_path, "a", "new")
    assert bodies(journals)[0]["a"] == ["new"]
    remove(path)
    assert bodies(journals) == ({"b": ["stays"]}, [])


def test_a_journal_that_is_being_made_is_no_fault(tmp_path, journals):
    (tmp_path / "a.sqlite").touch()
    assert bodies(journals) == ({}, [])

    journal(tmp_path, "a", "made")

    assert bodies(journals) == ({"a": ["made"]}, [])


def test_a_fault_that_changes_is_told_again_and_its_end_too(tmp_path, journals):
    path = garbage(tmp_path, "random")
    first = bodies(journals)[1]
    path.unlink()
    path.mkdir()
    second = bodies(journals)[1]
    path.rmdir()
    journal(tmp_path, "random", "good")

    assert ("not a database" in first[0], "it is a folder" in second[0]) == (True, True)
    assert bodies(journals) == ({"random": ["good"]}, [f"{path}: the journal can be read again"])
    assert bodies(journals)[1] == []


def test_what_is_no_journal_cannot_be_opened(tmp_path):
    with (
        pytest.raises(NotReadable, match="have no body, kind, number"),
        opened_journal(garbage(tmp_path, "of another program")),
    ):
        pass
    with pytest.raises(FileNotFoundError), opened_journal(tmp_path / "none.sqlite"):
        pass
