"""The text files of a folder, as a developer would count them: what git tracks or would, or what .gitignore leaves.

Links are not followed: their targets are counted where they lie.
"""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pathspec import GitIgnoreSpec

from modicum.calls import Problem, UserError
from modicum.calls.outside.regular_file import read_regular

MOST_BYTES = 100 * 1024 * 1024
LOOKED_AT_BYTES = 8000
"""A zero byte among the first 8000 makes a file binary: git's own rule."""
BINARY = "binary"
FOLDER = "a folder"
NOT_UTF8 = "no UTF-8 text"
LINK = "a link"
TOO_LARGE = f"larger than {MOST_BYTES >> 20} MB"


@dataclass(frozen=True)
class FileList:
    files: tuple[str, ...]
    """Paths below the folder, with forward slashes, in order."""
    rule: str
    """Which rule chose them, in words."""


def list_files(folder: Path) -> FileList:
    """The files below a folder that are not ignored.

    Raises:
        UserError: there is no such folder.
    """
    if not folder.is_dir():
        what = "is a file: 'modicum count' counts files" if folder.exists() else "does not exist"
        raise UserError(f"{folder} {what}; name a folder")
    tracked = _list_with_git(folder)
    if tracked:
        return FileList(tuple(sorted(tracked)), "tracked by git, or neither tracked nor ignored")
    return FileList(tuple(_walk(folder)), "not listed by git: all that no .gitignore names")


def _list_with_git(folder: Path) -> list[str]:
    """What git lists; nothing outside of a repository, and in a folder that the repository ignores as a whole."""
    which = ("--cached", "--others", "--exclude-standard", "--deduplicate", "-z")
    command = ("git", "-C", str(folder), "ls-files", *which)
    try:
        shown = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - a fixed command
    except OSError:
        return []  # no git on this machine
    if shown.returncode != 0:
        return []
    return [os.fsdecode(name) for name in shown.stdout.split(b"\0") if name]


def _walk(root: Path) -> Iterator[str]:
    specs: dict[str, GitIgnoreSpec] = {}
    for folder, subfolders, names in os.walk(root):
        here = Path(folder).relative_to(root).as_posix()
        if ".gitignore" in names:
            lines = _ignore_lines(Path(folder, ".gitignore"))
            specs[here] = GitIgnoreSpec.from_lines(lines)
        subfolders[:] = sorted(
            name
            for name in subfolders
            if name != ".git" and not _is_ignored(specs, _join_path(here, name), folder=True)
        )
        yield from (path for path in (_join_path(here, name) for name in sorted(names)) if not _is_ignored(specs, path))


def _ignore_lines(path: Path) -> list[str]:
    try:
        return read_regular(path).decode("utf-8", "replace").splitlines()
    except OSError:
        return []  # git passes over one that it cannot read, too


def _join_path(folder: str, name: str) -> str:
    return name if folder == "." else f"{folder}/{name}"


def _is_ignored(specs: dict[str, GitIgnoreSpec], path: str, *, folder: bool = False) -> bool:
    """What the nearest .gitignore with an opinion says."""
    for parent in PurePosixPath(path).parents:
        spec = specs.get(str(parent))
        if spec is None:
            continue
        below = PurePosixPath(path).relative_to(parent)
        verdict = spec.check_file(f"{below}/" if folder else str(below)).include
        if verdict is not None:
            return verdict
    return False


def read_text(path: Path) -> str | Problem:
    """The text of a file, or why it has none: a folder, binary, no UTF-8, unreadable, a link, too large."""
    try:
        if path.is_symlink():
            return Problem(str(path), LINK)
        if path.is_dir():
            return Problem(str(path), FOLDER)
        if path.stat().st_size > MOST_BYTES:
            return Problem(str(path), TOO_LARGE)
        return decode_text(read_regular(path), str(path))
    except OSError as error:
        return Problem(str(path), f"cannot be read: {error.strerror or error}")


def decode_text(data: bytes, name: str) -> str | Problem:
    """UTF-8 as text; a byte-order mark is not part of it."""
    if b"\0" in data[:LOOKED_AT_BYTES]:
        return Problem(name, BINARY)
    try:
        return data.removeprefix(b"\xef\xbb\xbf").decode()
    except UnicodeDecodeError:
        return Problem(name, NOT_UTF8)
