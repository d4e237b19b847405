"""The logs that are on this machine already, or the sample that comes along."""

import os
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import click

from modicum.calls import UserError

MOST_SHOWN = 3
"""Places of one agent that are named; some agents have one for each session."""


class UnreadLogsError(UserError):
    """There are logs, and none that can be read."""


def find_home_logs() -> list[Path]:
    """The log folders of agents in this home directory; the names are printed on stderr, and those of agents whose logs
    cannot be read.

    Raises:
        UserError: there are none that can be read.
    """
    from modicum.importers import FORMATS, found_places
    from modicum.importers.unread_agents import find_unread

    unread = find_unread(Path.home(), os.environ, FORMATS)
    for agent in unread:
        click.echo(f"not read: {agent.title}, whose logs lie in {agent.place}; {agent.remedy}", err=True)

    found = {
        name: held for name, paths in found_places(Path.home(), os.environ).items() if (held := _with_files(paths))
    }
    if not found and unread:
        raise UnreadLogsError(
            "the agent logs in this home directory are of no known format; name a folder or file instead, or try "
            f"the sample: 'modicum bill {_sample_folder() / 'logs'}'"
        )
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
    """The logs of this home directory, or the sample that the package ships; says in one line which.

    Raises:
        UserError: there are logs, and none that can be read: the sample would be taken for them.
    """
    try:
        return find_home_logs()
    except UnreadLogsError:
        raise
    except UserError:
        click.echo("no agent logs in this home directory: this is the sample that comes with modicum", err=True)
        return [_sample_folder() / "logs"]


def join_found(paths: Sequence[Path], *, found: bool) -> tuple[Path, ...]:
    """The logs that were named, and with `--found` those of this home directory, or the sample."""
    return (*paths, *find_logs()) if found else tuple(paths)


def find_outcome_files(paths: Sequence[Path]) -> list[Path]:
    """The outcomes that come along with the sample, if it is the sample that is read."""
    return [_sample_folder() / "outcomes.csv"] if _sample_folder() / "logs" in paths else []


def _sample_folder() -> Path:
    return Path(str(files("modicum"))) / "sample"
