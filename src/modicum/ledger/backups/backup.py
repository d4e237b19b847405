"""A backup of what gateways recorded and what people decided, in one file, taken while they run.

Each SQLite file is copied as it stood at one moment, by SQLite itself. Calls under way are copied before the journals:
so a call that ends in between is in both and counts once, and none is in neither.

How far readers of a journal were is left out on purpose. After a restore every record is shipped again, and the ledger
knows by its id what it has.
"""

import hashlib
import io
import os
import re
import shutil
import sqlite3
import tarfile
import tempfile
import zlib
from collections.abc import Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import IO

import msgspec

from modicum.calls import UserError
from modicum.calls.containment import undo_if_failed
from modicum.ledger import positions
from modicum.ledger.file_lock import FileLock
from modicum.ledger.journal import SHIPPED
from modicum.ledger.journals import NotReadable, opened_journal

FORMAT = 1
MANIFEST = "manifest.json"
KEY = "digest.key"
MOST_MANIFEST_BYTES = 1024 * 1024
_NAME = re.compile(
    r"(?:journal|spans)/[A-Za-z0-9_-]{1,64}\.sqlite|journal/[A-Za-z0-9_-]{1,64}\.underway"
    r"|journal/identities\.db|(?:events|batches)\.sqlite|digest\.key"
)
_CHUNK = 1024 * 1024


class FileInBackup(msgspec.Struct, frozen=True):
    name: str
    size_bytes: int
    digest: str


class BackupManifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds."""

    format: int
    version: str
    """Of modicum."""
    created: datetime
    files: list[FileInBackup]


def create_backup(target: Path, folder: Path, key_path: Path | None) -> BackupManifest:
    """Writes a backup; gateways and the ledger process may run.

    Args:
        target: the file; it is made for its user's eyes only.
        folder: of the gateway's state.
        key_path: the key of digests, without which modicum keys are worth nothing; None: it is left out.

    Raises:
        UserError: the target is there already or its folder is not, there is nothing to back up, or a file cannot be
            read or written.
    """
    if target.exists():
        raise UserError(f"{target} is there already: name another file, or move it away")
    if not any((folder / "journal").glob("*.sqlite")) and not (folder / "events.sqlite").exists():
        raise UserError(f"there is nothing to back up in {folder}: no gateway has run there, and no key was made")
    if not target.absolute().parent.is_dir():
        raise UserError(f"there is no folder {target.parent}: make it, or name another")
    try:
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as place:
            copies = _copy_all(folder, key_path, Path(place))
            manifest = BackupManifest(
                format=FORMAT, version=version("modicum"), created=datetime.now(UTC), files=copies
            )
            fresh = Path(place) / "backup"
            _pack(fresh, manifest, Path(place))
            _move_in(fresh, target)
    except (OSError, sqlite3.Error) as error:
        raise UserError(f"the backup {target} cannot be made: {error}; nothing was changed") from None
    return manifest


def restore_backup(source: Path, folder: Path, key_path: Path) -> BackupManifest:
    """Puts the files of a backup where a gateway looks for them. Nothing is overwritten.

    Raises:
        UserError: the file is no backup, or not whole; something is there already; or `modicum up` runs there. Nothing
            was changed then.
    """
    with ExitStack() as held:
        for name in ("up.lock", "parts.lock"):
            lock = FileLock(folder / name)
            held.callback(lock.release)
            if not lock.acquire():
                raise UserError(f"'modicum up' runs with its state in {folder}; stop it first")
        try:
            with tempfile.TemporaryDirectory(prefix=".restore.", dir=folder) as place:
                manifest = _unpack(source, Path(place))
                targets = {one.name: key_path if one.name == KEY else folder / one.name for one in manifest.files}
                _check_free(folder, Path(place), targets)
                _check_whole(Path(place), targets)
                _put_in_place(Path(place), targets)
        except OSError as error:
            raise UserError(f"{source} cannot be restored into {folder}: {error}; nothing was changed") from None
    return manifest


def _copy_all(folder: Path, key_path: Path | None, place: Path) -> list[FileInBackup]:
    """Calls under way first: what ends meanwhile is then in its journal, too."""
    journals = folder / "journal"
    names = [f"journal/{path.name}" for path in sorted(journals.glob("*.underway"))]
    bases = [f"journal/{path.name}" for path in sorted(journals.glob("*.sqlite"))]
    bases += [f"spans/{path.name}" for path in sorted((folder / "spans").glob("*.sqlite"))]
    bases += [name for name in ("journal/identities.db", "events.sqlite", "batches.sqlite") if (folder / name).exists()]
    for name in names:
        (place / name).parent.mkdir(exist_ok=True)
        shutil.copyfile(folder / name, place / name)
    for name in bases:
        (place / name).parent.mkdir(exist_ok=True)
        _copy_base(folder / name, place / name)
    if key_path is not None and key_path.exists():
        shutil.copyfile(key_path, place / KEY)
        names.append(KEY)
    return [FileInBackup(name, (place / name).stat().st_size, _digest(place / name)) for name in (*names, *bases)]


def _copy_base(source: Path, target: Path) -> None:
    with (
        closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=10.0)) as base,
        closing(sqlite3.connect(target)) as copy,
    ):
        base.backup(copy)
        copy.execute("PRAGMA journal_mode = DELETE")  # one file, whole


def _pack(target: Path, manifest: BackupManifest, place: Path) -> None:
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream:
        with tarfile.open(fileobj=stream, mode="w:gz", compresslevel=1) as archive:
            body = msgspec.json.encode(manifest)
            head = tarfile.TarInfo(MANIFEST)
            head.size, head.mode = len(body), 0o600
            archive.addfile(head, io.BytesIO(body))
            for one in manifest.files:
                archive.add(place / one.name, one.name, recursive=False)
        stream.flush()
        os.fsync(stream.fileno())


def _unpack(source: Path, place: Path) -> BackupManifest:
    """The files of a backup, each checked against what the manifest says of it.

    Raises:
        UserError: it is no backup, or not whole.
    """
    try:
        with source.open("rb") as stream, tarfile.open(fileobj=stream, mode="r|gz") as archive:
            members = iter(archive)
            manifest = _manifest(source, archive, next(members, None))
            for one in manifest.files:
                member = next(members, None)
                if member is None or not member.isfile() or (member.name, member.size) != (one.name, one.size_bytes):
                    raise UserError(f"{source} is no whole backup: {one.name} is missing or of another size")
                body = archive.extractfile(member)
                assert body is not None  # noqa: S101 - it is a file
                _write(body, place / one.name)
                if _digest(place / one.name) != one.digest:
                    raise UserError(f"{source} is no whole backup: {one.name} is another than was written")
    except FileNotFoundError:
        raise UserError(f"there is no file {source}") from None
    except (tarfile.TarError, EOFError, zlib.error, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise UserError(f"{source} is no backup of modicum, or was cut off: {error}") from None
    return manifest


def _manifest(source: Path, archive: tarfile.TarFile, member: tarfile.TarInfo | None) -> BackupManifest:
    body = None
    if member is not None and member.name == MANIFEST and member.isfile() and member.size <= MOST_MANIFEST_BYTES:
        body = archive.extractfile(member)
    if body is None:
        raise UserError(f"{source} is no backup of modicum: it does not begin with {MANIFEST}")
    try:
        manifest = msgspec.json.decode(body.read(), type=BackupManifest)
    except msgspec.DecodeError as error:
        raise UserError(f"{source} is no backup that this version reads: {error}") from None
    names = [one.name for one in manifest.files]
    if manifest.format != FORMAT:
        raise UserError(f"{source} is a backup of format {manifest.format}, and this version reads {FORMAT}")
    if len(set(names)) < len(names) or not all(_NAME.fullmatch(name) for name in names):
        raise UserError(f"{source} is no backup of modicum: it names files that none has")
    return manifest


def _write(body: IO[bytes], target: Path) -> None:
    target.parent.mkdir(exist_ok=True, mode=0o700)
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as stream:
        shutil.copyfileobj(body, stream, _CHUNK)
        stream.flush()
        os.fsync(stream.fileno())


def _check_free(folder: Path, place: Path, targets: dict[str, Path]) -> None:
    """Whether nothing would be overwritten, or mixed up with what is there.

    Raises:
        UserError: something would.
    """
    present: Sequence[Path] = [
        *sorted((folder / "journal").glob("*.sqlite")),
        *sorted((folder / "journal").glob("*.underway")),
        *sorted((folder / "spans").glob("*.sqlite")),
        *(path for name, path in targets.items() if path.exists() and name != KEY),
    ]
    if present:
        raise UserError(
            f"{present[0]} is there already, and a restore overwrites nothing: move {folder} away, or set "
            "XDG_DATA_HOME to another folder"
        )
    key = targets.get(KEY)
    if key is not None and key.exists():
        if key.read_bytes() != (place / KEY).read_bytes():
            raise UserError(
                f"{key} is another key of digests than that of the backup, whose gateway keys it would make invalid: "
                "move it away first, if nothing of this machine's ledger needs it"
            )
        del targets[KEY]


def _check_whole(place: Path, targets: dict[str, Path]) -> None:
    """Whether the databases are such, and journals are journals.

    Raises:
        UserError: one is not.
    """
    for name in targets:
        path = place / name
        try:
            if name.startswith(("journal/", "spans/")) and name.endswith(".sqlite"):
                with opened_journal(path) as base:
                    (verdict,) = base.execute("PRAGMA quick_check(1)").fetchone()
            elif name.endswith((".sqlite", ".db")):
                with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as base:
                    (verdict,) = base.execute("PRAGMA quick_check(1)").fetchone()
            else:
                continue
        except (sqlite3.Error, NotReadable) as error:
            raise UserError(f"the backup's {name} cannot be read: {error}; nothing was changed") from None
        if verdict != "ok":
            raise UserError(f"the backup's {name} is broken: {verdict}; nothing was changed")


def _put_in_place(place: Path, targets: dict[str, Path]) -> None:
    moved: list[Path] = []
    with undo_if_failed(partial(_remove, moved)):
        for name, target in targets.items():
            if name.startswith("journal/") and name.endswith(".sqlite"):
                moved.append(_begin_again(place / name, target))
            _move_in(place / name, target)
            moved.append(target)


def _remove(paths: list[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _begin_again(copy: Path, target: Path) -> Path:
    """Has the shipper begin at the first record, in the knowledge that the ledger may have all of them."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with closing(sqlite3.connect(f"{copy.absolute().as_uri()}?mode=ro", uri=True)) as base:
        positions.write(target, SHIPPED, positions.at(base, 0, again_to=positions.last(base)))
    return target.with_suffix(f".{SHIPPED}")


def _move_in(fresh: Path, target: Path) -> None:
    """Never over a file that is there, also if it came only now."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        target.hardlink_to(fresh)
    except FileExistsError:
        raise
    except OSError:  # no links there
        if target.exists():
            raise FileExistsError(17, "is there already", str(target)) from None
        fresh.replace(target)
    handle = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
