"""Files of results, as a person or a program names them: files themselves, or folders that hold some."""

from collections.abc import Iterable
from pathlib import Path

from modicum.calls import UserError

FILE_ENDINGS = (".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".eval")
PACKED = (".gz", ".zst")


def expand_result_files(paths: Iterable[Path]) -> list[Path]:
    """The files themselves; of a folder, those in it that are named as results are.

    Raises:
        UserError: a folder holds none.
    """
    found: list[Path] = []
    for path in paths:
        if not path.is_dir():
            found.append(path)
            continue
        within = sorted(each for each in path.rglob("*") if each.is_file() and is_result_name(each.name))
        if not within:
            raise UserError(f"the folder {path} holds no results ({', '.join(FILE_ENDINGS)})")
        found += within
    return found


def is_result_name(name: str) -> bool:
    for ending in PACKED:
        name = name.removesuffix(ending)
    return name.endswith(FILE_ENDINGS)
