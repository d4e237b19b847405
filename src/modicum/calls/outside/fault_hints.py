"""What to do about a file that the system does not give or take."""

import errno

OF_THE_MACHINE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EFBIG})
"""Faults that no verb can foresee and only the user can mend: the disk is full, may not be written, or is broken."""


def hint_of_data_fault(error: OSError) -> str:
    """What to type where a file in the data folder cannot be made, read or written."""
    if error.errno in OF_THE_MACHINE - {errno.EROFS}:
        return "'modicum doctor' looks at disk and files"
    return "modicum keeps its files there: make it writable, or set XDG_DATA_HOME to another folder"
