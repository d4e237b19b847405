"""What a change would do to energy: other batch, shorter outputs, fewer or cached prompt tokens, a power cap.

Answers come from the fitted law and hold inside the range that it was fitted on; beyond it they say so. A question that
the measurements cannot answer is refused, not guessed.
"""

from collections.abc import Sequence

import msgspec

from modicum.calls.errors import UserError
from modicum.calls.words.percentages import percent
from modicum.energy.bench import BenchPoint
from modicum.energy.step_law import StepLaw


class Workload(msgspec.Struct, frozen=True):
    """What one request is like, and how many run at once."""

    prompt_tokens: float
    output_tokens: float
    batch: float
    cached_share: float = 0.0
    """Part of the prompt that a prefix cache holds."""


class LoadChange(msgspec.Struct, frozen=True):
    input_cut: float = 0.0
    """Part of the prompt tokens that is left out, 0 to 1."""
    output_cut: float = 0.0
    batch: float | None = None
    """Requests at once; None: as before."""
    cached_share: float | None = None

    def applied(self, base: Workload) -> Workload:
        return Workload(
            prompt_tokens=base.prompt_tokens * (1 - self.input_cut),
            output_tokens=base.output_tokens * (1 - self.output_cut),
            batch=base.batch if self.batch is None else self.batch,
            cached_share=base.cached_share if self.cached_share is None else self.cached_share,
        )


class EnergySaving(msgspec.Struct, frozen=True):
    before_joules: float
    """Per request."""
    after_joules: float
    by_part: dict[str, tuple[float, float]]
    """Joules before and after of `prompt`, `steps` and `tokens`."""
    remarks: tuple[str, ...]

    @property
    def saving(self) -> float:
        return 1 - self.after_joules / self.before_joules


def divide_request(law: StepLaw, load: Workload) -> dict[str, float]:
    """Joules of one request by what causes them."""
    uncached = load.prompt_tokens * (1 - load.cached_share)
    whole = law.joules_per_token(load.batch)
    return {
        "prompt": (law.per_prompt_token or 0.0) * uncached,
        "steps": (whole - law.per_token) * load.output_tokens,
        "tokens": law.per_token * load.output_tokens,
    }


def what_if(law: StepLaw, base: Workload, change: LoadChange, seen_batches: Sequence[float] = ()) -> EnergySaving:
    """Joules per request before and after a change of the load.

    Raises:
        UserError: the change is out of range, or is about prompts while their part is not known.
    """
    for name, value in (("--input-cut", change.input_cut), ("--output-cut", change.output_cut)):
        if not 0 <= value < 1:
            raise UserError(f"{name} is {percent(value, 0)}; give a share from 0 % to less than 100 %")
    if change.batch is not None and change.batch < 1:
        raise UserError("--batch must be 1 or more")
    about_prompts = change.input_cut or change.cached_share is not None
    if about_prompts and law.per_prompt_token is None:
        raise UserError(
            "these measurements do not show what a prompt token costs: run a bench with two prompt lengths"
            " (--prompt-tokens 128,2048), or watch a server whose load varies"
        )
    after = change.applied(base)
    before_parts, after_parts = divide_request(law, base), divide_request(law, after)
    remarks = []
    if seen_batches and not min(seen_batches) <= after.batch <= max(seen_batches):
        remarks.append(
            f"batch {after.batch:g} is outside the measured range ({min(seen_batches):g} to {max(seen_batches):g})"
        )
    if law.per_prompt_token is None:
        remarks.append("the energy of prompts is included in the tokens' part: these measurements cannot separate it")
    if about_prompts and law.per_prompt_token == 0:
        remarks.append(
            "the cost of prompt tokens was too small to be measured here, so fewer of them save nothing here"
        )
    if not law.includes_idle:
        remarks.append("idle energy is not included: it stays the same while the server runs")
    return EnergySaving(
        before_joules=sum(before_parts.values()),
        after_joules=sum(after_parts.values()),
        by_part={name: (before_parts[name], after_parts[name]) for name in before_parts},
        remarks=tuple(remarks),
    )


class PowerCapAnswer(msgspec.Struct, frozen=True):
    joules_per_token_before: float | None
    joules_per_token_after: float | None
    speed_before: float
    speed_after: float
    reason: str


def find_power_cap(points: Sequence[BenchPoint], concurrency: int, cap_watts: float) -> PowerCapAnswer:
    """What a power limit (sum over the GPUs) does at one concurrency, from points measured under two limits, or from
    the fact that the limit is not reached. `points` may hold several benches.

    Raises:
        UserError: neither is known.
    """
    here = [point for point in points if point.concurrency == concurrency and point.mean_watts is not None]
    if not here:
        raise UserError(f"nothing was measured at concurrency {concurrency}; measured: {_list_concurrencies(points)}")
    base = max(here, key=lambda point: point.power_limit_watts or 0)
    capped = [point for point in here if point.power_limit_watts and abs(point.power_limit_watts - cap_watts) <= 5]
    if capped:
        return PowerCapAnswer(
            base.joules_per_generated_token,
            capped[0].joules_per_generated_token,
            base.tokens_per_second,
            capped[0].tokens_per_second,
            "both limits were measured",
        )
    drawn = max(point.mean_watts or 0 for point in here)
    if cap_watts > drawn * 1.15:
        return PowerCapAnswer(
            base.joules_per_generated_token,
            base.joules_per_generated_token,
            base.tokens_per_second,
            base.tokens_per_second,
            f"no effect: the GPUs draw {drawn:,.0f} W here, well below the cap (decoding seldom reaches a power limit;"
            " lower clocks would save, which modicum does not set)",
        )
    raise UserError(
        f"a cap of {cap_watts:,.0f} W is near or below the {drawn:,.0f} W drawn at concurrency {concurrency};"
        " what speed is left is not known: set the cap (nvidia-smi --power-limit), bench again, and give both files"
    )


def _list_concurrencies(points: Sequence[BenchPoint]) -> str:
    return ", ".join(str(value) for value in sorted({point.concurrency for point in points})) or "none"
