"""Work that takes longer than a page may: it goes on in the background, and pages show what it came to last."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from modicum.calls import UserError
from modicum.calls.containment import contain

MOST = 32
LEAST_S = 120.0
REST = 30
"""How many times as long as it took a result is good: a replay of a large ledger is not begun again all the time."""


class JobResult(NamedTuple):
    """What is known of a piece of work."""

    value: Any = None
    """None: it did not come to its end yet."""
    error: str = ""
    made_at: datetime | None = None
    is_running: bool = False
    seconds: float = 0.0
    """How long it took, or has taken so far."""


class _Job:
    def __init__(self) -> None:
        self.result = JobResult()
        self.is_running = False
        self.began = self.good_until = 0.0


class Jobs:
    """One piece of work at a time; its results are remembered."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[Hashable, _Job] = OrderedDict()
        self._lock, self._turn = threading.Lock(), threading.Lock()

    def get(self, key: Hashable, work: Callable[[], Any]) -> JobResult:
        """The last result, at once. Where there is none, or it has grown old, the work begins."""
        with self._lock:
            job = self._jobs.setdefault(key, _Job())
            self._jobs.move_to_end(key)
            while len(self._jobs) > MOST:
                self._jobs.popitem(last=False)
            now = time.monotonic()
            if not job.is_running and now >= job.good_until:
                job.is_running, job.began = True, now
                threading.Thread(target=self._run, args=(job, work), name="console-job", daemon=True).start()
            if job.is_running:
                return job.result._replace(is_running=True, seconds=now - job.began)
            return job.result

    def last(self, key: Hashable) -> JobResult:
        """The last result, without beginning anything."""
        with self._lock:
            job = self._jobs.get(key)
            return JobResult() if job is None else job.result

    def _run(self, job: _Job, work: Callable[[], Any]) -> None:
        with self._turn:
            began = time.monotonic()
            value, error = None, ""
            with contain() as working:
                value = work()
            if working.error is not None:
                known = isinstance(working.error, UserError)
                error = str(working.error) if known else f"it failed: {type(working.error).__name__}"
            took = time.monotonic() - began
        with self._lock:
            job.result = JobResult(value, error, datetime.now(UTC), seconds=took)
            job.good_until = time.monotonic() + max(LEAST_S, REST * took)
            job.is_running = False
