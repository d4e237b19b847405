"""The cheapest card that holds a model at each context: a hybrid's cache grows slower, so it may fit a smaller one."""

from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from modicum.calls.errors import UserError
from modicum.calls.words.counted_nouns import number_of
from modicum.energy.memory.blueprint import Blueprint
from modicum.energy.memory.cards import CARD_MIB, Cards, parse_cards
from modicum.energy.memory.memory_plan import PlanRequest, plan_memory

CONTEXTS = (8_192, 32_768, 131_072)


class PricedCards(msgspec.Struct, frozen=True):
    """What can be had."""

    text: str
    """As it was named: `h100`, `2xh200`, `24GiB`."""
    cards: Cards
    usd_per_hour: Decimal | None = None
    """Of all of them together. None: not given, so that their memory stands for it."""


class CardChoice(msgspec.Struct, frozen=True, kw_only=True):
    """What one model takes at one context."""

    model: str
    context: int
    batch: int
    card: str | None
    """None: it fits none of them."""
    note: str = ""
    """What stands against it."""
    usd_per_hour: Decimal | None = None
    free_bytes: int | None = None
    """What is left of its memory that may be used."""


def parse_priced_cards(text: str) -> PricedCards:
    """`h100=2.49`: a card, or several, and what an hour of them costs in dollars.

    Raises:
        UserError: no such card, or no price.
    """
    name, sign, price = text.partition("=")
    cards = parse_cards(name)
    if not sign:
        return PricedCards(name, cards)
    try:
        usd = Decimal(price)
    except InvalidOperation:
        usd = Decimal(-1)
    if not usd.is_finite() or usd <= 0:
        raise UserError(f"'{text:.80}' has no price; write what an hour costs in dollars, as --card h100=2.49")
    return PricedCards(name, cards, usd)


def known_cards() -> tuple[PricedCards, ...]:
    """One of each card whose memory is known, without a price."""
    return tuple(PricedCards(name, parse_cards(name)) for name in CARD_MIB)


def choose_cards(
    blueprints: Sequence[Blueprint], request: PlanRequest, offers: Sequence[PricedCards]
) -> list[CardChoice]:
    """The cheapest offer that holds each model at each context; without prices, the one with the least memory.

    Args:
        blueprints: the models.
        request: batch, engine and data types. Its context joins `CONTEXTS`.
        offers: what can be had, all of it with a price or all without.

    Raises:
        UserError: some have a price and some have not; or as `plan_memory`.
    """
    if len({one.usd_per_hour is None for one in offers}) > 1:
        raise UserError("some cards have a price and some have none; write one for each, as --card h100=2.49")
    ordered = sorted(offers, key=lambda one: (one.usd_per_hour or 0, one.cards.count * one.cards.bytes_each))
    choices = []
    for context in sorted({request.context, *CONTEXTS}):
        for blueprint in blueprints:
            here = msgspec.structs.replace(request, context=context)
            choices.append(_choose(blueprint, here, ordered))
    return choices


def _choose(blueprint: Blueprint, request: PlanRequest, ordered: Sequence[PricedCards]) -> CardChoice:
    place: dict[str, Any] = {"model": blueprint.name, "context": request.context, "batch": request.batch}
    limit = blueprint.context_limit
    note = f"its config allows {number_of(limit, 'token')}" if limit is not None and request.context > limit else ""
    for one in ordered:
        try:
            plan = plan_memory(blueprint, msgspec.structs.replace(request, cards=one.cards))
        except UserError:
            if one.cards.count == 1:
                raise
            continue  # its heads cannot be split over so many
        if plan.fits and plan.usable_bytes is not None:
            free = plan.usable_bytes - plan.total_bytes
            return CardChoice(**place, card=one.text, usd_per_hour=one.usd_per_hour, free_bytes=free, note=note)
    return CardChoice(**place, card=None, note="; ".join(filter(None, ("it fits none of them", note))))
