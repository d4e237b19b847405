"""The record of a trial: a folder with the plan, and a line for each run. Written so that a crash loses one run."""

import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from modicum.calls import UserError

if TYPE_CHECKING:
    from modicum.experiments.trials.saver_trial import SaverTrial, TrialRun

PLAN, RUNS = "plan.json", "runs.jsonl"


class TrialRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What stands in the plan's file."""

    trial: "msgspec.Raw"
    digest: str
    made_at: datetime
    by: str
    versions: dict[str, str]
    """Of modicum, Python, the system, the prices."""


def write_plan(folder: Path, trial: "SaverTrial", made_at: datetime, by: str, versions: dict[str, str]) -> None:
    """Raises:
    UserError: the folder cannot be written.
    """
    record = TrialRecord(
        trial=msgspec.Raw(msgspec.json.encode(trial)),
        digest=trial.digest,
        made_at=made_at,
        by=by,
        versions=versions,
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / PLAN).write_bytes(msgspec.json.format(msgspec.json.encode(record), indent=2))
    except OSError as error:
        raise UserError(f"the record {folder} cannot be written: {error.strerror}") from None


def read_plan(folder: Path) -> "SaverTrial | None":
    """The plan of a record; None where there is no record yet.

    Raises:
        UserError: it cannot be read, or was changed after it was made.
    """
    from modicum.experiments.trials.saver_trial import SaverTrial

    path = folder / PLAN
    if not path.exists():
        return None
    try:
        record = msgspec.json.decode(path.read_bytes(), type=TrialRecord)
        trial = msgspec.json.decode(record.trial, type=SaverTrial)
    except (OSError, msgspec.MsgspecError) as error:
        raise UserError(f"the plan {path} cannot be read: {error}") from None
    if trial.digest != record.digest:
        raise UserError(
            f"the plan {path} was changed after it was made: its digest is {trial.digest[:12]}, and "
            f"{record.digest[:12]} was written down; bring it back, or record a new trial in another folder"
        )
    return trial


def read_runs(folder: Path) -> "list[TrialRun]":
    """The runs so far. A last line that a crash cut short is no run.

    Raises:
        UserError: another line cannot be read.
    """
    from modicum.experiments.trials.saver_trial import TrialRun

    path = folder / RUNS
    if not path.exists():
        return []
    runs: list[TrialRun] = []
    lines = path.read_bytes().splitlines(keepends=True)
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            runs.append(msgspec.json.decode(line, type=TrialRun))
        except msgspec.MsgspecError as error:
            if number == len(lines) and not line.endswith(b"\n"):
                break
            raise UserError(f"{path}:{number} is no run of a trial: {error}") from None
    return runs


def append_run(folder: Path, run: "TrialRun") -> None:
    """Returns when it is on the disk."""
    path = folder / RUNS
    with path.open("r+b" if path.exists() else "w+b") as file:
        end = file.seek(0, os.SEEK_END)
        if end:
            file.seek(end - 1)
            if file.read(1) != b"\n":  # a line that a crash cut short
                content = path.read_bytes()
                file.truncate(content.rfind(b"\n") + 1)
                file.seek(0, os.SEEK_END)
        file.write(msgspec.json.encode(run) + b"\n")
        file.flush()
        os.fsync(file.fileno())
