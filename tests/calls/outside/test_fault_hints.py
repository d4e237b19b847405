import errno

import pytest

from modicum.calls.outside.fault_hints import hint_of_data_fault


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.EACCES, "set XDG_DATA_HOME"),
        (errno.ENOTDIR, "set XDG_DATA_HOME"),
        (errno.EROFS, "set XDG_DATA_HOME"),
        (errno.ENOSPC, "modicum doctor"),
        (errno.EIO, "modicum doctor"),
    ],
)
def test_who_may_not_write_names_another_folder_and_a_disk_is_looked_at(number, words):
    assert words in hint_of_data_fault(OSError(number, "x"))
