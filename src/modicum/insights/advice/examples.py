"""Where the calls are that a finding points at: session, time and project, by which a person finds them again."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import msgspec
import numpy as np

from modicum.insights.history import History


class ExampleCall(msgspec.Struct, frozen=True, kw_only=True):
    """A call to look at.

    Attributes:
        started: when it began, UTC.
        session: the task, as its log names it; empty: the log names none.
        agent: the subagent; empty: the main agent.
        cost_usd: None: no price is known.
    """

    call_id: str
    started: datetime
    project: str
    session: str
    agent: str
    cost_usd: float | None


def locate_calls(history: History, call_ids: Sequence[str]) -> dict[str, ExampleCall]:
    """Those calls by id."""
    ids = set(call_ids)
    places: Mapping[str, int] = {name: place for place, name in enumerate(history.entry_ids) if name in ids}
    return {name: _locate(history, name, place) for name, place in places.items()}


def _locate(history: History, call_id: str, place: int) -> ExampleCall:
    cost = float(history.cost_usd[place])
    return ExampleCall(
        call_id=call_id,
        started=datetime.fromtimestamp(float(history.started_s[place]), UTC),
        project=history.projects[history.project[place]],
        session=history.tasks[history.task[place]],
        agent=history.agents[history.agent[place]],
        cost_usd=None if np.isnan(cost) else cost,
    )
