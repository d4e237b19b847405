"""Who else sells a model, by the price list."""

from datetime import datetime

import msgspec
from genai_prices.data_snapshot import get_snapshot

from modicum.calls import Tier
from modicum.metering.prices import PriceBook

FOR_ONE_PROGRAM = frozenset({"cursor", "github-copilot"})
"""Sellers in the list whose models only their own program can call."""


class ModelOffer(msgspec.Struct, frozen=True):
    """A model under the name by which one seller has it."""

    provider: str
    model: str


def find_other_sellers(prices: PriceBook, provider: str, model: str, at: datetime) -> list[ModelOffer]:
    """Other sellers of the same model in the list; none where the list has no entry of that very name.

    Two entries are one model where their names are the same without the maker in front, letters' case, and dots for
    hyphens. Variants with a word of their own (`-turbo`, `:free`) are other models here.
    """
    listed = prices.find_listed(provider, model, at, Tier.STANDARD)
    if listed is None or not listed.is_named:
        return []
    name = comparable_name(listed.query.model)
    return [
        ModelOffer(seller.id, offered.id)
        for seller in get_snapshot().providers
        if seller.id != listed.query.seller and seller.id not in FOR_ONE_PROGRAM
        for offered in seller.models
        if comparable_name(offered.id) == name
    ]


def comparable_name(model: str) -> str:
    """What of a model's name is the same at every seller."""
    return model.rsplit("/", 1)[-1].lower().replace(".", "-")
