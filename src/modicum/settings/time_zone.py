"""The zone in which days are cut."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from modicum.calls import UserError


def checked_zone(name: str) -> ZoneInfo:
    """The time zone of that name.

    Raises:
        UserError: there is none.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise UserError(f"there is no time zone '{name}'; give one as Europe/Berlin or UTC") from None
