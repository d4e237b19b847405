"""Locks between real processes, which are killed."""

import os
import signal
import subprocess
import sys

import pytest

from modicum.calls import UserError
from modicum.ledger.file_lock import FileLock, is_held

HOLDER = """
import sys
from pathlib import Path
from modicum.ledger.file_lock import FileLock
lock = FileLock(Path(sys.argv[1]))
print(lock.acquire(), flush=True)
lock.write("held by me")
print("written", flush=True)
sys.stdin.read()
"""


class Holder:
    """Another process that holds the lock."""

    def __init__(self, path):
        words = [sys.executable, "-c", HOLDER, str(path)]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.said = self.process.stdout.readline(), self.process.stdout.readline()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "made if need be" / "a.lock"


def test_what_a_killed_process_held_is_free_and_its_line_stays(path):
    holder, lock = Holder(path), FileLock(path)

    assert holder.said == ("True\n", "written\n")
    assert is_held(path)
    assert not lock.acquire()
    assert lock.read() == "held by me"

    holder.kill()

    assert path.exists()
    assert not is_held(path)
    assert lock.acquire()
    lock.write("mine")
    assert lock.read() == "mine"
    lock.release()


def test_it_is_waited_for(path):
    holder, lock = Holder(path), FileLock(path)
    holder.process.stdin.close()  # it ends when it gets to it

    assert lock.acquire(within_s=60)

    holder.process.wait()
    holder.process.stdout.close()
    lock.release()


def test_who_inherits_the_handle_holds_the_lock_too(path):
    lock = FileLock(path)
    lock.acquire()
    words = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, pass_fds=[lock.fileno()]) as heir:
        lock.release()
        assert is_held(path)
        heir.kill()
        heir.communicate()

    assert not is_held(path)


def test_a_look_at_a_lock_takes_it_from_nobody(path):
    assert not is_held(path)
    assert not path.exists()

    lock = FileLock(path)
    assert not is_held(path)
    assert lock.acquire()
    assert is_held(path)
    assert is_held(path)
    lock.release()
    assert not is_held(path)


def test_a_folder_that_cannot_be_made_and_a_file_system_without_locks_are_users_errors(path, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be made: File exists"):
        FileLock(tmp_path / "file" / "a.lock")

    def no_locks(*_):
        raise OSError(37, os.strerror(37))

    monkeypatch.setattr("fcntl.flock", no_locks)
    lock = FileLock(path)
    with pytest.raises(UserError, match=r"cannot be locked \(No locks available\); put the data folder on"):
        lock.acquire()
    lock.release()
