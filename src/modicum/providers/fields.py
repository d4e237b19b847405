"""Fields of foreign documents: whatever stands there, something of the wanted type comes back, or nothing."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from modicum.calls.storable import storable

LAST_YEAR = 2200
MOST_REPORTED_USD = 1_000_000


def mapping(value: Any) -> Mapping[str, Any]:
    """The JSON object, or an empty one."""
    return value if isinstance(value, Mapping) else {}


def listed(value: Any) -> list[Any]:
    """The JSON array, or an empty one."""
    return value if isinstance(value, list) else []


def text(value: Any) -> str:
    """The string, free of half characters (which no database takes), or an empty one."""
    if not isinstance(value, str):
        return ""
    return storable(value)


def moment(value: Any) -> datetime | None:
    """A time in UTC from ISO 8601 or from seconds, milli-, micro- or nanoseconds since 1970; None where it is none.

    A time without zone is taken for UTC.
    """
    try:
        if isinstance(value, str):
            if value.replace(".", "", 1).isdigit():
                return moment(float(value))
            at = datetime.fromisoformat(value)
            at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
        elif isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e20:
            seconds = float(value)
            while seconds > 1e11:
                seconds /= 1000
            at = datetime.fromtimestamp(seconds, UTC)
        else:
            return None
    except (ValueError, OverflowError, OSError):
        return None
    return at if 1970 <= at.year < LAST_YEAR else None


def dollars(value: Any) -> Decimal | None:
    """What a log says that a call cost. 0 is None: logs write it where they do not know."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        usd = Decimal(str(value))
    except InvalidOperation:
        return None
    return usd if usd.is_finite() and 0 < usd < MOST_REPORTED_USD else None
