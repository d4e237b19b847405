"""The step law: joules per generated token fall with the batch as e0 + e1/B.

A step reads the weights once whatever the batch, which costs e1; each token adds e0. With routed experts a larger batch
touches more of them: e0 + (e1 + e2 (1 - (1 - k/N)^B)) / B. Fitted to the published measurements of ML.ENERGY v3 (vLLM,
H100 and B200) the law is off by 1.6 to 4.7 % on average; e1 is about 0.2 J per GB of 16-bit weights on an H100.
"""

from collections.abc import Sequence

import msgspec
import numpy as np

from modicum.calls.errors import UserError
from modicum.energy.bench import BenchPoint
from modicum.energy.block_fit import non_negative_least_squares
from modicum.energy.energy_split import Split

WITHIN_FLOOR = 0.1
LEAST_BATCHES = 3


class StepLaw(msgspec.Struct, frozen=True):
    """Joules per generated token at batch B: `per_token + per_step / B` and, with experts, what they add."""

    per_token: float
    per_step: float
    per_step_experts: float = 0.0
    """What a step costs more when all experts are touched."""
    expert_share: float | None = None
    """k/N: routed experts that a token takes over all; None: dense."""
    per_prompt_token: float | None = None
    """None: not identifiable (one length only), and then its part is in `per_token`."""
    mean_error: float | None = None
    """Mean relative error of points that were left out of the fit; None: too few to leave one out."""
    includes_idle: bool = True
    """True: idle power while serving is in the terms (from a bench). False: terms are above idle (from a watch)."""
    source: str = "bench"

    def joules_per_token(self, batch: float) -> float:
        """Per generated token, prompt work of the same mix included where it is not a term of its own."""
        touched = 1 - (1 - self.expert_share) ** batch if self.expert_share else 0.0
        return self.per_token + (self.per_step + self.per_step_experts * touched) / batch

    @property
    def batch_near_floor(self) -> float | None:
        """Batch from which a token costs at most 10 % more than at any larger one; None: no floor, or with experts
        beyond reach.
        """
        if self.per_token <= 0:
            return None
        low, high = 1.0, 1e6
        goal = self.per_token * (1 + WITHIN_FLOOR)
        if self.joules_per_token(high) > goal:
            return None
        if self.joules_per_token(low) <= goal:
            return low
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (low, middle) if self.joules_per_token(middle) <= goal else (middle, high)
        return high


def fit_step_law(points: Sequence[BenchPoint], expert_share: float | None = None) -> StepLaw:
    """The law over the points of a bench; errors weigh relatively. The prompt's part becomes a term of its own where
    points differ in prompt tokens per generated token.

    Raises:
        UserError: fewer than three batches with energy.
    """
    measured = [point for point in points if point.joules_per_generated_token]
    if len({point.concurrency for point in measured}) < LEAST_BATCHES:
        raise UserError(
            f"the fit needs energy at {LEAST_BATCHES} or more values of concurrency; there are"
            f" {len({point.concurrency for point in measured})}: modicum energy bench --concurrency 1,4,16,64"
        )
    ratios = [point.prompt_tokens / point.output_tokens for point in measured]
    has_prompt = max(ratios) > 1.5 * min(ratios) and len(measured) > LEAST_BATCHES
    columns = np.array([_make_row(point, expert_share, has_prompt=has_prompt) for point in measured])
    joules = np.array([point.joules_per_generated_token or 0.0 for point in measured])
    solution = non_negative_least_squares(columns / joules[:, None], np.ones(len(joules)))
    errors = []
    if len(measured) > columns.shape[1]:
        for index in range(len(measured)):
            kept = np.arange(len(measured)) != index
            left = non_negative_least_squares(columns[kept] / joules[kept, None], np.ones(int(kept.sum())))
            errors.append(abs(float(columns[index] @ left) / joules[index] - 1))
    values = dict(zip(_list_names(expert_share, has_prompt=has_prompt), (float(v) for v in solution), strict=True))
    return StepLaw(
        per_token=values["per_token"],
        per_step=values["per_step"],
        per_step_experts=values.get("experts", 0.0),
        expert_share=expert_share,
        per_prompt_token=values.get("prompt"),
        mean_error=float(np.mean(errors)) if errors else None,
    )


def _list_names(expert_share: float | None, *, has_prompt: bool) -> list[str]:
    return ["per_token", "per_step", *(["experts"] if expert_share else []), *(["prompt"] if has_prompt else [])]


def _make_row(point: BenchPoint, expert_share: float | None, *, has_prompt: bool) -> list[float]:
    batch = point.concurrency
    row = [1.0, 1 / batch]
    if expert_share:
        row.append((1 - (1 - expert_share) ** batch) / batch)
    if has_prompt:
        row.append(point.prompt_tokens / point.output_tokens)
    return row


def make_step_law(split: Split) -> StepLaw:
    """The law that a watched server's split amounts to.

    Raises:
        UserError: the step or the generated token could not be identified, or steps are not counted.
    """
    for term in (split.per_step, split.per_generated):
        if term.value is None:
            raise UserError(f"no fit from this log: {term.name.replace('_', ' ')} is not known, {term.reason}")
    if not split.counts_steps:
        raise UserError("no fit from this log: this server does not count its steps")
    assert split.per_step.value is not None  # noqa: S101 - checked above
    assert split.per_generated.value is not None  # noqa: S101 - checked above
    return StepLaw(
        per_token=split.per_generated.value,
        per_step=split.per_step.value,
        per_prompt_token=split.per_prompt.value,
        mean_error=split.window_error,
        includes_idle=False,
        source="watch",
    )
