"""Finds the rollout that a forked or spawned Codex thread came from, and what of it the child repeats."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from uuid import UUID

from modicum.calls import Problem
from modicum.importers.files import lines
from modicum.providers.fields import mapping
from modicum.providers.json_values import decoded

Counts = tuple[object, ...]
FIELDS = ("input_tokens", "cached_input_tokens", "cache_write_input_tokens", "output_tokens", "reasoning_output_tokens")


class ParentRows:
    """The totals of a parent thread, in order, compared with the first ones of its child."""

    def __init__(self, path: Path | None) -> None:
        self.found = path is not None
        self._rows = totals(path) if path else ()
        self._next: int | None = 0 if path else None
        self._begun = False

    def repeats(self, counts: Counts) -> bool:
        """Whether the child's next total is the parent's next one. The first that is not ends the copy for good.

        A copy may begin anywhere in the parent: Codex can hand over only the last turns.
        """
        if self._next is None:
            return False
        if not self._begun:
            self._begun = True
            self._next = self._rows.index(counts) if counts in self._rows else None
        if self._next is None or self._next >= len(self._rows) or self._rows[self._next] != counts:
            self._next = None
            return False
        self._next += 1
        return True


def totals(path: Path) -> tuple[Counts, ...]:
    """The totals of a rollout with the counts of the call behind each, unchanged ones left out."""
    stat = path.stat()
    return _totals(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=8)
def _totals(path: Path, changed_ns: int, size: int) -> tuple[Counts, ...]:
    del changed_ns, size  # part of the key only: a log may grow
    rows: list[Counts] = []
    for found in lines(path):
        if isinstance(found, Problem) or b'"token_count"' not in found[1]:
            continue
        counts = _row(found[1])
        if counts and (not rows or rows[-1][: len(FIELDS)] != counts[: len(FIELDS)]):
            rows.append(counts)
    return tuple(rows)


def _row(line: bytes) -> Counts:
    try:
        info = mapping(mapping(mapping(decoded(line)).get("payload")).get("info"))
    except (ValueError, RecursionError):
        return ()
    total, last = mapping(info.get("total_token_usage")), mapping(info.get("last_token_usage"))
    return (*(total.get(name) or 0 for name in FIELDS), *(last.get(name) or 0 for name in FIELDS)) if total else ()


def parent_rollout(path: Path, thread: str) -> Path | None:
    """The rollout of that thread: beside its child, on the days around its making, or among the archived ones."""
    if not thread or not thread.replace("-", "").isalnum():
        return None
    for folder in _folders(path.absolute(), thread):
        if folder.is_dir():
            for found in sorted(folder.glob(f"*{thread}.jsonl*")):
                if found.name != path.name:
                    return found
    return None


def _folders(path: Path, thread: str) -> Iterator[Path]:
    yield path.parent
    home = next((f.parent for f in path.parents if f.name in {"sessions", "archived_sessions"}), None)
    if home is None:
        return
    yield home / "archived_sessions"
    for day in _days(thread):
        yield home / "sessions" / f"{day:%Y}" / f"{day:%m}" / f"{day:%d}"


def _days(thread: str) -> list[datetime]:
    """The day on which a thread was made, which its id tells (UUID version 7, RFC 9562), and the two beside it."""
    try:
        made = datetime.fromtimestamp((UUID(thread).int >> 80) / 1000, UTC)
        return [made + timedelta(days=days) for days in (0, -1, 1)]
    except (ValueError, OverflowError, OSError):
        return []
