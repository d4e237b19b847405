"""What a call may draw at most, and what it has drawn, by the rates that owners of servers state. Unknown is not 0."""

from collections.abc import Sequence

from modicum.calls import Basis, Call
from modicum.governance.budgets import fits_model
from modicum.governance.energy_rate import EnergyRate
from modicum.governance.worst_case import CallBound


def rate_of(rates: Sequence[EnergyRate], provider: str, model: str) -> EnergyRate | None:
    """The first rate for a model; None: nobody has stated one."""
    for rate in rates:
        if rate.provider in {"", provider} and fits_model(rate.model, model):
            return rate
    return None


def most_millijoules(rates: Sequence[EnergyRate], provider: str, model: str, bound: CallBound) -> int | None:
    """What a call may draw at most, in thousandths of a joule; None: nobody knows."""
    rate = rate_of(rates, provider, model)
    if rate is None:
        return None
    return rate.most_millijoules(bound.input_tokens, bound.output_tokens, 1 + bound.tool_uses)


def drawn_millijoules(rates: Sequence[EnergyRate], call: Call) -> int | None:
    """What a call has drawn, in thousandths of a joule; None: nobody knows its tokens, or what they draw."""
    if Basis.UNKNOWN in (call.usage_basis, call.output_basis):
        return None
    rate = rate_of(rates, call.provider, call.model)
    if rate is None:
        return None
    usage = call.usage
    cached, generated = usage.cache_read_tokens, usage.completion_tokens
    computed = usage.prompt_tokens - cached
    return rate.millijoules(calls=call.calls_count, computed=computed, cached=cached, generated=generated)
