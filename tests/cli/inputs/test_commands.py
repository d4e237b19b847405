import os
import select
import sys

import pytest

from modicum.calls import UserError
from modicum.cli.inputs.commands import run_command

HANGS_WITH_CHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(child.pid, flush=True)
if "stay" in sys.argv: time.sleep(600)
"""


def has_ended(pid):
    """Waits for the end of a process that is no child of ours."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], 30)[0])
    finally:
        os.close(handle)


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="only Linux waits for the children of others")
@pytest.mark.parametrize(("words", "code"), [(("stay",), None), ((), 0)])
def test_a_command_ends_with_all_that_it_started(tmp_path, words, code):
    out = tmp_path / "out"
    end = run_command(
        [sys.executable, "-c", HANGS_WITH_CHILD, *words], folder=tmp_path, timeout_s=3 if words else 60, stdout=out
    )

    assert end.exit_code == code
    assert has_ended(int(out.read_text()))


def test_a_command_that_does_not_read_its_input_ends_all_the_same(tmp_path):
    end = run_command([sys.executable, "-c", "pass"], folder=tmp_path, timeout_s=60, stdin=b"x" * 10_000_000)

    assert end.exit_code == 0


def test_what_cannot_be_started_is_named(tmp_path):
    with pytest.raises(UserError, match="'no-such-program' cannot be started"):
        run_command(["no-such-program"], folder=tmp_path, timeout_s=1)
