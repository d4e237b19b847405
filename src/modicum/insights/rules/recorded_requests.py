"""What rules that read whole requests would have done with requests that somebody recorded, by the very code of the
gateway: the ledger keeps no text, so of its calls nobody can say it.

What a cache would have given is worked out for the requests as they came and as a rule sends them, in the same way:
each reads as much of its front as a request before it had, if that came within the cache's time to live. The cache of a
provider may forget earlier, so both are upper ends; what the provider counted stands beside them.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from modicum.calls.call import NOBODY
from modicum.calls.facts import Facts
from modicum.calls.prompt import CHARACTERS_PER_TOKEN, Prompt, Unit, tokens_by_length
from modicum.calls.rates import Rates
from modicum.calls.rule import Rule, RuleEffect
from modicum.insights.rules.rule_explanations import RuleExplanation
from modicum.insights.rules.watched_results import NO_NEED
from modicum.metering.prices import PriceBook
from modicum.metering.prompt_cache import CacheRules, find_rules
from modicum.optimizers.cache_preparation import KEY_ORDER
from modicum.optimizers.rule_choice import RuleChoice
from modicum.optimizers.running import RequestCall, prompt_in
from modicum.optimizers.volatile_facts import VOLATILE_FACTS
from modicum.providers.dialects import DIALECTS

RULES = (KEY_ORDER, VOLATILE_FACTS)
"""Those of which a ledger says nothing, or a bound."""
NO_CACHE = "no prompt cache of its model is known here"
MARKED = "its cache holds what requests mark: what this rule saves there is seen live, with cache.breakpoints beside it"
WHOLE = "its model's cache reads whole prompts or nothing: not worked out here"
_PIECE_TOKENS = 128
"""Texts are compared in pieces of so many tokens: the smallest step in which a provider says that it reads."""


class RecordedRequest(NamedTuple):
    """A request as it was sent."""

    at: datetime
    dialect: str
    model: str
    body: bytes
    prompt_tokens: int | None = None
    """As the provider counted them; None: the reply was not recorded."""
    cache_read: int | None = None
    """Likewise."""


class RequestTrials(NamedTuple):
    """What the rules would have done."""

    rules: list[RuleExplanation]
    read_more: dict[str, int]
    """Tokens more that are read from a cache, by rule."""
    read_as_worked_out: int
    """Of the requests as they came, those whose provider counted."""
    read_as_counted: int
    requests_counted: int


class _Step(NamedTuple):
    front: bytes
    """A digest of all up to here."""
    tokens: int
    """Up to here."""


class _Sent(NamedTuple):
    """One request as it came and as each rule sends it, without its text."""

    request: RecordedRequest
    as_it_came: list[_Step]
    by_rule: dict[str, list[_Step]]
    """Where the rule changes it."""


def try_rules(requests: Iterable[RecordedRequest], choice: RuleChoice, prices: PriceBook) -> RequestTrials:
    """Runs the rules on each request, and works out what the cache would have given. Texts are let go one by one."""
    why: dict[str, Counter[str]] = {rule.name: Counter() for rule in RULES}
    sent = sorted((_send(request, why) for request in requests), key=lambda one: one.request.at)
    before = _replay([one.as_it_came for one in sent], sent)
    rows, more = [], {}
    for rule in RULES:
        after = _replay([one.by_rule.get(rule.name, one.as_it_came) for one in sent], sent)
        more[rule.name] = sum(after) - sum(before)
        usd = [
            _usd_saved(one, one.by_rule.get(rule.name, one.as_it_came), (old, new), prices)
            for one, old, new in zip(sent, before, after, strict=True)
        ]
        known = [value for value in usd if value is not None]
        acts = sum(rule.name in one.by_rule for one in sent)
        off = choice.why_off(rule, NOBODY)
        if off and acts:
            why[rule.name][off] += acts
        rows.append(
            RuleExplanation(
                rule=rule.name,
                purpose=rule.purpose,
                safety=str(rule.safety or ""),
                calls=acts,
                calls_on=0 if off else acts,
                tokens_removed=0,
                expected_usd=float(sum(known)) if known and acts else None,
                why_not=dict(why[rule.name].most_common()),
            )
        )
    counted = [place for place, one in enumerate(sent) if one.request.cache_read is not None]
    return RequestTrials(
        rows,
        more,
        sum(before[place] for place in counted),
        sum(sent[place].request.cache_read or 0 for place in counted),
        len(counted),
    )


def _send(request: RecordedRequest, why: dict[str, Counter[str]]) -> _Sent:
    dialect = DIALECTS[request.dialect]
    cache = _cache_of(request)
    by_rule = {}
    for rule in RULES:
        reason, body = _body_after(rule, request)
        if reason:
            why[rule.name][reason] += 1
        else:
            by_rule[rule.name] = _steps(prompt_in(dialect, body), request.model)
            if no_cache := _why_no_cache(cache):
                why[rule.name][no_cache] += 1
    return _Sent(request, _steps(prompt_in(dialect, request.body), request.model), by_rule)


def _body_after(rule: Rule, request: RecordedRequest) -> tuple[str, bytes]:
    """Why the rule leaves it as it is, or the request as it sends it."""
    dialect = DIALECTS[request.dialect]
    call = RequestCall(dialect, request.body, Facts(at=request.at, model=request.model, dialect=request.dialect))
    for decision in call.run([rule]):
        if decision.effect is RuleEffect.CHANGED:
            return "", call.body
        return decision.why, request.body
    return NO_NEED, request.body


def _steps(prompt: Prompt, model: str) -> list[_Step]:
    """The front of a prompt in pieces, as the model sees it: tools, instructions, messages."""
    if not prompt.is_known:
        return []
    state, tokens, steps = hashlib.blake2b(model.encode(), digest_size=12), 0, []
    for unit in prompt.units:
        for piece, size in _pieces(unit):
            state.update(f"\0{unit.kind}\0".encode() + piece)
            tokens += size
            steps.append(_Step(state.digest(), tokens))
    return steps


def _pieces(unit: Unit) -> Iterable[tuple[bytes, int]]:
    """What is more than text is one piece."""
    if unit.text is None:
        return [(unit.digest, unit.tokens)]
    width = _PIECE_TOKENS * CHARACTERS_PER_TOKEN
    parts = [unit.text[start : start + width] for start in range(0, len(unit.text), width)]
    return [(part.encode("utf-8", "surrogatepass"), tokens_by_length(part)) for part in parts]


def _replay(fronts: Sequence[list[_Step]], sent: Sequence[_Sent]) -> list[int]:
    """Tokens that each request reads from the cache."""
    seen: dict[bytes, datetime] = {}
    read = []
    for steps, one in zip(fronts, sent, strict=True):
        cache, at = _cache_of(one.request), one.request.at
        found = 0
        for step in steps:
            last = seen.get(step.front)
            if cache is None or last is None or (at - last).total_seconds() > cache.ttl_s[0]:
                break
            found = step.tokens
        seen.update((step.front, at) for step in steps)
        if cache is None or _why_no_cache(cache):
            read.append(0)
            continue
        found = round(found * _scale(one)) // cache.step * cache.step
        read.append(found if found >= cache.minimum else 0)
    return read


def _scale(one: _Sent) -> float:
    """From tokens by length to those that the provider counted, where it did."""
    length, counted = one.as_it_came[-1].tokens if one.as_it_came else 0, one.request.prompt_tokens
    return counted / length if counted and length else 1.0


def _cache_of(request: RecordedRequest) -> CacheRules | None:
    return find_rules(request.model, request.at.date())


def _why_no_cache(cache: CacheRules | None) -> str:
    """Why nothing is read where requests mark nothing."""
    if cache is None:
        return NO_CACHE
    if cache.whole_units:
        return WHOLE
    return "" if cache.is_implicit or cache.automatic else MARKED


def _usd_saved(one: _Sent, after: list[_Step], read: tuple[int, int], prices: PriceBook) -> float | None:
    """What a request costs less, the line counted that a rule adds. None: no price is known."""
    request, scale = one.request, _scale(one)
    sizes = [round((steps[-1].tokens if steps else 0) * scale) for steps in (one.as_it_came, after)]
    provider = DIALECTS[request.dialect].api.provider or DIALECTS[request.dialect].api.name
    rates = prices.rates(provider, request.model, request.at, prompt_tokens=sizes[0])
    if rates is None:
        return None
    cache = _cache_of(request)
    writes = cache is not None and cache.can_be_off and not _why_no_cache(cache)
    return _usd(rates, sizes[0], read[0], writes=writes) - _usd(rates, sizes[1], read[1], writes=writes)


def _usd(rates: Rates, tokens: int, read: int, *, writes: bool) -> float:
    sent = rates.cache_write_5m if writes else rates.input_uncached
    return float(read * rates.cache_read + (tokens - read) * sent)
