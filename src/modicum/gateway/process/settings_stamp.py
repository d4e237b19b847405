"""Whether one of the files has changed that settings come from."""

from pathlib import Path

from modicum.settings import Settings, policy_place

Stamp = tuple[tuple[int, int], ...]

CHANGED: Stamp = ((-1, -1),)
"""Of files that are to be read again whether they have changed or not."""


def stamp_of(settings: Settings) -> Stamp:
    """Another one where one of the files is another one."""
    return tuple(map(_file_stamp, (Path(settings.file), policy_place(settings))))


def _file_stamp(file: Path) -> tuple[int, int]:
    try:
        seen = file.stat()
    except OSError:
        return 0, 0
    return seen.st_mtime_ns, seen.st_size
