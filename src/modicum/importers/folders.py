"""Which files of a folder are read as logs, by their names; the others are counted, and never left out unsaid."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from modicum.calls import Problem
from modicum.importers.unpacking import plain_name

LOG_SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".db", ".sqlite")
BESIDE_SUFFIXES = (
    *(".md", ".html", ".css", ".js", ".ts", ".py", ".sh", ".toml", ".yaml", ".yml", ".lock", ".tmp", ".pid"),
    *(".png", ".jpg", ".jpeg", ".gif", ".webp", ".svg", ".pdf"),
)
"""What lies beside logs and holds no calls: notes, pictures, settings, programs. Not worth a word."""
BESIDE_FOLDERS = frozenset({"tool-results", "memory", "node_modules", "__pycache__"})
BESIDE_ENDINGS = ("-wal", "-shm", "-journal")
"""Parts of a database, read with it."""
INDEX_NAME = "sessions-index.json"
"""Claude Code's own list of sessions; what it counts stands in them."""
MOST_ENDINGS = 5
MOST_ENDING_CHARACTERS = 12


def log_files(path: Path) -> Iterator[Path | Problem]:
    """The files below a folder whose names look like logs, in order; a file named by itself always counts.

    Links to folders are followed once, so that circles end. Files of other names are one problem, with their number.
    """
    if not path.exists():
        yield Problem(str(path), "there is no such file or folder")
        return
    if not path.is_dir():
        yield path
        return
    problems: list[Problem] = []
    skipped: Counter[str] = Counter()
    found_any = holds_files = False
    for folder, names in _walk(path, problems):
        holds_files = holds_files or bool(names)
        for name in names:
            if not plain_name(name).endswith(LOG_SUFFIXES):
                if not _lies_beside(folder, name):
                    skipped[_ending(name)] += 1
            elif not _describes_log(name, names):
                found_any = True
                yield Path(folder, name)
    if not found_any and not problems:  # what cannot be read may hold some
        reason = f"the folder holds no logs ({', '.join(LOG_SUFFIXES)}, plain, .gz or .zst)"
        yield Problem(str(path), reason if holds_files else "the folder is empty")
    if skipped:
        yield Problem(str(path), _reason_skipped(skipped))
    yield from problems


def _walk(path: Path, problems: list[Problem]) -> Iterator[tuple[str, Sequence[str]]]:
    seen: set[tuple[int, int]] = set()

    def unreadable(error: OSError) -> None:
        problems.append(Problem(str(error.filename), f"cannot be read: {error.strerror}"))

    for folder, subfolders, names in os.walk(path, followlinks=True, onerror=unreadable):
        place = os.stat(folder)  # noqa: PTH116 - os.walk's strings, in a hot loop
        if (place.st_dev, place.st_ino) in seen:
            subfolders.clear()
            continue
        seen.add((place.st_dev, place.st_ino))
        subfolders.sort()
        yield folder, sorted(names)


def _lies_beside(folder: str, name: str) -> bool:
    """Whether a file is one that agents keep beside their logs, or hidden."""
    if name.startswith(".") or name.lower().endswith(BESIDE_SUFFIXES + BESIDE_ENDINGS):
        return True
    return not BESIDE_FOLDERS.isdisjoint(Path(folder).parts)


def _describes_log(name: str, names: Sequence[str]) -> bool:
    """Whether a file says something of logs beside it and holds no calls: `agent-1.meta.json` of `agent-1.jsonl`."""
    if name == INDEX_NAME:
        return True
    if not name.endswith(".meta.json"):
        return False
    log = name.removesuffix(".meta.json") + ".jsonl"
    return any(packed in names for packed in (log, f"{log}.gz", f"{log}.zst"))


def _ending(name: str) -> str:
    return os.path.splitext(name)[1].lower()[:MOST_ENDING_CHARACTERS] or "without an ending"  # noqa: PTH122 - os.walk's strings


def _reason_skipped(skipped: Counter[str]) -> str:
    number = skipped.total()
    endings = [f"{count:,} {ending}" for ending, count in skipped.most_common(MOST_ENDINGS)]
    if len(skipped) > MOST_ENDINGS:
        endings.append("others")
    return (
        f"{number:,} file{'s are' if number > 1 else ' is'} skipped, no log by name ({', '.join(endings)}); "
        "name one by itself to have it read, and unpack archives first"
    )
