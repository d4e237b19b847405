import os
import threading

import pytest

from modicum.calls import UserError
from modicum.calls.outside.regular_file import open_regular, read_named, read_regular


def test_a_file_is_read_also_through_a_link(tmp_path):
    path, link = tmp_path / "a", tmp_path / "link"
    path.write_bytes(b"abc")
    link.symlink_to(path)

    assert read_regular(link) == b"abc"
    with open_regular(path) as file:
        assert file.read(2) == b"ab"


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path.mkdir(), "it is a folder"),
        (os.mkfifo, "it is a pipe, not a file; write what comes out of it to a file first"),
        (lambda path: path.symlink_to("/dev/null"), "it is a device"),
        (str, "No such file"),
    ],
)
def test_what_is_no_file_is_named_and_not_waited_for(tmp_path, make, reason):
    path = tmp_path / "a"
    make(path)

    with pytest.raises(UserError, match=f"{path}: cannot be read: {reason}"):
        read_named(path)


def test_a_pipe_with_a_writer_keeps_what_is_in_it(tmp_path):
    path = tmp_path / "a"
    os.mkfifo(path)
    writer = threading.Thread(target=lambda: path.write_bytes(b"abc"))
    writer.start()

    with pytest.raises(OSError, match="pipe"):
        open_regular(path)

    assert path.read_bytes() == b"abc"
    writer.join()
