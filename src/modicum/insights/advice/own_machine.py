"""Simple calls on a small open model of one's own: what they would cost and draw on a machine whose figures are given.

Whether the model does as well is for a trial to say; whether the machine holds it, for `modicum plan memory`.
"""

from decimal import Decimal

import msgspec

from modicum.energy.tco import price_per_million
from modicum.insights.advice.call_kinds import NO_TOOLS, CallKind
from modicum.insights.advice.trial_commands import SMALL_MODEL

LARGEST_CALL_TOKENS = 131_072
"""What Granite 4.0 Micro takes, prompt and reply together (its `config.json`, `max_position_embeddings`)."""
_SECONDS_PER_HOUR = 3600
_MILLION = 1_000_000


class OwnMachine(msgspec.Struct, frozen=True):
    rent_usd_per_hour: Decimal
    tokens_per_second: float
    """Generated, at full load, with prompts like those of the calls."""
    watts: float | None = None
    """Of the whole machine under load; None: nobody measured it."""


class OwnMachineCost(msgspec.Struct, frozen=True):
    """The calls of a kind on a machine that has nothing else to do and is never idle: less they cannot cost there."""

    model: str
    busy_hours: float
    usd_at_full_load: Decimal
    kwh: float | None
    booked_usd: Decimal
    break_even_share: float | None
    """Share of the rented time that must be filled with such calls for both to cost the same; None: no share is
    enough.
    """


def price_on_own_machine(kind: CallKind, machine: OwnMachine) -> OwnMachineCost | None:
    """None for calls with tools, of unknown cost, without replies or too long: a small model is no candidate there."""
    is_simple = kind.tools == NO_TOOLS and 0 < kind.largest_call_tokens <= LARGEST_CALL_TOKENS
    if not is_simple or not kind.completion_tokens or kind.cost_usd is None or kind.calls_unpriced:
        return None
    hours = kind.completion_tokens / machine.tokens_per_second / _SECONDS_PER_HOUR
    per_million = price_per_million(machine.rent_usd_per_hour, machine.tokens_per_second, 1.0)
    usd = per_million * kind.completion_tokens / _MILLION
    return OwnMachineCost(
        model=SMALL_MODEL,
        busy_hours=hours,
        usd_at_full_load=usd,
        kwh=None if machine.watts is None else machine.watts * hours / 1000,
        booked_usd=kind.cost_usd,
        break_even_share=float(usd / kind.cost_usd) if 0 < usd <= kind.cost_usd else None,
    )
