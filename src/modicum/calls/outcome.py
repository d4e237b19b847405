"""A result of a task: name, value, time."""

from datetime import UTC, datetime

import msgspec

FIRST_YEAR, LAST_YEAR = 1970, 2200


class Outcome(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    outcome_id: str
    """Identity: importing the same outcome twice keeps one. Where the source has none: task, name and time."""
    task: str
    name: str
    """What was measured: `resolved`, `agent_lines`, `tests_passed`."""
    value: float
    """A share in 0..1 (failed or passed), or a count. A failure is a value of 0, not a missing row."""
    time: datetime
    source: str = ""
    """Where it came from, and by which rule it was joined to the task."""


def checked_time(at: datetime) -> datetime:
    """The time of an outcome, in UTC; one without zone is taken for UTC.

    Raises:
        ValueError: it lies where no task ended, at an end of the calendar; the message fits after "not an outcome: ".
    """
    try:
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError:
        at = datetime.min.replace(tzinfo=UTC)
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise ValueError(f"time is not between {FIRST_YEAR} and {LAST_YEAR}")
    return at
