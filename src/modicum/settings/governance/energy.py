"""`[[energy]]`: what tokens of a model draw on servers of your own, for budgets in joules."""

import math
from collections.abc import Sequence
from decimal import Decimal

import msgspec

from modicum.governance.energy_rate import NANOJOULES, EnergyRate

MOST_JOULES = 1e9
_JOULES = ("joules_per_prompt_token", "joules_per_cached_token", "joules_per_generated_token", "joules_per_call")


class EnergySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`[[energy]]`, once for each model, or pattern. The first row that covers a call counts."""

    model: str
    """A pattern: `llama-*`."""
    joules_per_prompt_token: float
    """For a token of the prompt that the server computes; what it draws while idle is in it, if it is to count."""
    joules_per_generated_token: float
    """For a token of the reply, reasoning included."""
    joules_per_cached_token: float | None = None
    """For a token that it reads from its prompt cache. Nothing said: as much as one that it computes."""
    joules_per_call: float = 0.0
    """For each call, whatever its length."""
    provider: str = ""
    """Only calls that are booked under this provider. Empty: all."""


def energy_rates_of(rows: Sequence[EnergySettings]) -> tuple[EnergyRate, ...]:
    """The rates that checked settings state."""
    return tuple(
        EnergyRate(
            model=one.model,
            provider=one.provider,
            per_computed=_nanojoules(one.joules_per_prompt_token),
            per_cached=_nanojoules(
                one.joules_per_prompt_token if one.joules_per_cached_token is None else one.joules_per_cached_token
            ),
            per_generated=_nanojoules(one.joules_per_generated_token),
            per_call=_nanojoules(one.joules_per_call),
        )
        for one in rows
    )


def energy_fault(rows: Sequence[EnergySettings]) -> tuple[int, str, str] | None:
    """The first setting that is wrong: of which row, which, and what it must be."""
    for index, one in enumerate(rows):
        if not one.model:
            return index, "model", "must be a model, or a pattern as llama-*"
        for name in _JOULES:
            joules = getattr(one, name)
            if joules is not None and not (math.isfinite(joules) and 0 <= joules <= MOST_JOULES):
                return index, name, f"must be a number of joules from 0 to {MOST_JOULES:,.0f}"
        if not (one.joules_per_prompt_token or one.joules_per_generated_token or one.joules_per_call):
            return index, "joules_per_generated_token", "or another rate must be above 0: no call draws nothing"
    return None


def _nanojoules(joules: float) -> int:
    return math.ceil(Decimal(str(joules)) * NANOJOULES)
