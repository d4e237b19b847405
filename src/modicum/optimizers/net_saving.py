"""What a change of a prompt is expected to save at the day's prices, less what it breaks out of the provider's cache.

Tokens that are left out save their price in this call, and that of a cache read in every call after it. A change in
what stands in the cache costs the price of a write, less that of a read, for all that stands behind it. Nothing here
is a constant: prices come with the facts.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from decimal import Decimal

from modicum.calls.change import Change, DoesNotFit
from modicum.calls.facts import Facts
from modicum.calls.prompt import Prompt, Unit, tokens_by_length
from modicum.calls.rates import Rates
from modicum.calls.rule import NetSaving, Rule

LONG_S = 3600.0


def weigh(rule: Rule, prompt: Prompt, facts: Facts, change: Change) -> NetSaving:
    """What this change of a rule is expected to save in this call and those after it."""
    if rule.weigh is not None:
        return rule.weigh(prompt, facts, change)
    return weigh_tokens(prompt, facts, change, in_cache=_stands_in_cache(rule, facts))


def weigh_tokens(prompt: Prompt, facts: Facts, change: Change, *, in_cache: bool = False) -> NetSaving:
    """What a change saves by the tokens that it leaves out.

    Args:
        prompt: as it is before the change.
        facts: of the call.
        change: of the prompt.
        in_cache: what is in the cache was changed in the same way, so that nothing is broken.

    Raises:
        DoesNotFit: to weigh it, one has to look at the beginning of which `Change.earlier` speaks.
    """
    if not change.is_of_prompt:
        return NetSaving()
    if in_cache:
        return _weigh_in_cache(prompt, facts, change)
    if change.earlier is not None:
        raise DoesNotFit("what it made of the beginning is not in the cache")
    removed, broken = 0, 0
    warm = prompt.tokens if facts.warm_tokens is None else facts.warm_tokens
    cached_removed, (before, units) = 0, prompt.new_units
    is_broken = False
    for tokens, less, is_changed in _sizes(units, change):
        is_broken |= is_changed and before < warm
        if is_broken and before < warm:
            broken += min(tokens - less, warm - before)
        cached_removed += less if before < warm else 0
        removed += less
        before += tokens
    return _net_saving(facts, removed, cached_removed, broken)


def _net_saving(facts: Facts, removed: int, cached_removed: int, broken: int) -> NetSaving:
    """What that many tokens less are worth: all of them, those of them that stand in the cache, and those that have to
    be written to it again.
    """
    rates = facts.rates(facts.model) if facts.rates is not None else None
    is_certain = removed > 0 and not broken
    if rates is None:
        return NetSaving(removed, broken, None, is_certain)
    written = _write_rate(rates, facts)
    later = Decimal(facts.later_calls or 0)
    usd = (
        (removed - cached_removed) * written
        + cached_removed * rates.cache_read
        + removed * rates.cache_read * later
        - broken * (written - rates.cache_read)
    )
    return NetSaving(removed, broken, usd, is_certain)


def _sizes(units: Sequence[Unit], change: Change) -> Iterator[tuple[int, int, bool]]:
    """Of each unit: its tokens, those that it loses, whether it is another one after the change."""
    for unit in units:
        tokens = unit.tokens
        if unit.place in change.left_out:
            yield tokens, tokens, True
        elif (text := change.replaced.get(unit.place)) is not None:
            yield tokens, tokens - tokens_by_length(text), True
        else:
            yield tokens, 0, False


def _weigh_in_cache(prompt: Prompt, facts: Facts, change: Change) -> NetSaving:
    """The same where nothing is broken: only units that are changed, and where the cache ends, need a look."""
    warm = facts.warm_tokens
    fewer = {unit.place: unit.tokens for unit in prompt.units_at(change.left_out)}
    for unit, text in zip(prompt.units_at(change.replaced), change.replaced.values(), strict=True):
        if unit.place not in fewer:
            fewer[unit.place] = unit.tokens - tokens_by_length(text)
    earlier = change.earlier
    removed = sum(fewer.values()) + (0 if earlier is None else earlier.removed[-1])
    if warm is None:
        return _net_saving(facts, removed, removed, 0)
    before = prompt.tokens_before
    cached_removed = sum([tokens for place, tokens in fewer.items() if before(place) < warm])
    if earlier is not None and (in_cache := bisect_left(earlier.tokens_before, warm)):
        cached_removed += earlier.removed[in_cache - 1]
    return _net_saving(facts, removed, cached_removed, 0)


def _stands_in_cache(rule: Rule, facts: Facts) -> bool:
    """Whether the calls before were changed in the same way. A cache-safe rule does so in every call, so where nobody
    knows (after a restart, or with several processes) it is taken to have done so: to stop then would break the cache.
    """
    if facts.rules_before is not None:
        return rule.name in facts.rules_before
    return rule.is_cache_safe


def _write_rate(rates: Rates, facts: Facts) -> Decimal:
    """What a token costs that is not in the cache yet."""
    if facts.warm_tokens is None and facts.cached_tokens is None and facts.turn is None:
        return rates.input_uncached
    if not facts.cached_tokens:
        return rates.input_uncached
    return rates.cache_write_1h if facts.cached_for_s >= LONG_S else rates.cache_write_5m
