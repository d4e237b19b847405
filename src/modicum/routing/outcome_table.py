"""What several models made of the same prompts: what routing is learned from, and measured on."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from modicum.calls import UserError
from modicum.calls.errors import accepted_are
from modicum.calls.words.counted_nouns import noun_for, number_of
from modicum.routing.inputs import Inputs, read_prompts
from modicum.routing.sparse_rows import Floats, Integers
from modicum.routing.stage import Stage

FEWEST_TASKS = 50
"""With fewer nothing is learned: a rule that a person writes is better than a guess from so little."""


@dataclass(frozen=True)
class OutcomeTable:
    """Rows are tasks, or steps of tasks; columns are models. NaN: nobody knows."""

    models: tuple[str, ...]
    prompts: tuple[str, ...]
    outcomes: Floats
    families: tuple[str, ...]
    """What kind of task each is; empty where nobody says it."""
    costs: dict[str, Floats] = field(default_factory=dict)
    """`usd`, `seconds`, `joules`: what each reply took."""
    answers: tuple[tuple[str | None, ...], ...] | None = None
    """What each model answered, in short: two that say the same agree."""
    embeddings: Floats | None = None
    tasks: tuple[str, ...] = ()
    """Which task each row is a part of, where several rows may be of one; empty: each row is a task."""
    stages: tuple[Stage, ...] = ()
    """How far the agent was with it; empty: rows are whole tasks."""

    def __len__(self) -> int:
        return len(self.prompts)

    @property
    def tasks_count(self) -> int:
        return len(set(self.tasks)) if self.tasks else len(self)

    @cached_property
    def groups(self) -> Integers:
        """A number for each row, the same for rows that must not be learned from to judge each other: those of one
        task, and those of one prompt.
        """
        group_of: dict[str, int] = {}
        groups = np.empty(len(self), np.int64)
        for row, prompt in enumerate(self.prompts):
            names = [f"prompt {prompt}", *([f"task {self.tasks[row]}"] if self.tasks else [])]
            known = {group_of[name] for name in names if name in group_of}
            groups[row] = group = min(known, default=row)
            if len(known) > 1:
                groups[:row][np.isin(groups[:row], list(known))] = group
                group_of.update({name: group for name, other in group_of.items() if other in known})
            group_of.update(dict.fromkeys(names, group))
        return groups

    @cached_property
    def inputs(self) -> Inputs:
        return read_prompts(self.prompts, self.embeddings)

    def column(self, model: str) -> int:
        if model not in self.models:
            raise UserError(f"the table has no model '{model:.80}'; {accepted_are(self.models)}")
        return self.models.index(model)

    def select(self, models: Sequence[str]) -> "OutcomeTable":
        """The same tasks with these models only."""
        places = [self.column(model) for model in models]
        return replace(
            self,
            models=tuple(models),
            outcomes=self.outcomes[:, places],
            costs={unit: costs[:, places] for unit, costs in self.costs.items()},
            answers=None if self.answers is None else tuple(tuple(row[p] for p in places) for row in self.answers),
        )

    def take(self, rows: Integers) -> "OutcomeTable":
        """These tasks only."""
        taken = replace(
            self,
            prompts=tuple(self.prompts[row] for row in rows),
            outcomes=self.outcomes[rows],
            families=tuple(self.families[row] for row in rows) if self.families else (),
            costs={unit: costs[rows] for unit, costs in self.costs.items()},
            answers=None if self.answers is None else tuple(self.answers[row] for row in rows),
            embeddings=None if self.embeddings is None else self.embeddings[rows],
            tasks=tuple(self.tasks[row] for row in rows) if self.tasks else (),
            stages=tuple(self.stages[row] for row in rows) if self.stages else (),
        )
        if "inputs" in self.__dict__:  # texts that were read once are not read again
            taken.__dict__["inputs"] = self.inputs.take(rows)
        return taken

    def complete(self) -> "OutcomeTable":
        """The tasks that every model was graded on."""
        return self.take(np.flatnonzero(np.isfinite(self.outcomes).all(axis=1)))

    def mean_costs(self, unit: str) -> Floats:
        """What a reply of each model takes on the mean; NaN where nobody knows."""
        if unit not in self.costs:
            return np.full(len(self.models), np.nan)
        costs = self.costs[unit]
        counted = np.isfinite(costs)
        sums: Floats = np.where(counted, np.nan_to_num(costs), 0).sum(axis=0)
        return np.where(counted.any(axis=0), sums / np.maximum(1, counted.sum(axis=0)), np.nan)


def check_table(table: OutcomeTable) -> list[str]:
    """What a person should know before anything is learned from it, in sentences.

    Raises:
        UserError: nothing can be learned from it; the message says why and what to do instead.
    """
    instead = "; until then write a rule, or send all to one model: 'modicum compare' says which"
    if len(table.models) < 2:
        raise UserError(f"a choice needs two models, and the table has {len(table.models)}{instead}")
    if table.tasks_count < FEWEST_TASKS:
        raise UserError(
            f"the table has {number_of(table.tasks_count, 'task')}, and nothing can be learned from fewer than "
            f"{FEWEST_TASKS}{instead}"
        )
    values = np.unique(table.outcomes[np.isfinite(table.outcomes)])
    if len(values) < 2:
        level = f"{values[0]:g}" if len(values) else "unknown"
        raise UserError(
            f"every outcome is {level}: models cannot be told apart by it, so take the cheapest. "
            "Give an outcome that differs, or harder tasks"
        )
    remarks = []
    for model, column in zip(table.models, table.outcomes.T, strict=True):
        graded = column[np.isfinite(column)]
        if len(graded) and (graded == graded[0]).all():
            remarks.append(f"{model}: every outcome is {graded[0]:g}, so nothing about it depends on the prompt.")
        if len(graded) < len(column):
            without, row = len(column) - len(graded), "moment" if table.tasks else "task"
            which = f"{without:,} of {number_of(len(column), row)} {noun_for(without, 'has', 'have')}"
            remarks.append(f"{model}: {which} no outcome.")
    if not np.isfinite(table.outcomes).all(axis=1).any():
        remarks.append(
            "No task was done by all models: what others would have made of it is estimated, without bias only if the "
            "models were drawn by lot (an experiment). Where harder tasks went to the better model, it looks worse "
            "than it is."
        )
    remarks += [] if table.tasks else _describe_contradictions(table)
    return remarks


def _describe_contradictions(table: OutcomeTable) -> list[str]:
    """The same prompt with different outcomes: no router can be right on both."""
    rows_of: dict[str, list[int]] = {}
    for row, prompt in enumerate(table.prompts):
        rows_of.setdefault(prompt, []).append(row)
    repeated = [rows for rows in rows_of.values() if len(rows) > 1]
    contradicting = [
        rows
        for rows in repeated
        if any(len(np.unique(column[np.isfinite(column)])) > 1 for column in table.outcomes[rows].T)
    ]
    if not contradicting:
        return []
    count = sum(map(len, contradicting))
    return [
        (
            f"{number_of(count, 'row repeats', 'rows repeat')} a prompt with another outcome: "
            f"{noun_for(count, 'it is', 'they are')} learned as a share, and no choice can be right for all of them."
        )
    ]
