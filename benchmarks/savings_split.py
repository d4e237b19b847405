"""Transcripts split by person: thresholds are chosen on one half, and shares are measured on the other."""

import gzip
import json
import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

_HOME = re.compile(r"^/(?:Users|home)/([^/]+)")


class Halves(NamedTuple):
    chosen_on: list[Path]
    measured_on: list[Path]
    people: tuple[int, int]
    """In either; a transcript that names nobody counts as one more person."""


def split_by_person(folder: Path) -> Halves:
    """Persons by number of transcripts, each to the half that has fewer so far: nothing but counts decides."""
    by_person: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.rglob("*.jsonl*")):
        by_person[person_of(path)].append(path)
    halves: tuple[list[Path], list[Path]] = [], []
    people = [0, 0]
    for person in sorted(by_person, key=lambda name: (-len(by_person[name]), name)):
        half = 0 if len(halves[0]) <= len(halves[1]) else 1
        halves[half].extend(by_person[person])
        people[half] += 1
    return Halves(*halves, (people[0], people[1]))


def person_of(path: Path) -> str:
    """Whose home the transcript was written in; empty: it names none."""
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as lines:
        for line in lines:
            if '"cwd"' not in line:
                continue
            try:
                folder = json.loads(line).get("cwd", "")
            except (ValueError, AttributeError):
                continue
            if found := _HOME.match(folder if isinstance(folder, str) else ""):
                return found[1]
    return ""


def link(paths: Sequence[Path], folder: Path) -> Path:
    """A folder that holds these alone."""
    folder.mkdir()
    for path in paths:
        (folder / path.name).symlink_to(path.resolve())
    return folder
