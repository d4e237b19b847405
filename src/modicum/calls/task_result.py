"""What one run of a task came to under one arm: its outcome, and what it took."""

from datetime import datetime

import msgspec


class TaskResult(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One run. What its source does not say is None, never 0."""

    arm: str
    """What is compared: a model, an agent, a prompt, a saver."""
    task: str
    """The same name under every arm means the same task."""
    run_id: str = ""
    """Identity of the run, where the source has one: a second row with it is the same run. Empty: a run of its own."""
    outcome: float | None = None
    """A share in 0..1; None: nobody graded this run."""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    is_lower_bound: bool = False
    """Prompt and total tokens are these or more: their source leaves some out."""
    cost_usd: float | None = None
    seconds: float | None = None
    joules: float | None = None
    started_at: datetime | None = None
    """When it began, with a zone."""
    group: str = ""
    """Tasks of one group resemble each other (a repository, a customer), and count together in intervals."""
    place: str = ""
    """Where it stands: file and line."""


def total_of(prompt_tokens: int | None, completion_tokens: int | None) -> int | None:
    """Both together; None where one of them is not known."""
    return None if prompt_tokens is None or completion_tokens is None else prompt_tokens + completion_tokens
