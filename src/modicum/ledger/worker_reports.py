"""What gateway processes report to the ledger process beside their journals: refusals, open circuits, trouble.

A refused request is no call and in no journal. Each worker keeps a small file with its sums since `modicum up`, and
writes it anew when something has changed; a worker that is started again goes on from it. So one process can show the
sums of all, and a file that is half there or old costs nothing but its figures.
"""

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated

import msgspec

FOLDER = "reports"
"""In the folder of the gateway's state."""
MOST_BYTES = 4 * 1024 * 1024
_Count = Annotated[int, msgspec.Meta(ge=0)]


class RefusalCount(msgspec.Struct, frozen=True, kw_only=True):
    """How many requests of an owner went no further, for one reason."""

    team: str = ""
    app: str = ""
    key: str = ""
    kind: str
    """One of the gateway's own words, as its replies have it: `budget_exceeded`."""
    count: _Count


class WorkerReport(msgspec.Struct, frozen=True, kw_only=True):
    """How one gateway process is, and what it refused since `modicum up`."""

    at: datetime
    refusals: list[RefusalCount] = []
    open_circuits: list[str] = []
    """Upstreams that it leaves alone."""
    ended: bool = False
    """It was told to end, and has."""
    trouble: str = ""
    """Why it takes no calls, or should get no new ones."""


def write_report(folder: Path, worker: str, report: WorkerReport) -> None:
    """Replaces the report of a worker, whole. A power cut may take it: it says nothing that is billed.

    Raises:
        OSError: it cannot be written.
    """
    folder.mkdir(exist_ok=True, mode=0o700)  # where all of the gateway's folder is gone, nothing is put in its place
    fresh = folder / f"{worker}.new"
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as stream:
        stream.write(msgspec.json.encode(report))
    fresh.replace(folder / f"{worker}.json")


def read_report(folder: Path, worker: str) -> WorkerReport | None:
    """The report of a worker; None: there is none that can be read."""
    return _read(folder / f"{worker}.json")


def read_reports(folder: Path) -> dict[str, WorkerReport]:
    """The reports that can be read, by worker."""
    found = {path.stem: _read(path) for path in sorted(folder.glob("*.json"), key=lambda one: one.stem)}
    return {worker: report for worker, report in found.items() if report is not None}


def _read(path: Path) -> WorkerReport | None:
    try:
        if path.stat().st_size > MOST_BYTES:
            return None
        return msgspec.json.decode(path.read_bytes(), type=WorkerReport)
    except (OSError, msgspec.DecodeError):  # a ValidationError is one, too
        return None
