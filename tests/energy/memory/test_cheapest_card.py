"""Which card holds a model for the least money."""

from decimal import Decimal

import pytest

from modicum.calls import UserError
from modicum.energy.memory import PlanRequest, find_blueprint, plan_memory
from modicum.energy.memory.cards import parse_cards
from modicum.energy.memory.cheapest_card import choose_cards, known_cards, parse_priced_cards

HYBRID, DENSE = find_blueprint("granite-4.0-h-small"), find_blueprint("qwen3-32b")
OFFERS = tuple(map(parse_priced_cards, ("h200=4", "h100=2.5", "l40s=0.8", "4xh100=10")))


def test_a_hybrid_stays_on_the_cheap_card_where_a_dense_model_outgrows_it():
    request = PlanRequest(context=8192, batch=4)
    choices = {(one.model, one.context): one for one in choose_cards([HYBRID, DENSE], request, OFFERS)}

    assert [choices[HYBRID.name, context].card for context in (8192, 32_768, 131_072)] == ["h100"] * 3
    assert [choices[DENSE.name, context].card for context in (8192, 32_768)] == ["h100", "h200"]
    assert choices[DENSE.name, 131_072].note == "its config allows 40,960 tokens"
    assert choices[HYBRID.name, 8192].usd_per_hour == Decimal("2.5")


@pytest.mark.parametrize("blueprint", [HYBRID, DENSE])
def test_the_choice_fits_and_nothing_cheaper_does(blueprint):
    for one in choose_cards([blueprint], PlanRequest(context=16_384, batch=2), OFFERS):
        cheaper = [offer for offer in OFFERS if one.card is None or offer.usd_per_hour < one.usd_per_hour]
        for offer in cheaper:
            assert not plan_memory(blueprint, PlanRequest(one.context, 2, cards=offer.cards)).fits
        if one.card is not None:
            plan = plan_memory(blueprint, PlanRequest(one.context, 2, cards=parse_cards(one.card)))
            assert plan.fits
            assert one.free_bytes == plan.usable_bytes - plan.total_bytes


def test_what_does_not_fit_says_why():
    (small, *_) = choose_cards([DENSE], PlanRequest(context=8192), [parse_priced_cards("l4=0.4")])
    assert (small.card, small.note) == (None, "it fits none of them")


def test_without_prices_the_least_memory_stands():
    (one, *_) = choose_cards([HYBRID], PlanRequest(context=8192), known_cards())
    assert (one.card, one.usd_per_hour) == ("h100", None)


@pytest.mark.parametrize("text", ["h100=", "h100=free", "h100=0", "h100=-1", "h100=nan", "nothing=3"])
def test_prices_that_are_none_are_refused(text):
    with pytest.raises(UserError):
        parse_priced_cards(text)


def test_cards_with_and_without_a_price_cannot_be_compared():
    with pytest.raises(UserError, match="some cards have a price and some have none"):
        choose_cards([DENSE], PlanRequest(context=8192), [*OFFERS, parse_priced_cards("b200")])
