"""Stages of a call that may fail without it: each failure is counted, and each kind of it is logged once."""

from collections.abc import Callable

from modicum.calls.containment import contain, failure_place
from modicum.gateway.process.log import log

Failed = Callable[[str], None]
"""Counts the failure of a stage, by its name."""
MOST_LOGGED = 1_000
"""Different failures that are logged; more would fill the log."""
_logged: set[tuple[str, str, str]] = set()


class contain_stage(contain):  # noqa: N801 - it is used as a statement
    """`with contain_stage(name, failed):` is a stage without which the call goes on. Its failure is counted, and logged
    by class and place: a message might quote a request.
    """

    __slots__ = ("_failed", "_stage")

    def __init__(self, stage: str, failed: Failed, but: tuple[type[Exception], ...] = ()) -> None:
        # Not by way of `super`, since calls have several. And no `self.report` is kept: what holds itself is garbage.
        self._on_failure, self._but, self.error = None, but, None
        self._stage, self._failed = stage, failed

    def report(self, error: Exception) -> None:
        report_failure(self._stage, error, self._failed)


def report_failure(stage: str, error: Exception, failed: Failed) -> None:
    """Counts and logs a failure."""
    failed(stage)
    log_failure(stage, type(error).__name__, failure_place(error))


def log_failure(stage: str, error: str, place: str) -> None:
    """Logs a failure, unless the same one was logged before."""
    kind = stage, error, place
    if kind not in _logged and len(_logged) < MOST_LOGGED:
        _logged.add(kind)
        log("stage_failed", stage=stage, error=error, place=place)
