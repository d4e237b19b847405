"""The logs that are on this machine already, or the sample that comes along."""

import os
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import click

from modicum.calls import UserError

MOST_SHOWN = 3
"""Places of one agent that are named; some agents have one for each session."""


def find_home_logs() -> list[Path]:
    """The log folders of agents in this home directory; the names are printed on stderr.

    Raises:
        UserError: there are none.
    """
    from modicum.importers import found_places

    found = {
        name: held for name, paths in found_places(Path.home(), os.environ).items() if (held := _with_files(paths))
    }
    if not found:
        raise UserError("no agent logs in this home directory; name a folder or file instead")
    for name, paths in found.items():
        more = f" and {len(paths) - MOST_SHOWN:,} more" if len(paths) > MOST_SHOWN else ""
        click.echo(f"{name} logs: {', '.join(map(str, paths[:MOST_SHOWN]))}{more}", err=True)
    return [path for paths in found.values() for path in paths]


def _with_files(paths: Sequence[Path]) -> list[Path]:
    """The places that hold anything: an agent that was installed and never used leaves an empty folder."""
    return [path for path in paths if path.is_file() or any(inner.is_file() for inner in path.rglob("*"))]


def find_logs() -> list[Path]:
    """The logs of this home directory, or the sample that the package ships; says in one line which."""
    try:
        return find_home_logs()
    except UserError:
        click.echo("no agent logs in this home directory: this is the sample that comes with modicum", err=True)
        return [_sample_folder() / "logs"]


def find_outcome_files(paths: Sequence[Path]) -> list[Path]:
    """The outcomes that come along with the sample, if it is the sample that is read."""
    return [_sample_folder() / "outcomes.csv"] if _sample_folder() / "logs" in paths else []


def _sample_folder() -> Path:
    return Path(str(files("modicum"))) / "sample"
