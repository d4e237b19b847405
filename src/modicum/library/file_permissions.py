"""What modicum keeps is for its user alone, whatever the umask: who spent what, who may call, and keys of digests.

Libraries make files of their own beside those that they are given (SQLite's -wal and -shm, DuckDB's .wal, mapped
metrics), some of them late. So it is the process that makes everything private, and the few files that a user asks for
by name are the exception.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PRIVATE = 0o077
_users = [0o022]
"""The umask that the process was started with."""


@contextmanager
def private_files() -> Iterator[None]:
    """Files that are made meanwhile are 0600, folders 0700; those of child processes too."""
    _users[0] = os.umask(PRIVATE)
    try:
        yield
    finally:
        os.umask(_users[0])


@contextmanager
def shared_files() -> Iterator[None]:
    """Files with the permissions that the user's umask gives: for a page or a picture that was asked for by its name,
    to be shown to others.
    """
    before = os.umask(_users[0])
    try:
        yield
    finally:
        os.umask(before)


def make_private(folder: Path) -> None:
    """A folder that an earlier version, or somebody by hand, made for others to look into."""
    with suppress(OSError):  # there is none yet, or it is not ours
        if folder.stat().st_mode & PRIVATE:
            folder.chmod(0o700)
