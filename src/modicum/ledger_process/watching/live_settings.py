"""The settings as their file says now. A file that is wrong, or gone, leaves them as they were."""

from collections.abc import Callable
from pathlib import Path

from modicum.calls import UserError
from modicum.settings import Settings


class LiveSettings:
    """Used by one thread.

    Args:
        settings: those that hold at the start.
        reread: reads them anew; raises UserError if they are wrong.
    """

    def __init__(self, settings: Settings, reread: Callable[[], Settings] | None = None) -> None:
        self.current = settings
        self._reread = reread
        self._stamp = _stamp(settings.file)

    def refresh(self) -> bool:
        """Whether they are others than before."""
        stamp = _stamp(self.current.file)
        if self._reread is None or stamp in {self._stamp, None}:
            return False
        self._stamp = stamp
        try:
            self.current = self._reread()
        except UserError:  # the gateway says so
            return False
        return True


def _stamp(file: str) -> tuple[int, int] | None:
    """Changes when the file does; None: there is none."""
    try:
        seen = Path(file).stat() if file else None
    except OSError:
        return None
    return None if seen is None else (seen.st_mtime_ns, seen.st_size)
