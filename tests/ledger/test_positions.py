import asyncio
import sqlite3

from ledger.faults import Backup
from modicum.ledger import positions
from modicum.ledger.journal import Journal, Record
from modicum.ledger.journals import opened_journal
from modicum.ledger.positions import Position


def write(folder, *bodies):
    """Records that are all alike but for their bodies; the journal makes them differ."""

    async def all_of_them():
        journal = Journal(folder)
        for body in bodies:
            await journal.append(Record("", "outcome", body))
        journal.close()

    asyncio.run(all_of_them())
    return folder / "gateway.sqlite"


def note(journal, record, reader="shipped"):
    with opened_journal(journal) as base:
        positions.write(journal, reader, positions.at(base, record))


def resumed(journal, reader="shipped"):
    with opened_journal(journal) as base:
        return positions.resume(base, journal, reader)


def test_each_reader_has_a_position_of_its_own(tmp_path):
    journal = write(tmp_path, *[b"a"] * 7)
    note(journal, 7)
    note(journal, 5, "exported")

    assert [resumed(journal, reader)[0].record for reader in ("shipped", "exported")] == [7, 5]
    assert {path.name for path in tmp_path.glob("gateway.*ed")} == {"gateway.exported", "gateway.shipped"}


def test_who_has_not_begun_or_was_forgotten_has_none(tmp_path):
    journal = write(tmp_path, b"a")
    positions.forget(journal, "exported")
    note(journal, 1, "exported")
    positions.forget(journal, "exported")

    assert positions.read(journal, "exported") is None
    assert resumed(journal, "exported") == (None, "")


def test_a_file_that_holds_no_number_is_none(tmp_path):
    journal = tmp_path / "gateway.sqlite"
    for text in ("", "seven", "7 a b", "7 a b x"):
        journal.with_suffix(".exported").write_text(text)

        assert positions.read(journal, "exported") is None


def test_a_position_of_the_version_before_keeps_its_place_and_becomes_one_of_now(tmp_path):
    journal = write(tmp_path, b"a", b"b")
    journal.with_suffix(".shipped").write_text("2")

    position, doubt = resumed(journal)

    assert (position.record, doubt) == (2, "")
    assert positions.read(journal, "shipped") == position
    assert position.journal
    assert position.mark


def test_a_journal_of_the_version_before_keeps_its_place_until_it_has_an_identity(tmp_path):
    journal = write(tmp_path, b"a", b"b")
    base = sqlite3.connect(journal)
    base.execute("DROP TABLE journal")
    base.commit()
    base.close()
    note(journal, 1)

    assert journal.with_suffix(".shipped").read_text() == "1"
    assert resumed(journal) == (Position(1), "")
    write(tmp_path, b"c")
    assert resumed(journal)[0].record == 1
    assert positions.read(journal, "shipped").journal


def test_a_journal_that_was_made_anew_is_read_from_its_first_record_and_the_doubt_is_said_once(tmp_path):
    journal = write(tmp_path, b"a", b"b")
    note(journal, 2)
    for path in tmp_path.glob("gateway.sqlite*"):
        path.unlink()
    write(tmp_path, b"c", b"d", b"e", b"f", b"g")

    position, doubt = resumed(journal)

    assert (position.record, position.again_to, "another one" in doubt) == (0, 5, True)
    assert resumed(journal) == (position, "")


def test_a_position_of_the_version_before_that_lies_behind_the_end_is_in_doubt(tmp_path):
    journal = write(tmp_path, b"a")
    journal.with_suffix(".shipped").write_text("100")

    assert "ends before record 100" in resumed(journal)[1]


def test_a_restored_copy_is_found_whether_it_is_shorter_or_has_grown_past_the_position(tmp_path):
    for records_after in (0, 1, 2, 5):
        folder = tmp_path / f"{records_after}"
        backup = Backup(write(folder, b"a", b"b"))
        journal = write(folder, b"same", b"same")
        note(journal, 4)
        backup.restore()
        write(folder, *[b"same"] * records_after)

        position, doubt = resumed(journal)

        assert (position.record, "set back" in doubt) == (0, True), records_after


def test_a_copy_that_was_taken_behind_the_position_is_read_on(tmp_path):
    journal = write(tmp_path, b"a", b"b")
    note(journal, 1)
    backup = Backup(journal)
    write(tmp_path, b"c")
    backup.restore()
    write(tmp_path, b"d")

    assert (resumed(journal)[0].record, resumed(journal)[1]) == (1, "")


def test_records_that_were_forgotten_are_no_doubt_and_those_that_are_missing_are(tmp_path):
    journal = write(tmp_path, b"a", b"b", b"c", b"d")
    note(journal, 2)
    base = sqlite3.connect(journal, isolation_level=None)
    base.execute("DELETE FROM records WHERE seq = 2")
    assert "missing" in positions.resume(base, journal, "shipped")[1]

    note(journal, 3)
    base.execute("DELETE FROM records WHERE seq <= 3")
    assert resumed(journal)[1] == ""
    base.close()


def test_what_is_in_doubt_is_not_trusted_and_stays_as_it_was(tmp_path):
    journal = write(tmp_path, b"a", b"b")
    note(journal, 2)
    before = positions.read(journal, "shipped")
    with opened_journal(journal) as base:
        assert positions.last_confirmed(base, journal, "shipped") == 2
        positions.write(journal, "shipped", before._replace(mark="0" * 16))
        assert positions.last_confirmed(base, journal, "shipped") == 0
        assert positions.last_confirmed(base, journal, "exported") == 0
    assert positions.read(journal, "shipped").record == 2


def test_how_far_the_doubt_goes_is_kept_until_it_is_passed(tmp_path):
    journal = write(tmp_path, *[b"a"] * 5)
    with opened_journal(journal) as base:
        positions.write(journal, "shipped", positions.at(base, 2, again_to=4))
        assert positions.resume(base, journal, "shipped")[0].again_to == 4
        assert positions.at(base, 4, again_to=4).again_to == 0


def test_a_reader_has_reached_what_stood_there_when_somebody_looked(tmp_path):
    journal = write(tmp_path, *[b"a"] * 3)
    records = positions.ends(tmp_path)
    assert records == {journal: 3}
    assert not positions.has_reached(records, "shipped")

    note(journal, 2)
    assert not positions.has_reached(records, "shipped")
    note(journal, 3)
    write(tmp_path, b"later")
    assert positions.has_reached(records, "shipped")
    assert positions.has_reached({}, "shipped")
