"""Our bill beside a provider's own reports: where they differ, by how much, and what is the likely cause."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from modicum.calls import Basis
from modicum.calls.words.percentages import percent
from modicum.reports.reconciliation.model_names import JoinedNames, Model, join_names

SAME = 0.005
"""Two counts that differ by less are the same: half a per cent."""
LEAST_TOKENS = 1000
LEAST_USD = 0.01
"""Sums below these are compared as if they were as large."""


class Side(msgspec.Struct):
    """What one side counted. None: it does not say."""

    calls: int = 0
    prompt_tokens: int | None = None
    cache_read_tokens: int | None = None
    completion_tokens: int | None = None
    usd: Decimal | None = None
    calls_unpriced: int = 0
    basis: Basis = Basis.EXACT

    @property
    def tokens(self) -> int | None:
        """All of them; None: it does not say, or not all."""
        if self.basis is Basis.UNKNOWN or self.prompt_tokens is None or self.completion_tokens is None:
            return None
        return self.prompt_tokens + self.completion_tokens


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One day, model and key."""

    day: date
    provider: str
    model: str
    key: str
    ours: Side
    theirs: Side
    tokens_more: int | None
    """Theirs less ours; None: one does not say. `usd_more` likewise."""
    usd_more: Decimal | None
    cause: str
    """The likely one; empty: they agree."""
    our_models: tuple[str, ...] = ()
    """The names of the model on our side, where rows are by model; `their_models` likewise."""
    their_models: tuple[str, ...] = ()


OTHER_KEY = "a key that the other side has under another name, it seems: --key ID=NAME says which is which"

Name = tuple[date, str, str, str]
"""Day in UTC, provider, model, key."""


def compare_sides(ours: Mapping[Name, Side], theirs: Mapping[Name, Side]) -> list[Difference]:
    """A row for each name of either side, in order of time.

    Args:
        ours: from the ledger, without providers' reports.
        theirs: from the reports. Days that they do not cover are left out on our side too.
    """
    if not theirs:
        return []
    first, last = min(name[0] for name in theirs), max(name[0] for name in theirs)
    providers = {name[1] for name in theirs}
    own = {name: side for name, side in ours.items() if name[1] in providers}
    joined = join_names({name[1:3] for name in own}, {name[1:3] for name in theirs})
    mine, yours = _rename(own, joined), _rename(theirs, joined)
    names = {name for name in mine if first <= name[0] <= last} | set(yours)
    uncharged = Decimal(0) if any(one.usd is not None for one in theirs.values()) else None
    shown = {(provider, one.shown): one for (provider, _), one in joined.items()}
    sides = _Sides(mine, yours, last, _keys_beside(mine, yours), _keys_beside(yours, mine))
    return [_compare(name, sides, uncharged, shown[name[1:3]]) for name in sorted(names)]


class _Sides(NamedTuple):
    ours: Mapping[Name, Side]
    theirs: Mapping[Name, Side]
    last: date
    """The report's last day."""
    only_ours: frozenset[Name]
    """Without their keys: days and models that have a key with us which the other side does not have."""
    only_theirs: frozenset[Name]


def _keys_beside(one: Mapping[Name, Side], other: Mapping[Name, Side]) -> frozenset[Name]:
    return frozenset((*name[:3], "") for name in one if name[3] and name not in other)


def _rename(sides: Mapping[Name, Side], joined: Mapping[Model, JoinedNames]) -> dict[Name, Side]:
    """By the names of the rows."""
    found: dict[Name, Side] = {}
    for (day, provider, model, key), side in sides.items():
        name = day, provider, joined[provider, model].shown, key
        found[name] = _add(found[name], side) if name in found else side
    return found


def _add(one: Side, other: Side) -> Side:
    def total(mine: int | None, yours: int | None) -> int | None:
        return None if mine is None and yours is None else (mine or 0) + (yours or 0)

    usd = None if one.usd is None and other.usd is None else (one.usd or Decimal(0)) + (other.usd or Decimal(0))
    return Side(
        one.calls + other.calls,
        total(one.prompt_tokens, other.prompt_tokens),
        total(one.cache_read_tokens, other.cache_read_tokens),
        total(one.completion_tokens, other.completion_tokens),
        usd,
        one.calls_unpriced + other.calls_unpriced,
        one.basis | other.basis,
    )


def _compare(
    name: Name,
    sides: _Sides,
    uncharged: Decimal | None,
    names: JoinedNames,
) -> Difference:
    own = sides.ours.get(name, _nothing(sides.theirs.get(name), Decimal(0)))
    other = sides.theirs.get(name, _nothing(sides.ours.get(name), uncharged))
    tokens = None if own.tokens is None or other.tokens is None else other.tokens - own.tokens
    usd = None if own.usd is None or other.usd is None else other.usd - own.usd
    day, provider, model, key = name
    return Difference(
        day=day,
        provider=provider,
        model=model,
        key=key,
        ours=own,
        theirs=other,
        tokens_more=tokens,
        usd_more=usd,
        cause=_cause(name, sides),
        our_models=tuple(filter(None, names.ours)),
        their_models=tuple(filter(None, names.theirs)),
    )


def _nothing(like: Side | None, usd: Decimal | None) -> Side:
    """A side that counted nothing, of what the other one says. `usd`: None where no report says what was charged."""
    if like is None:
        return Side()
    zero = None if like.tokens is None else 0
    return Side(prompt_tokens=zero, cache_read_tokens=zero, completion_tokens=zero, usd=usd)


def _cause(name: Name, sides: _Sides) -> str:
    ours, theirs, last = sides.ours, sides.theirs, sides.last
    own, other = ours.get(name), theirs.get(name)
    if other is not None and other.basis is Basis.UNKNOWN:
        return "the report leaves out counts of these calls (null, or an empty cell): export it again"
    if own is None or other is None:
        return _cause_of_absence(name, sides)
    if own.tokens is not None and other.tokens is not None and not _is_same(own.tokens, other.tokens):
        return _cause_of_tokens(name, own, other, ours, theirs, last)
    return _cause_of_dollars(own, other)


def _cause_of_absence(name: Name, sides: _Sides) -> str:
    """Why one side has nothing of this name."""
    other, without_key = sides.theirs.get(name), (*name[:3], "")
    if name[3] and without_key in (sides.only_theirs if other is None else sides.only_ours):
        return OTHER_KEY
    if other is None:
        return (
            "the report's last day had not ended when it was exported"
            if name[0] == sides.last
            else "not in the report: another account or organisation, or the report was filtered"
        )
    if other.tokens is None:
        return "a charge beside tokens (a tool, storage, another kind of call), or calls that did not come here"
    return "none of these calls came through here: another program, key or team uses the account"


def _cause_of_tokens(
    name: Name, own: Side, other: Side, ours: Mapping[Name, Side], theirs: Mapping[Name, Side], last: date
) -> str:
    more = (other.tokens or 0) - (own.tokens or 0)
    for step in (-1, 1):
        beside = (name[0] + timedelta(days=step), *name[1:])
        mine, yours = ours.get(beside, Side(0, 0, 0, 0)), theirs.get(beside, Side(0, 0, 0, 0))
        if mine.tokens is not None and yours.tokens is not None and _is_same(mine.tokens - yours.tokens, more):
            return "calls around midnight UTC stand on the day beside: a call is booked when it begins"
    if more < 0 and name[0] == last:
        return "the report's last day had not ended when it was exported"
    if more > 0 and own.basis is Basis.LOWER_BOUND and _is_same(own.prompt_tokens, other.prompt_tokens):
        return "our logs were written before the output was final: theirs is the count"
    if more > 0:
        return "some calls did not come through here: another program, key or team uses the account"
    return "we counted more: calls to another account, or replies that the provider did not charge"


def _cause_of_dollars(own: Side, other: Side) -> str:
    if own.usd is None or other.usd is None or _is_same(own.usd, other.usd):
        return ""
    if own.calls_unpriced:
        return f"calls without a known price here ({own.calls_unpriced:,}): give the model a price in prices.toml"
    if not _is_same(own.cache_read_tokens, other.cache_read_tokens):
        return "cached tokens were counted as others"
    return _cause_of_price(own.usd, other.usd)


def _cause_of_price(ours: Decimal, theirs: Decimal) -> str:
    if not ours:
        return "they charge for what costs nothing here"
    if _is_same(ours / 2, theirs):
        return "the tokens agree and they charge half: calls in a batch or a flexible lane, not known as such here"
    share = float(theirs / ours) - 1
    if share < 0:
        return f"the tokens agree and they charge {percent(-share)} less: a discount; put it into prices.toml"
    return f"the tokens agree and they charge {percent(share)} more: a lane, a region or a price that is not known here"


def _is_same(one: Decimal | int | None, other: Decimal | int | None) -> bool:
    if one is None or other is None:
        return True
    floor = LEAST_TOKENS if isinstance(one, int) else LEAST_USD
    return abs(float(one) - float(other)) <= SAME * max(abs(float(one)), abs(float(other)), floor)


def difference_rows(found: Sequence[Difference]) -> list[dict[str, Any]]:
    """As JSON has them."""
    return [msgspec.to_builtins(one, builtin_types=(Decimal, date)) for one in found]
