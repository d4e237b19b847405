"""A result of a task: name, value, time."""

from datetime import datetime

import msgspec


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
