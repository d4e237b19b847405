"""Files of a user that other programs read: written whole or not at all, and never a repository's that others share."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path


def replace_user_file(file: Path, content: bytes) -> None:
    """Writes all of it or nothing, with the rights that the file has.

    Raises:
        OSError: its folder cannot be written.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_name(f"{file.name}.modicum-{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as target:
            target.write(content)
            target.flush()
            os.fsync(target.fileno())
        if file.exists():
            shutil.copymode(file, beside)
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)


def is_in_repository(file: Path) -> bool:
    """Whether a git repository has this file, so that others may share it; in doubt it has."""
    if not any((parent / ".git").exists() for parent in file.parents):
        return False
    git = shutil.which("git")
    if git is None:
        return True
    listed = subprocess.run(  # noqa: S603 - a fixed command
        [git, "-C", str(file.parent), "ls-files", "--error-unmatch", file.name], capture_output=True, check=False
    )
    return listed.returncode == 0


def digest_of(content: bytes) -> str:
    """By which a file's content is recognised."""
    return hashlib.sha256(content).hexdigest()
