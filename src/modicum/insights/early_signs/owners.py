"""Rules of early signs for each owner, and the tasks under way that they name."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np

from modicum.insights.early_signs.learning import EarlyAdvice, find_alarms, learn
from modicum.insights.early_signs.signs import TaskSigns, task_signs
from modicum.insights.history import load
from modicum.ledger.store import Store


class NamedTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task under way that a rule names."""

    task: str
    owner: str
    after_calls: int
    """At which call it was named."""
    calls: int
    """How many it has had since it began."""
    last_at: datetime


class EarlySigns(msgspec.Struct, frozen=True, kw_only=True):
    outcome: str
    advice: list[EarlyAdvice]
    """An entry an owner, those with the most tasks first."""
    under_way: int
    """Tasks without the outcome that had a call lately."""
    named: list[NamedTask]


def find_early_signs(
    store: Store,
    outcome: str,
    span: tuple[datetime, datetime],
    *,
    by: tuple[str, str],
    under_way: timedelta,
    now: datetime,
) -> EarlySigns:
    """Learns a rule for each owner and applies those that are on to the tasks that run.

    Args:
        store: the ledger.
        outcome: what tasks fail at: those whose values sum to 0.
        span: which tasks are learned from, by their calls.
        by: dimension and tag whose names are owners; ("", ""): all tasks are of one.
        under_way: how long ago the last call of a task that runs may have begun.
        now: the moment of looking.
    """
    signs = task_signs(load(store, *span))
    dimension, tag = by if by[0] else ("team", "")
    cells = store.ask("yield", by=dimension, tag=tag, zone="UTC", since=span[0], until=span[1], outcome=outcome)
    owners = _owners(cells) if by[0] else {}
    values = {row["task"]: row["value_sum"] for row in cells if row["task"] and row["value_sum"] is not None}
    place = {task: number for number, task in enumerate(signs.tasks)}
    of_owner: dict[str, list[int]] = {}
    for task, number in place.items():
        of_owner.setdefault(owners.get(task, ""), []).append(number)
    advice, named, running = [], [], 0
    for owner, numbers in sorted(of_owner.items(), key=lambda one: (-len(one[1]), one[0])):
        known = np.array([number for number in numbers if signs.tasks[number] in values], np.int64)
        failed = np.array([values[signs.tasks[number]] == 0 for number in known], np.bool_)
        one = learn(signs, known, failed, owner)
        advice.append(one)
        open_tasks = [
            number
            for number in numbers
            if signs.tasks[number] not in values and signs.last_s[number] >= (now - under_way).timestamp()
        ]
        running += len(open_tasks)
        named += _named(signs, open_tasks, one)
    return EarlySigns(outcome=outcome, advice=advice, under_way=running, named=named)


def _owners(cells: Sequence[Mapping[str, object]]) -> dict[str, str]:
    """The name under which each task made most calls."""
    calls: dict[str, dict[str, int]] = {}
    for cell in cells:
        names = calls.setdefault(str(cell["task"]), {})
        names[str(cell["name"])] = names.get(str(cell["name"]), 0) + int(str(cell["calls"]))
    return {task: max(sorted(names), key=lambda name: names[name]) for task, names in calls.items() if task}


def _named(signs: TaskSigns, tasks: list[int], advice: EarlyAdvice) -> list[NamedTask]:
    if not advice.is_on or advice.rule is None or not tasks:
        return []
    alarms = find_alarms(signs, np.array(tasks, np.int64), advice.rule)
    return [
        NamedTask(
            task=signs.tasks[number],
            owner=advice.owner,
            after_calls=int(after),
            calls=int(signs.calls[number]),
            last_at=datetime.fromtimestamp(float(signs.last_s[number]), UTC),
        )
        for number, after in zip(tasks, alarms.tolist(), strict=True)
        if after
    ]
