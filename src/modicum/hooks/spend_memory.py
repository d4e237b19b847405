"""What sessions of an agent spent, as its status line says it: by steps of five minutes, for today and for a block.

Every session says what it spent so far, so what was spent since the last time is the difference. Kept for eight days in
one small file that all sessions of the user share.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from modicum.hooks.policy import SCHEMA, write_private
from modicum.metering.plan_windows import BLOCK_S, WEEK_S, find_block_starts

STEP_S = 300
KEPT_S = WEEK_S + 24 * 3_600
MOST_SESSIONS = 500
_NAME = 80


class SpendMemory:
    """What was spent.

    Args:
        folder: where the hooks keep what they know.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / "spend.json"

    def add(self, session: str, usd: float, now_s: float, begun_s: float | None) -> dict[int, float]:
        """Takes down what a session spent so far; gives what all spent, by the beginning of each step.

        Args:
            session: its id.
            usd: in all, as it says.
            now_s: seconds since 1970.
            begun_s: when it began; one that is met for the first time and is older than this memory may have spent
                all of it before.
        """
        with self._alone():
            sessions, steps = self._read()
            before = sessions.pop(session[:_NAME], None)
            if before is None:
                new = (
                    usd if begun_s is None or begun_s >= now_s - STEP_S or begun_s >= min(steps, default=now_s) else 0.0
                )
            else:
                new = usd - before if usd >= before else usd  # less than before: it began anew
            sessions[session[:_NAME]] = usd
            if new > 0:
                step = int(now_s) // STEP_S * STEP_S
                steps[step] = steps.get(step, 0.0) + new
            steps = {at: spent for at, spent in sorted(steps.items()) if at > now_s - KEPT_S}
            while len(sessions) > MOST_SESSIONS:
                del sessions[next(iter(sessions))]
            if new > 0 or before is None:
                fields = {"schema": SCHEMA, "sessions": sessions, "steps": [[at, usd] for at, usd in steps.items()]}
                write_private(self._file, json.dumps(fields).encode())
            return steps

    def _read(self) -> tuple[dict[str, float], dict[int, float]]:
        try:
            fields: Mapping[str, Any] = json.loads(self._file.read_bytes())
            if fields["schema"] != SCHEMA:
                return {}, {}
            sessions = {str(name): float(usd) for name, usd in fields["sessions"].items()}
            return sessions, {int(at): float(usd) for at, usd in fields["steps"]}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return {}, {}

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time. Without a lock (no such file system) two at once may lose a step, no more."""
        import fcntl  # systems without it have no lock, and see the rest

        self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(self._file.with_name("spend.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            with suppress(OSError):
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def block_of(steps: Mapping[int, float], now_s: float) -> tuple[float, int] | None:
    """What was spent in the block that runs now, and when it ends; None: none runs."""
    starts = find_block_starts(sorted(steps))
    if not starts or now_s >= starts[-1] + BLOCK_S:
        return None
    return sum(usd for at, usd in steps.items() if at >= starts[-1]), starts[-1] + BLOCK_S
