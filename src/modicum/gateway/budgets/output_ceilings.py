"""The most output that budgets leave a call: sent with it, said in a header, and kept to where its upstream does not.

A ceiling is in `exchange.edited` as soon as it is set, in the caller's dialect, so every attempt has it.
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from modicum.calls.words.counted_nouns import number_of
from modicum.gateway.budgets.call_prices import CallPrices
from modicum.gateway.exchange import Exchange, PendingEdit
from modicum.gateway.meter import fitted_count
from modicum.governance.budgets import Amounts, AtLimit, Budget, BudgetVerdict, Ruling, Standing
from modicum.governance.cut_off import output_that_fits
from modicum.metering.tokens import count_tokens
from modicum.providers.cut_off.stream_cut import StreamCut

RULE = "budget.ceiling"
"""Under which name it stands among a call's edits."""
CUT_OFF = "budget_cut_off"
"""Why such a reply ended, in its record."""
FULL_TOKENS = 1_000_000
"""Of output, from which is worked out how much of it fits: more than any model writes."""
_BOUNDS = re.compile(rb'"max_?(?:completion_|output_)?[Tt]okens"\s*:')


class OutputCeiling(NamedTuple):
    """Of one call."""

    tokens: int
    """For each choice."""
    budget: str
    cuts: bool
    """Whether the stream is ended here, should its upstream go on."""

    @property
    def text(self) -> str:
        """What the header says: `812; budget=all`."""
        return f"{self.tokens}; budget={self.budget}"


def can_have_ceiling(exchange: Exchange) -> bool:
    """Whether the most output of a call can be set: calls of a plan pass unchanged, and of two bounds in one request
    nobody knows which one its provider takes.
    """
    dialect = exchange.request.served.dialect
    is_free = not exchange.caller.is_plan and dialect.generates
    return is_free and len(_BOUNDS.findall(exchange.edited)) <= 1


def names_no_most(exchange: Exchange) -> bool:
    """Whether nothing but its model's context window bounds its output."""
    is_unbounded = exchange.ceiling is None and exchange.facts.most_output_tokens is None
    return is_unbounded and exchange.request.served.dialect.generates


def can_be_cut(exchange: Exchange) -> bool:
    """Whether its stream can be ended early: one that comes as an array cannot."""
    dialect = exchange.request.served.dialect
    is_array = dialect.streams_json and b"alt=sse" not in exchange.request.query
    return exchange.facts.stream and dialect.stream_cut is not None and not is_array and can_have_ceiling(exchange)


def set_ceiling(exchange: Exchange, ceiling: OutputCeiling) -> bool:
    """Writes a ceiling into the call. False: it cannot be said there."""
    body = exchange.request.served.dialect.with_most_output(exchange.edited, ceiling.tokens)
    if body is None:
        return False
    exchange.edit(body)
    exchange.ceiling = ceiling
    others = tuple(edit for edit in exchange.edits if edit.rule != RULE)
    why = f"{ceiling.budget}: at most {number_of(ceiling.tokens, 'token')} of output"
    exchange.edits = (*others, PendingEdit(RULE, why))
    return True


def assume_ceiling(exchange: Exchange, budgets: Sequence[Budget]) -> None:
    """Bounds the output of a call that does not do so itself, where an owner says how. It is sent, so it holds."""
    if not budgets or not names_no_most(exchange):
        return
    assumed = min(((one.assume_max_tokens, one.name) for one in budgets if one.assume_max_tokens), default=None)
    if assumed is not None and can_have_ceiling(exchange):
        set_ceiling(exchange, OutputCeiling(*assumed, cuts=False))


async def cut_to_fit(
    prices: CallPrices, exchange: Exchange, verdict: BudgetVerdict, standings: Sequence[Standing], worst: Amounts
) -> bool:
    """Bounds the output of a stream, where its budget would rather have it ended early than refused. False: no reply
    that is worth something fits.

    Raises:
        NoBound: nothing bounds what it may cost.
    """
    standing = verdict.standing
    if standing is None or standing.budget.at_limit is not AtLimit.CUT or not can_be_cut(exchange):
        return False
    if verdict.ruling not in {Ruling.SPENT, Ruling.TOO_LARGE}:
        return False
    empty, full = await prices.worst(exchange, 0), await prices.worst(exchange, FULL_TOKENS)
    tokens = output_that_fits(standings, worst, empty, full, FULL_TOKENS)
    if tokens is None or (exchange.ceiling is not None and tokens >= exchange.ceiling.tokens):
        return False
    return set_ceiling(exchange, OutputCeiling(tokens, standing.budget.name, cuts=True))


class CeilingKeeper:
    """Keeps one stream to its ceiling, and holds back calls of tools until they are whole.

    Args:
        cut: of the caller's dialect.
        most_tokens: of output, all choices together.
        count: tokens of a text.
        fit: of such a count makes one of the model's own tokenizer, as settling does.
    """

    def __init__(
        self, cut: StreamCut, most_tokens: int, count: Callable[[str], int], fit: Callable[[int], int]
    ) -> None:
        self._cut, self._most, self._count, self._fit = cut, most_tokens, count, fit
        self._counted = 0

    def feed(self, events: bytes) -> bytes:
        """What of whole events passes now."""
        passed = self._cut.feed(events)
        if made := self._cut.take_made():
            self._counted += self._count(made)
        return passed

    @property
    def is_over(self) -> bool:
        """Whether more has come than may."""
        return self._counted > 0 and self._fit(self._counted) > self._most

    def end(self) -> bytes:
        """Ends the stream here."""
        return self._cut.cut(self._fit(self._counted))


def keeper_of(exchange: Exchange) -> CeilingKeeper | None:
    """For a stream that begins; None: nothing bounds it here."""
    ceiling: OutputCeiling | None = exchange.ceiling
    cut = exchange.request.served.dialect.stream_cut
    if ceiling is None or not ceiling.cuts or cut is None:
        return None
    model = exchange.route.model
    return CeilingKeeper(
        cut(),
        ceiling.tokens * max(exchange.facts.choices_count, 1),
        lambda text: count_tokens(text, model),
        lambda counted: fitted_count(counted, model),
    )
