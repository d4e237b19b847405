import errno
import os
import resource
from pathlib import Path

import pytest

from modicum.outbound.open_files import OutOfFiles, no_file_left, out_of_files
from modicum.outbound.unreachable import Unreachable


@pytest.mark.parametrize(
    ("code", "expected"),
    [(errno.EMFILE, True), (errno.ENFILE, True), (errno.ECONNREFUSED, False), (None, False)],
)
def test_the_systems_word_for_it_is_known(code, expected):
    assert out_of_files(OSError(code, "x") if code else OSError("a name was not found")) is expected


@pytest.fixture
def few_files():
    """No further file can be opened."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.open(os.devnull, os.O_RDONLY)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_an_error_that_does_not_say_so_is_found_out_by_a_trial(few_files):
    assert no_file_left()
    assert out_of_files(OSError("a name was not found"))


def test_a_trial_leaves_no_file_open():
    before = sum(1 for _ in Path("/dev/fd").iterdir())

    assert not no_file_left()
    assert sum(1 for _ in Path("/dev/fd").iterdir()) == before


def test_whoever_expects_an_unreachable_host_meets_this_too():
    assert issubclass(OutOfFiles, Unreachable)
