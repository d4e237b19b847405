"""Changes of a user's files: planned, made, remembered with the bytes that were there, and taken back."""

import base64
import difflib
import json
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec

from modicum import __version__
from modicum.calls import UserError
from modicum.calls.outside.regular_file import read_regular
from modicum.calls.outside.user_file import digest_of, is_in_repository, replace_user_file
from modicum.cli.fixing.file_changes import change_file
from modicum.hooks.agents import AGENTS
from modicum.hooks.policy import write_private
from modicum.ledger.file_lock import FileLock

MOST_BYTES = 1_000_000
"""Of a file of settings or instructions."""
LOCK_WITHIN_S = 5.0
DIFF_LINES = 2


class Paste(Protocol):
    """What is pasted where: advice, or a step."""

    @property
    def client(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def place(self) -> str: ...
    @property
    def paste(self) -> str: ...


class PlannedFile(NamedTuple):
    """What becomes of one file."""

    file: Path
    names: tuple[str, ...]
    """Of the steps that change it."""
    before: bytes | None
    """As it is; None: there is none."""
    after: bytes
    left_out: tuple[str, ...]

    @property
    def is_nothing(self) -> bool:
        return self.after == (self.before or b"") and self.before is not None

    def diff(self) -> str:
        """The change as `diff -u` shows it."""
        lines = difflib.unified_diff(
            (self.before or b"").decode("utf-8", "replace").splitlines(),
            self.after.decode("utf-8", "replace").splitlines(),
            str(self.file) if self.before is not None else "/dev/null",
            str(self.file),
            lineterm="",
            n=DIFF_LINES,
        )
        return "\n".join(lines)


class AppliedFix(msgspec.Struct, frozen=True, kw_only=True):
    """A change that was made, with what it takes to undo it.

    Attributes:
        before: the file as it was, in base64; None: there was none.
        after: digest of what was written.
    """

    number: int
    at: datetime
    version: str
    file: str
    names: tuple[str, ...]
    before: str | None
    after: str


def place_of(step: Paste, home: Path, environment: Mapping[str, str]) -> Path:
    """The user's file that a step goes into, where the agent's own environment variable says."""
    agent = AGENTS.get(step.client)
    folder = environment.get(agent.folder_variable) if agent and agent.folder_variable else None
    relative = step.place.removeprefix("~/")
    return Path(folder) / Path(relative).name if folder else home / relative


def plan_file(file: Path, steps: Sequence[Paste], *, is_named: bool = False) -> PlannedFile:
    """What these steps make of a file. Nothing is written yet.

    Args:
        file: of the user; links are followed.
        steps: that go into it.
        is_named: whether the user named this very file, so that it may be a repository's.

    Raises:
        UserError: the file may not be changed, or not be added to.
    """
    file = _resolve(file)
    before = _read(file)
    if before is not None and not is_named and is_in_repository(file):
        raise UserError(
            f"{file} is a file of a git repository, which others may share: name it with --file if it is to be changed"
        )
    after, left_out = before or b"", list[str]()
    for step in steps:
        changed = change_file(step.kind, after if after or before is not None else None, step.paste, str(file))
        after = changed.content
        left_out += changed.left_out
    return PlannedFile(file, tuple(step.name for step in steps), before, after, tuple(left_out))


def apply(plan: PlannedFile, folder: Path) -> AppliedFix:
    """Makes the change. What the file was is remembered first, so that it can be restored whatever happens.

    Raises:
        UserError: the file has changed since the plan was made, or cannot be written.
    """
    with _alone(folder):
        if _read(plan.file) != plan.before:
            raise UserError(f"{plan.file} was changed meanwhile: try again")
        made = list_fixes(folder)
        record = AppliedFix(
            number=max((one.number for one in made), default=0) + 1,
            at=datetime.now(UTC),
            version=__version__,
            file=str(plan.file),
            names=plan.names,
            before=None if plan.before is None else base64.b64encode(plan.before).decode(),
            after=digest_of(plan.after),
        )
        write_private(_record_place(folder, record.number), msgspec.json.encode(record))
        try:
            replace_user_file(plan.file, plan.after)
        except OSError as error:
            _record_place(folder, record.number).unlink()
            raise UserError(f"{plan.file} cannot be written: {error.strerror}; nothing was changed") from None
        return record


def undo(folder: Path) -> AppliedFix:
    """Takes the newest change back: the file's former bytes, or no file where there was none.

    Raises:
        UserError: there is none, or its file was changed since.
    """
    with _alone(folder):
        made = list_fixes(folder)
        if not made:
            raise UserError("no change of 'modicum fix' is in force, so there is nothing to undo")
        last = made[-1]
        file = Path(last.file)
        content = _read(file)
        before = None if last.before is None else base64.b64decode(last.before)
        if content is not None and content != before:
            if digest_of(content) != last.after:
                raise UserError(
                    f"{file} was changed since 'modicum fix' wrote it, so its former bytes are not put back; take out "
                    f"by hand what {', '.join(last.names)} added, then 'modicum fix forget'"
                )
            try:
                if before is None:
                    file.unlink()
                else:
                    replace_user_file(file, before)
            except OSError as error:
                raise UserError(f"{file} cannot be written: {error.strerror}; nothing was changed") from None
        _record_place(folder, last.number).unlink()
        return last


def forget(folder: Path) -> AppliedFix:
    """Forgets the newest change without touching its file: for one that the user has taken back by hand.

    Raises:
        UserError: there is none.
    """
    with _alone(folder):
        made = list_fixes(folder)
        if not made:
            raise UserError("no change of 'modicum fix' is in force, so there is nothing to forget")
        _record_place(folder, made[-1].number).unlink()
        return made[-1]


def list_fixes(folder: Path) -> list[AppliedFix]:
    """The changes that are in force, oldest first.

    Raises:
        UserError: a record cannot be read.
    """
    found = []
    for place in folder.glob("*.json"):
        try:
            found.append(msgspec.json.decode(place.read_bytes(), type=AppliedFix))
        except (OSError, msgspec.DecodeError) as error:
            raise UserError(f"{place} is no record of 'modicum fix' ({error}): move it away, then try again") from None
    return sorted(found, key=lambda one: one.number)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One process at a time: two that add a record at once would take one number."""
    lock = FileLock(folder / "lock")
    try:
        if not lock.acquire(LOCK_WITHIN_S):
            raise UserError("another 'modicum fix' is at work: try again when it is done")
        yield
    finally:
        lock.release()


def _resolve(file: Path) -> Path:
    try:
        return file.resolve(strict=False)
    except (OSError, RuntimeError):
        raise UserError(f"{file} is a link that leads in a circle, so nothing is changed in it") from None


def _read(file: Path) -> bytes | None:
    """All of it; None: there is no such file.

    Raises:
        UserError: it cannot be read, or may not be written.
    """
    try:
        content = read_regular(file)
        mode = file.stat().st_mode
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror or error}") from None
    if len(content) > MOST_BYTES:
        raise UserError(f"{file} has more than {MOST_BYTES:,} bytes: that is no file of settings, and stays")
    if not mode & (stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH) or not os.access(file, os.W_OK):
        raise UserError(f"{file} is read-only, so nothing is changed in it: 'chmod u+w' it, or paste it by hand")
    return content


def _record_place(folder: Path, number: int) -> Path:
    return folder / f"{number:06}.json"


def diff_document(plan: PlannedFile) -> dict[str, Any]:
    """A planned file for `--json`."""
    return {
        "file": str(plan.file),
        "names": plan.names,
        "exists": plan.before is not None,
        "diff": plan.diff(),
        "left_out": plan.left_out,
        "is_nothing": plan.is_nothing,
    }


def fix_document(one: AppliedFix) -> dict[str, Any]:
    """An applied change for `--json`, without the bytes."""
    document: dict[str, Any] = json.loads(msgspec.json.encode(one))
    del document["before"], document["after"]
    return document
