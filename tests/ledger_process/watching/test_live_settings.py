"""Settings that change while a process runs."""

import os

import pytest

from modicum.calls import UserError
from modicum.ledger_process.watching.live_settings import LiveSettings
from modicum.settings import Settings, read_settings


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "modicum.toml"
    path.write_text("keep_days = 1\n")
    return path


def write(file, text):
    file.write_text(text)
    seen = file.stat()
    os.utime(file, ns=(seen.st_atime_ns, seen.st_mtime_ns + 1_000_000))


def test_a_changed_file_is_read_and_a_wrong_or_missing_one_is_not(file):
    def read():
        return read_settings({"MODICUM_CONFIG": str(file)})

    live = LiveSettings(read(), read)
    assert not live.refresh()
    write(file, "keep_days = 2\n")
    assert live.refresh()
    assert live.current.keep_days == 2
    write(file, "keep_days = 'x'\n")
    assert not live.refresh()
    file.unlink()
    assert not live.refresh()
    assert live.current.keep_days == 2
    write(file, "keep_days = 3\n")
    assert live.refresh()
    assert live.current.keep_days == 3


def test_without_a_file_nothing_changes():
    def refuse():
        raise UserError("it is not asked")

    assert not LiveSettings(Settings(), refuse).refresh()
