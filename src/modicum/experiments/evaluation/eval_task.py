"""A task to run, the arms that run it, and what a run came to."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec


class EvalTask(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    task: str
    prompt: str
    expected: str | None = None
    """For the graders `exact` and `judge`."""
    pattern: str | None = None
    schema: dict[str, Any] | None = None
    group: str = ""
    """Tasks of one group resemble each other, and count together in intervals."""


class EvalArm(msgspec.Struct, frozen=True):
    """A model under a prompt."""

    name: str
    model: str
    template: str = "{input}"
    """`{input}` stands for the task's own prompt."""

    def prompt_of(self, task: EvalTask) -> str:
        return task.prompt.join(self.template.split("{input}"))


class EvalRow(msgspec.Struct, frozen=True, kw_only=True):
    """One run as it is written down, without any text of a reply; `modicum compare` reads such rows."""

    arm: str
    task: str
    run_id: str
    group: str = ""
    outcome: float | None
    """None: nobody could grade it; `note` says why."""
    prompt_tokens: int | None
    completion_tokens: int | None
    total_tokens: int | None
    cost_usd: float | None
    basis: str
    seconds: float
    started_at: datetime | None = None
    judge_cost_usd: float | None = None
    """A class of its own: what grading cost is no part of what the arm cost. None: no judge, or of unknown cost."""
    judge_tokens: int | None = None
    answered_by: str = ""
    price: str = ""
    note: str = ""


def make_arms(models: Sequence[str], templates: Sequence[tuple[str, str]]) -> list[EvalArm]:
    """Every model under every prompt (name, text); without prompts, the task's own words."""
    if not templates:
        return [EvalArm(model, model) for model in models]
    if len(templates) == 1:
        return [EvalArm(model, model, templates[0][1]) for model in models]
    if len(models) == 1:
        return [EvalArm(name, models[0], text) for name, text in templates]
    return [EvalArm(f"{model}/{name}", model, text) for model in models for name, text in templates]
