import os
import time

import pytest

from modicum.ledger.journal_files import held_files
from modicum.ledger.journal_files.held_files import HeldFiles


@pytest.fixture
def folder(tmp_path):
    """With two files, unchanged for longer than a file system's clock is coarse."""
    made = tmp_path / "journal"
    made.mkdir()
    for name in ("one", "two"):
        (made / name).write_text(name)
    return made


def held(folder, monkeypatch, *, settled):
    monkeypatch.setattr(held_files, "SETTLED_NS", -1 << 62 if settled else 1 << 62)
    files = HeldFiles("the journal", folder)
    files.hold(folder / "one", folder / "two", folder / "none")
    assert files.replaced() == ""
    return files


def deleted(folder):
    (folder / "two").unlink()


def moved(folder):
    (folder / "two").rename(folder / "three")


def replaced(folder):
    (folder / "new").write_text("another")
    (folder / "new").replace(folder / "two")


def folder_moved(folder):
    folder.rename(folder.with_name("elsewhere"))


def folder_replaced(folder):
    folder.rename(folder.with_name("elsewhere"))
    folder.mkdir()
    for name in ("one", "two"):
        (folder / name).write_text(name)


@pytest.mark.parametrize("settled", [True, False])
@pytest.mark.parametrize("change", [deleted, moved, replaced, folder_moved, folder_replaced])
def test_a_file_that_is_no_longer_under_its_name_shows_the_next_time_and_ever_after(
    folder, monkeypatch, change, settled
):
    files = held(folder, monkeypatch, settled=settled)
    before = folder.stat().st_ctime_ns
    if settled:
        step(folder, before)
        assert files.replaced() == ""
        step(folder, folder.stat().st_ctime_ns)

    change(folder)

    for _ in range(3):
        assert "was deleted, moved or replaced while it is open" in files.replaced()


def step(folder, before):
    """Waits until the file system's clock has gone on, as `SETTLED_NS` does."""
    probe = folder.with_name("probe")
    while probe.exists() is False or probe.stat().st_ctime_ns <= before:
        probe.unlink(missing_ok=True)
        probe.touch()


def test_what_is_back_in_its_place_is_no_trouble_any_more(folder, monkeypatch):
    files = held(folder, monkeypatch, settled=True)
    folder.rename(folder.with_name("elsewhere"))
    assert files.replaced()

    folder.with_name("elsewhere").rename(folder)

    assert files.replaced() == ""


def test_while_nothing_in_a_settled_folder_changes_no_file_is_looked_for(folder, monkeypatch):
    files = held(folder, monkeypatch, settled=True)
    monkeypatch.setattr(held_files, "file_at", lambda path: pytest.fail(f"{path} was looked for"))
    (folder / "one").write_text("longer than before")

    assert files.replaced() == ""


def test_a_folder_without_a_time_of_change_is_not_believed_for_ever(folder, monkeypatch):
    files = held(folder, monkeypatch, settled=True)
    monkeypatch.setattr(HeldFiles, "_stamp_now", lambda _files: (1, 2, 3))
    assert files.replaced() == ""
    deleted(folder)

    assert files.replaced() == ""
    assert "was deleted" in files.replaced(believes_folder=False)
    assert "was deleted" in files.replaced()


def test_a_folder_that_changed_a_moment_ago_is_not_believed(folder, monkeypatch):
    files = held(folder, monkeypatch, settled=False)
    looked = []
    monkeypatch.setattr(held_files, "file_at", lambda path: looked.append(path) or (0, 0))

    assert files.replaced()
    assert looked


def test_a_clock_that_was_set_back_makes_no_folder_settled(folder, monkeypatch):
    files = HeldFiles("the journal", folder)
    files.hold(folder / "one")
    monkeypatch.setattr(held_files, "time_ns", lambda: time.time_ns() - 3_600_000_000_000)
    assert files.replaced() == ""
    looked = []
    monkeypatch.setattr(held_files, "file_at", lambda path: looked.append(path) or (0, 0))
    os.utime(folder)

    assert files.replaced()
    assert looked


def test_what_is_dropped_is_not_missed(folder, monkeypatch):
    files = held(folder, monkeypatch, settled=True)
    files.drop(folder / "two", folder / "never held")
    deleted(folder)

    assert files.replaced() == ""
    assert folder / "one" in files
    assert folder / "two" not in files
