import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from insights.test_energy_consumption import window
from modicum.calls import UserError
from modicum.energy.spool import Spool, list_left_behind

TESTS = str(Path(__file__).parent.parent)
KILLED = """
import os, signal, sys
from pathlib import Path
from insights.test_energy_consumption import window
from modicum.energy.spool import Spool

spool = Spool(Path(sys.argv[1]))
spool.add([window(), window(5)])
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_watch_closed_is_found_by_the_next_one(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-c", KILLED, tmp_path / "spool"], check=False, env=os.environ | {"PYTHONPATH": TESTS}
    )
    ((path, windows),) = list_left_behind(tmp_path / "spool")

    assert ended.returncode == -signal.SIGKILL
    assert windows == [window(), window(5)]
    assert path.exists()


def test_a_line_that_was_cut_off_is_dropped(tmp_path):
    spool = Spool(tmp_path / "spool")
    spool.add([window(), window(5)])
    spool.close()
    spool.path.write_bytes(spool.path.read_bytes()[:-20])

    assert [windows for _, windows in list_left_behind(tmp_path / "spool")] == [[window()]]


def test_a_watch_that_lives_keeps_its_file(tmp_path):
    spool = Spool(tmp_path / "spool")
    spool.add([window()])

    assert list(list_left_behind(tmp_path / "spool")) == []
    spool.close()
    assert len(list(list_left_behind(tmp_path / "spool"))) == 1


def test_a_file_that_another_watch_takes_away_before_it_is_locked_is_made_again(tmp_path, monkeypatch):
    lock, taken = fcntl.flock, []

    def late(file, how):
        if not taken:
            taken.extend(tmp_path.glob("*.jsonl"))
            taken[0].unlink()
        lock(file, how)

    monkeypatch.setattr("modicum.energy.spool.fcntl.flock", late)
    spool = Spool(tmp_path)

    spool.add([window()])
    spool.close()
    assert spool.path not in taken
    assert [windows for _, windows in list_left_behind(tmp_path)] == [[window()]]


def test_when_all_is_booked_nothing_is_left(tmp_path):
    spool = Spool(tmp_path / "spool")
    spool.add([window()])
    spool.booked()
    spool.close()

    assert list((tmp_path / "spool").iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(UserError, match="cannot be kept there"):
        Spool(tmp_path / "file")
