"""Paths as a person or a program names them."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from modicum.calls import UserError

Paths = str | Path | Iterable[str | Path]


def as_paths(paths: Paths) -> list[Path]:
    """Paths of what a program names them by; `~` is the home directory.

    Raises:
        UserError: there is nothing at one of them.
    """
    named = [paths] if isinstance(paths, (str, Path)) else list(paths)
    found = [Path(path).expanduser() for path in named]
    check_paths_exist(found)
    return found


def check_paths_exist(paths: Sequence[Path]) -> None:
    """A path that does not exist is a mistyped command, not bad data.

    Raises:
        UserError: one does not.
    """
    for path in paths:
        if not path.exists():
            raise UserError(f"there is no file or folder {path}")
