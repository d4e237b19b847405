"""Answers that took long to work out, kept in the cache folder until what they rest on changes."""

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import msgspec

from modicum.library.file_permissions import make_private

Answer = TypeVar("Answer")

MOST_ANSWERS = 16
"""In one folder, those that were worked out last."""


def answer_name(*parts: object) -> str:
    """The name of the answer that rests on these parts, and on nothing else."""
    return hashlib.blake2b(repr(parts).encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()


def recall_answer(folder: Path, name: str, kind: type[Answer]) -> Answer | None:
    """The answer, if it was worked out before."""
    try:
        return msgspec.msgpack.decode((folder / name).read_bytes(), type=kind)
    except (OSError, msgspec.DecodeError, msgspec.ValidationError):
        return None


def save_answer(folder: Path, name: str, answer: object) -> None:
    """Saves it for the next time. A folder that cannot be written costs time, nothing else."""
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        make_private(folder)
        fresh = folder / f"{name}.new"
        fresh.write_bytes(msgspec.msgpack.encode(answer))
        fresh.replace(folder / name)
        files = sorted(folder.iterdir(), key=lambda one: one.stat().st_mtime, reverse=True)
        for old in files[MOST_ANSWERS:]:
            old.unlink(missing_ok=True)
