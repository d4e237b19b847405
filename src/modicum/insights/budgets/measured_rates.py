"""What a token has drawn on watched servers: rates to begin a budget in joules with (`[[energy]]`)."""

from collections.abc import Sequence

import msgspec
import numpy as np

from modicum.calls import EnergyWindow
from modicum.calls.energy_window import parse_models
from modicum.energy.block_fit import non_negative_least_squares
from modicum.insights.energy_consumption import leave_out_overlaps

LEAST_WINDOWS = 6


class MeasuredRate(msgspec.Struct, frozen=True, kw_only=True):
    """Joules for each token, such that the tokens of all windows together come to what was measured, idle included."""

    model: str
    joules_per_prompt_token: float | None
    """For one that the server computed; None: not known, and `reason` says why. So are the following."""
    joules_per_generated_token: float | None
    mean_error: float | None
    """Of a window that served something, relative, before idle energy is added."""
    windows: int
    seconds: float
    joules: float
    reason: str = ""


def measure_rates(windows: Sequence[EnergyWindow]) -> list[MeasuredRate]:
    """A rate for each model that had its servers to itself; windows of several models are left out."""
    kept, _ = leave_out_overlaps(windows)
    by_model: dict[str, list[EnergyWindow]] = {}
    for window in kept:
        models = parse_models(window.regime)
        if len(models) == 1:
            by_model.setdefault(models[0], []).append(window)
    return [_measure(model, own) for model, own in sorted(by_model.items())]


def _measure(model: str, windows: Sequence[EnergyWindow]) -> MeasuredRate:
    tokens = np.array([[one.prompt_tokens - (one.cached_tokens or 0.0), one.generated_tokens] for one in windows])
    joules = np.array([one.joules for one in windows])
    busy = tokens.sum(axis=1) > 0
    found = MeasuredRate(
        model=model,
        joules_per_prompt_token=None,
        joules_per_generated_token=None,
        mean_error=None,
        windows=len(windows),
        seconds=sum(one.seconds for one in windows),
        joules=float(joules.sum()),
    )
    if busy.sum() < LEAST_WINDOWS:
        served = int(busy.sum())
        reason = f"only {served} of its windows served a token, and {LEAST_WINDOWS} are needed: watch it for longer"
        return msgspec.structs.replace(found, reason=reason)
    rates = non_negative_least_squares(tokens[busy], joules[busy])
    fitted = tokens @ rates
    error = float(np.mean(np.abs(fitted[busy] / joules[busy] - 1))) if (joules[busy] > 0).all() else None
    if not fitted.sum() > 0 or (rates <= 0).any():
        reason = "its windows do not tell what a prompt token draws from what a generated one draws: watch other loads"
        return msgspec.structs.replace(found, reason=reason)
    each = [float(rate) for rate in rates * (joules.sum() / fitted.sum())]
    return msgspec.structs.replace(
        found, joules_per_prompt_token=each[0], joules_per_generated_token=each[1], mean_error=error
    )
