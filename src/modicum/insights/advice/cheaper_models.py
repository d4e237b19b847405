"""Cheaper candidates for each kind of call, with the evidence there is, and what they would save at most.

A price says nothing of quality: only an experiment or a comparison does, and these are handed in. All else is a trial.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from modicum.calls import Call, Cost, Entry, Tier, Usage
from modicum.calls.usage import sum_usages
from modicum.insights.advice.call_kinds import CallKind, KindEntries
from modicum.insights.advice.likely_models import find_likely_models
from modicum.insights.findings.oversized_models import find_smaller_model
from modicum.insights.price_changes import PriceChange, Pricing, compare_prices, price_as_booked
from modicum.ledger.booking import book
from modicum.metering.context_windows import context_window_tokens
from modicum.metering.other_sellers import ModelOffer, comparable_name, find_other_sellers
from modicum.metering.prices import PriceBook

MOST_SELLERS = 2


class CandidateEvidence(StrEnum):
    PROVEN = "proven here"
    """A kept experiment or a paired comparison of this ledger says that outcomes hold."""
    LIKELY = "likely"
    """It did as well here on other tasks of the same kind."""
    SAME_MODEL = "same model elsewhere"
    """Another seller of the same model, cheaper by the price list. That it serves it alike is not known."""
    TRIAL = "run this trial"
    """Nothing is known but prices."""
    REFUTED = "failed here"
    """An experiment was rolled back, or a comparison shows a loss."""


MOST_OF = {CandidateEvidence.SAME_MODEL: MOST_SELLERS, CandidateEvidence.TRIAL: 3}
"""Candidates of a kind that are shown; of the others all."""


class ModelProof(msgspec.Struct, frozen=True):
    """What was shown here of one model in the place of another."""

    evidence: CandidateEvidence
    why: str


class CheaperCandidate(msgspec.Struct, frozen=True, kw_only=True):
    """A model in the place of a kind's, and the same calls at its prices of their days."""

    provider: str
    model: str
    evidence: CandidateEvidence
    why: str
    calls_compared: int
    """Calls that have a price under both."""
    booked_usd: Decimal
    """What these cost."""
    saving_at_most_usd: Decimal
    """With as many tokens, and as many of them read from a cache, as there were."""
    saving_cold_usd: Decimal
    """With nothing read from a cache and nothing written to one."""


class KindAdvice(msgspec.Struct, frozen=True, kw_only=True):
    kind: CallKind
    candidates: list[CheaperCandidate]
    why_none: str = ""
    """Why there is no candidate; empty where there is one."""


class _Choice(msgspec.Struct, frozen=True):
    offer: ModelOffer
    proof: ModelProof


Proofs = Mapping[tuple[str, str], ModelProof]
"""By model and candidate."""


def advise(
    kinds: Sequence[KindEntries],
    prices: PriceBook,
    proofs: Proofs,
    others: Sequence[ModelOffer] = (),
) -> list[KindAdvice]:
    """The candidates of each kind, those with better evidence and then the greater saving first.

    Args:
        kinds: as `group_calls` has them: all, because models of one are candidates of another.
        prices: of the day of each call.
        proofs: what experiments and comparisons of this ledger show.
        others: candidates that the user names.
    """
    return [_advise_on(each, kinds, prices, proofs, others) for each in kinds]


def _advise_on(
    each: KindEntries, kinds: Sequence[KindEntries], prices: PriceBook, proofs: Proofs, others: Sequence[ModelOffer]
) -> KindAdvice:
    kind = each.kind
    if kind.cost_usd is None:
        return KindAdvice(kind=kind, candidates=[], why_none="no price is known for these calls (docs/prices.md)")
    choices = [*_find_sellers(each, prices), *_find_models(each, kinds, prices, proofs, others)]
    if not choices:
        why = "no other model is in these calls, and no smaller one of its maker is known; name one with --candidate"
        return KindAdvice(kind=kind, candidates=[], why_none=why)
    candidates = [
        found for choice in choices if (found := replay_calls(each.entries, prices, choice.offer, choice.proof))
    ]
    cheaper = [found for found in candidates if found.saving_at_most_usd > 0]
    order = list(CandidateEvidence)
    cheaper.sort(key=lambda found: (order.index(found.evidence), -found.saving_at_most_usd, found.model))
    chosen: list[CheaperCandidate] = []
    for evidence in order:
        chosen += [found for found in cheaper if found.evidence is evidence][: MOST_OF.get(evidence)]
    return KindAdvice(kind=kind, candidates=chosen, why_none="" if chosen else "nothing that is known is cheaper here")


def _find_sellers(each: KindEntries, prices: PriceBook) -> list[_Choice]:
    """The cheapest other sellers by one price for the sum of all calls; a replay of every seller would take long."""
    at = max(entry.call.started for entry in each.entries)
    usage = sum_usages(entry.call.usage for entry in each.entries)
    own = _price_sum(prices, ModelOffer(each.kind.provider, each.kind.model), at, usage)
    costs = [
        (cost, offer)
        for offer in find_other_sellers(prices, each.kind.provider, each.kind.model, at)
        if (cost := _price_sum(prices, offer, at, usage)) is not None and (own is None or cost < own)
    ]
    costs.sort(key=lambda pair: (pair[0], pair[1].provider))
    proof = ModelProof(CandidateEvidence.SAME_MODEL, "the same model by its name in the price list")
    return [_Choice(offer, proof) for _, offer in costs[:MOST_SELLERS]]


def _price_sum(prices: PriceBook, offer: ModelOffer, at: datetime, usage: Usage) -> Decimal | None:
    if (rates := prices.rates(offer.provider, offer.model, at)) is None:
        return None
    return sum((count * getattr(rates, name) for name, count in msgspec.structs.asdict(usage).items()), Decimal(0))


def _find_models(
    own: KindEntries, kinds: Sequence[KindEntries], prices: PriceBook, proofs: Proofs, others: Sequence[ModelOffer]
) -> list[_Choice]:
    """Other models: of proofs, of the user, of these calls, and the smaller one of the same maker. One of each entry of
    the price list: a name with a day behind it is the same model.
    """
    kind, at = own.kind, max(entry.call.started for entry in own.entries)
    smaller = find_smaller_model(kind.model)
    proven = [ModelOffer(_provider_of(model, kinds), model) for of_model, model in proofs if of_model == kind.model]
    offers = [*proven, *others, *_used_here(kind, kinds), *([ModelOffer(kind.provider, smaller)] if smaller else [])]
    likely = find_likely_models(kind, [each.kind for each in kinds])
    found: dict[str, _Choice] = {}
    own_name = _name_in_list(prices, ModelOffer(kind.provider, kind.model), at)
    for offer in offers:
        name = _name_in_list(prices, offer, at)
        if name == own_name or name in found or not _holds(offer, kind):
            continue
        proof = proofs.get((kind.model, offer.model))
        if proof is None and offer.model in likely:
            proof = ModelProof(CandidateEvidence.LIKELY, likely[offer.model])
        found[name] = _Choice(
            offer, proof or ModelProof(CandidateEvidence.TRIAL, "whether it does as well is not known")
        )
    return list(found.values())


def _name_in_list(prices: PriceBook, offer: ModelOffer, at: datetime) -> str:
    listed = prices.find_listed(offer.provider, offer.model, at, Tier.STANDARD)
    return comparable_name(listed.query.model if listed is not None and listed.is_named else offer.model)


def _provider_of(model: str, kinds: Sequence[KindEntries]) -> str:
    """Who serves it here; empty where no call of it is here."""
    return next((each.kind.provider for each in kinds if each.kind.model == model), "")


def _used_here(kind: CallKind, kinds: Sequence[KindEntries]) -> list[ModelOffer]:
    """Models of these calls that write text, and that used tools where the kind does: no embeddings for an agent."""
    return [
        ModelOffer(each.kind.provider, each.kind.model)
        for each in kinds
        if each.kind.completion_tokens and (each.kind.is_with_tools or not kind.is_with_tools)
    ]


def _holds(offer: ModelOffer, kind: CallKind) -> bool:
    """Whether its context window holds the largest of the calls, where it is known."""
    window = context_window_tokens(offer.model, offer.provider)
    return window is None or window >= kind.largest_call_tokens


def replay_calls(
    entries: Sequence[Entry], prices: PriceBook, offer: ModelOffer, proof: ModelProof
) -> CheaperCandidate | None:
    """The calls at the prices of another model; None where no call has a price under both."""
    warm = _sum_changes(compare_prices(entries, price_as_booked, price_as(prices, offer)))
    if not warm.compared:
        return None
    cold = _sum_changes(compare_prices(entries, price_as_booked, price_as(prices, offer, is_cold=True)))
    return CheaperCandidate(
        provider=offer.provider,
        model=offer.model,
        evidence=proof.evidence,
        why=proof.why,
        calls_compared=warm.compared,
        booked_usd=warm.old_usd,
        saving_at_most_usd=-warm.change_usd,
        saving_cold_usd=-cold.change_usd,
    )


def _sum_changes(rows: Sequence[PriceChange]) -> PriceChange:
    """All calls of a kind have one provider and model, and so one row."""
    (row,) = rows
    return row


def price_as(prices: PriceBook, offer: ModelOffer, *, is_cold: bool = False) -> Pricing:
    """What a call would cost under another model, at the prices of its day."""

    def cost(entry: Entry) -> Cost:
        call: Call = entry.call
        charges = msgspec.structs.replace(call.charges, region="", provider_cost_usd=None)
        other = msgspec.structs.replace(
            call,
            provider=offer.provider,
            model=offer.model,
            usage=_without_cache(call.usage) if is_cold else call.usage,
            charges=charges,
            reported_cost_usd=None,
        )
        return book(other, prices).cost

    return cost


def _without_cache(usage: Usage) -> Usage:
    return msgspec.structs.replace(
        usage,
        input_uncached=usage.input_uncached + usage.cache_read + usage.cache_write_tokens,
        input_audio=usage.input_audio + usage.cache_read_audio,
        input_image=usage.input_image + usage.cache_read_image,
        cache_read=0,
        cache_read_audio=0,
        cache_read_image=0,
        cache_write_5m=0,
        cache_write_30m=0,
        cache_write_1h=0,
        cache_write_12h=0,
    )
