"""`--since` and `--until` as people write times: a day, a time, or how long ago."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from modicum.calls import UserError

EVER = datetime(1900, 1, 1, tzinfo=UTC)
NEVER = datetime(2300, 1, 1, tzinfo=UTC)

_AGO = re.compile(r"^(\d{1,4})([hdw])$")
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def parse_time(text: str | None, zone: ZoneInfo, otherwise: datetime, now: datetime | None = None) -> datetime:
    """A time in UTC from `2026-01-31`, `2026-01-31T12:00`, `today`, `yesterday`, `7d`, `24h` or `2w` (ago).

    Raises:
        UserError: it is none of these.
    """
    if text is None:
        return otherwise
    now = now or datetime.now(UTC)
    midnight = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    if text in {"today", "yesterday"}:
        return (midnight - timedelta(days=text == "yesterday")).astimezone(UTC)
    if ago := _AGO.match(text):
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        at = datetime.fromisoformat(text)
        return min(max((at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC), EVER), NEVER)
    except (ValueError, OverflowError):
        raise UserError(
            f"'{text}' is no time; write 2026-01-31, 2026-01-31T12:00, today, yesterday, 7d, 24h or 2w"
        ) from None


def bounds_or_none(span: tuple[datetime, datetime]) -> tuple[datetime | None, datetime | None]:
    """The span as JSON shows it: None where the user named no end."""
    since, until = span
    return None if since == EVER else since, None if until == NEVER else until
