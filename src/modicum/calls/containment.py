"""The one place where any exception whatever is stopped.

What is optional (a rule, a listener), foreign (a file, a database engine) or one of many (a call, a round of work) may
fail in ways that nobody thought of. It costs itself and nothing else, and whoever stands around it says so: by class
and place, since a message may quote what must not be shown. Everywhere else an exception is caught by its name.
"""

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self


class contain:  # noqa: N801 - it is used as a statement
    """`with contain(...) as work:` goes on behind the block if that fails; `work.error` is what was raised.

    Whoever ends the process or the task (KeyboardInterrupt, CancelledError) is not stopped.

    Args:
        on_failure: is called with the error, within the block's end; what it raises goes on up.
        but: exceptions that are no failures and go on up.
    """

    __slots__ = ("_but", "_on_failure", "error")

    def __init__(
        self, on_failure: Callable[[Exception], None] | None = None, but: tuple[type[Exception], ...] = ()
    ) -> None:
        self._on_failure, self._but = on_failure, but
        self.error: Exception | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is None or not isinstance(error, Exception) or isinstance(error, self._but):
            return False
        self.error = error
        self.report(error)
        return True

    def report(self, error: Exception) -> None:
        """Says so to whom it concerns."""
        if self._on_failure is not None:
            self._on_failure(error)


class undo_if_failed:  # noqa: N801 - as above
    """`with undo_if_failed(undo):` calls `undo` if the block does not come to its end, for whatever reason; the
    exception goes on up.
    """

    __slots__ = ("_undo",)

    def __init__(self, undo: Callable[[], object]) -> None:
        self._undo = undo

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: object) -> None:
        if kind is not None:
            self._undo()


def failure_place(error: BaseException) -> str:
    """File and line in which it was raised."""
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    return f"{Path(at.tb_frame.f_code.co_filename).name}:{at.tb_lineno}" if at is not None else ""
