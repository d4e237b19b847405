"""Commands of the user's own, run with a bound on their time: agents on trial, checks of a task."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from modicum.calls import UserError

GRACE_S = 3.0
"""Between the request to end and the end."""


@dataclass(frozen=True)
class CommandEnd:
    exit_code: int | None
    """None: it took too long and was ended."""
    seconds: float


def run_command(
    words: Sequence[str],
    *,
    folder: Path,
    timeout_s: float,
    environment: Mapping[str, str] | None = None,
    stdin: bytes = b"",
    stdout: Path | None = None,
    stderr: Path | None = None,
) -> CommandEnd:
    """Runs a command to its end, or ends it, with all that it started and left in its process group.

    Raises:
        UserError: it cannot be started.
    """
    began = time.monotonic()
    with (
        (stdout or Path(os.devnull)).open("wb") as out,
        (stderr or Path(os.devnull)).open("wb") as err,
    ):
        try:
            process = subprocess.Popen(  # noqa: S603 - the user's own command, without a shell
                list(words),
                cwd=folder,
                env={**os.environ, **(environment or {})},
                stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            raise UserError(f"'{words[0] if words else ''}' cannot be started: {reason}") from None
        try:
            process.communicate(stdin or None, timeout=timeout_s)
            code: int | None = process.returncode
        except subprocess.TimeoutExpired:
            code = None
        finally:
            _end_group(process)
    return CommandEnd(code, time.monotonic() - began)


def _end_group(process: "subprocess.Popen[bytes]") -> None:
    """Also of a command that ended: what it left running would go on under the next run."""
    _signal_group(process, signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(GRACE_S)
    _signal_group(process, signal.SIGKILL)
    process.wait()
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()


def _signal_group(process: "subprocess.Popen[bytes]", number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):  # macOS refuses where all of the group has ended
        os.killpg(process.pid, number)
