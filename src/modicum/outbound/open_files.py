"""Whether something failed because this process has as many files open as it may."""

import errno
import os

from modicum.outbound.unreachable import Unreachable

_CODES = frozenset({errno.EMFILE, errno.ENFILE})


class OutOfFiles(Unreachable):
    """No connection could be made for want of an open file; the host may be well."""


def out_of_files(error: OSError) -> bool:
    """Whether that is why it failed. Names that are looked up and certificates that are read do not say so: then it is
    tried.
    """
    return error.errno in _CODES or no_file_left()


def no_file_left() -> bool:
    """Whether no file can be opened just now."""
    try:
        os.close(os.open(os.devnull, os.O_RDONLY))
    except OSError as fault:
        return fault.errno in _CODES
    return False
