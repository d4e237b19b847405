"""Files that a user names or that lie among logs: opened without waiting, and only if they are files.

A pipe or a device may bear any name, in any folder. Opening one waits for whoever writes into it, or reads without end.
"""

import errno
import os
import stat
from pathlib import Path
from typing import IO

from modicum.calls.errors import UserError

_KINDS = {
    stat.S_IFDIR: "it is a folder, not a file",
    stat.S_IFIFO: "it is a pipe, not a file; write what comes out of it to a file first",
    stat.S_IFSOCK: "it is a socket, not a file",
    stat.S_IFCHR: "it is a device, not a file",
    stat.S_IFBLK: "it is a device, not a file",
}


def open_regular(path: Path) -> IO[bytes]:
    """The file, opened for reading, unbuffered.

    Raises:
        OSError: it is not there, may not be read, or is no file; `strerror` says what it is instead.
    """
    _check_kind(path, os.stat(path).st_mode)  # noqa: PTH116 - opening a device may already do something to it
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        _check_kind(path, os.fstat(handle).st_mode)  # it may have become another since
    except OSError:
        os.close(handle)
        raise
    return os.fdopen(handle, "rb", buffering=0)


def read_regular(path: Path) -> bytes:
    """All that is in a file.

    Raises:
        OSError: as `open_regular`.
    """
    with open_regular(path) as file:
        return file.read()


def read_named(path: Path) -> bytes:
    """All that is in a file that the user named.

    Raises:
        UserError: it cannot be read; one line says why.
    """
    try:
        return read_regular(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from None


def _check_kind(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, _KINDS.get(stat.S_IFMT(mode), "it is no file"), str(path))
