"""The zone in which days are cut: the one that was asked for, else this machine's."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from modicum.calls import UserError

LOCAL_TIME = Path("/etc/localtime")
ZONE_FILE = Path("/etc/timezone")
_NAMES_OF_UTC = frozenset({"Etc/UTC", "Etc/UCT", "Etc/Universal", "Etc/Zulu", "UCT", "Universal", "Zulu"})
"""What systems call it; people read one name in all places."""


class UserZone(NamedTuple):
    """The zone of a user's days, and how it is known."""

    name: str
    origin: str

    @property
    def zone(self) -> ZoneInfo:
        return checked_zone(self.name)


def checked_zone(name: str) -> ZoneInfo:
    """The time zone of that name.

    Raises:
        UserError: there is none.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UserError(f"there is no time zone '{name}'; give one as Europe/Berlin or UTC") from None


def user_zone(settings_zone: str, chosen: str | None = None, environment: Mapping[str, str] = os.environ) -> UserZone:
    """The zone in which this user's days begin.

    Args:
        settings_zone: what the settings say; empty for nothing.
        chosen: what was asked for on the command line.
        environment: where `TZ` stands.

    Raises:
        UserError: there is no such zone.
    """
    if chosen:
        checked_zone(chosen)
        return UserZone(chosen, "--timezone")
    if settings_zone:
        return UserZone(settings_zone, "timezone in the settings")
    if machine := machine_zone(environment):
        return UserZone(machine, "this machine's time zone")
    return UserZone("UTC", "this machine's time zone was not found; --timezone NAME or the settings give one")


def machine_zone(environment: Mapping[str, str]) -> str:
    """The name of this machine's zone; empty where it has none that has a name. `TZ` stands above the system's."""
    if (named := environment.get("TZ")) is not None:
        return _zone_name(named.removeprefix(":")) if named else "UTC"
    try:
        if name := _zone_name(os.readlink(LOCAL_TIME)):  # noqa: PTH115 - one link only: what it names may be a link too
            return name
    except OSError:
        pass
    try:
        return _zone_name(ZONE_FILE.read_text("utf-8").strip())
    except (OSError, UnicodeDecodeError):
        return ""


def _zone_name(named: str) -> str:
    """The zone in a name, or in the path of its file; empty where there is none."""
    name = named.rpartition("zoneinfo/")[2].removeprefix("posix/").removeprefix("right/")
    try:
        checked_zone(name)
    except UserError:
        return ""
    return "UTC" if name in _NAMES_OF_UTC else name
