"""Energy of calls to closed APIs: a figure from published guesses at the models, without a band.

Nobody outside can measure these. EcoLogits (extra `footprint`, MPL-2.0) works with the guessed number of weights. Held
against measured open models on H100 its formula was off by a median of 58 %, between 0.07 and 3.8 times the truth, and
of a closed model the weights are guessed besides: a band that holds would be so wide that it says nothing, and a
narrower one nobody could stand for. So there is none, and the figure is called a guess.
"""

import msgspec

from modicum.calls.basis import Basis
from modicum.calls.errors import UserError, unknown_name
from modicum.calls.extras import load_extra

TRUTH_SEEN = (0.07, 3.8)
"""The formula over what was measured, on open models: the least and the most."""
LEFT_OUT = (
    "prompt tokens: the formula has only generated tokens, so fewer prompt tokens change nothing",
    "prompt caches",
    "the true batch size: 64 concurrent requests are assumed",
    "the true hardware and number of parameters: both are assumed",
    "training, networks, your own machine",
)


class ClosedEstimate(msgspec.Struct, frozen=True):
    provider: str
    model: str
    generated_tokens: int
    joules: float
    """The middle of the formula's own range over guessed sizes of the model: a guess, without a known error."""
    source: str
    basis: Basis = Basis.ESTIMATED
    interval: None = None
    """There is none: see the module."""
    left_out: tuple[str, ...] = LEFT_OUT


def estimate(provider: str, model: str, generated_tokens: int, seconds: float) -> ClosedEstimate:
    """Estimates the energy of one call, or of many calls of one model together.

    Args:
        provider: `openai`, `anthropic`, `mistralai`, `cohere`, `google_genai`, `huggingface_hub`.
        model: as the provider calls it.
        generated_tokens: visible and reasoning.
        seconds: how long the calls took in all.

    Raises:
        UserError: the extra is not installed, or it does not know the model.
    """
    purpose = "the estimate for a closed API (EcoLogits)"
    version = load_extra("footprint", purpose, "ecologits").__version__
    tracers = load_extra("footprint", purpose, "ecologits.tracers.utils")
    if provider not in tracers.PROVIDER_CONFIG_MAP:
        raise unknown_name("provider known to EcoLogits", provider, sorted(tracers.PROVIDER_CONFIG_MAP))
    impacts = tracers.llm_impacts(provider, model, generated_tokens, seconds)
    if impacts.energy is None:
        raise UserError(f"EcoLogits {version} does not know the model '{model}' of {provider}; no estimate")
    kwh = impacts.energy.value
    # One number where the model is published, a range where its size is guessed.
    low, high = (float(kwh), float(kwh)) if isinstance(kwh, int | float) else (float(kwh.min), float(kwh.max))
    return ClosedEstimate(
        provider,
        model,
        generated_tokens,
        (low * high) ** 0.5 * 3.6e6,
        f"EcoLogits {version}",
    )
