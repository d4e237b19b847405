from datetime import UTC, datetime
from decimal import Decimal

import pytest

from modicum.calls import Call, Usage
from modicum.insights.advice.call_kinds import group_calls
from modicum.insights.advice.cheaper_models import CandidateEvidence, ModelProof, advise
from modicum.ledger.booking import book
from modicum.metering.other_sellers import ModelOffer
from modicum.metering.prices import PriceBook

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
PROVEN = ModelProof(CandidateEvidence.PROVEN, "experiment lean was kept")


@pytest.fixture(scope="module")
def prices():
    return PriceBook()


def kinds(prices, *models, usage=None, **fields):
    usage = usage or Usage(input_uncached=10_000, cache_read=90_000, output_visible=1_000)
    calls = [
        Call(call_id=f"x:{number}", source="x", provider=provider, model=model, started=NOON, usage=usage, **fields)
        for number, (provider, model) in enumerate(models)
    ]
    return group_calls([book(call, prices) for call in calls], {})


OPUS = ("anthropic", "claude-opus-4-5")


def test_the_smaller_model_of_the_maker_is_a_trial_with_what_it_saves_at_most(prices):
    (found,) = advise(kinds(prices, OPUS), prices, {})

    trials = [one for one in found.candidates if one.evidence is CandidateEvidence.TRIAL]
    assert [one.model for one in trials] == ["claude-haiku-4-5"]
    # Opus 4.5: $5, 0.50 and 25 a million; Haiku 4.5: a fifth of each.
    booked = Decimal("0.05") + Decimal("0.045") + Decimal("0.025")
    assert (trials[0].booked_usd, trials[0].saving_at_most_usd) == (booked, booked * 4 / 5)
    assert trials[0].saving_cold_usd == booked - Decimal("0.1") - Decimal("0.005")


def test_a_proof_comes_first_and_only_for_its_own_model(prices):
    both = kinds(prices, OPUS, ("openai", "gpt-4o"))

    found = {one.kind.model: one.candidates for one in advise(both, prices, {(OPUS[1], "gpt-4o-mini"): PROVEN})}

    assert (found[OPUS[1]][0].model, found[OPUS[1]][0].evidence) == ("gpt-4o-mini", CandidateEvidence.PROVEN)
    assert {one.evidence for one in found["gpt-4o"] if one.model == "gpt-4o-mini"} == {CandidateEvidence.TRIAL}


def test_what_failed_here_is_shown_as_failed_and_last(prices):
    failed = ModelProof(CandidateEvidence.REFUTED, "experiment lean was rolled back")

    (found,) = advise(kinds(prices, OPUS), prices, {("claude-opus-4-5", "claude-haiku-4-5"): failed})

    assert [one.evidence for one in found.candidates if one.model == "claude-haiku-4-5"] == [CandidateEvidence.REFUTED]
    assert found.candidates[-1].model == "claude-haiku-4-5"


def test_a_cheaper_seller_of_the_same_model(prices):
    (found,) = advise(kinds(prices, ("together", "openai/gpt-oss-120b")), prices, {})

    same = [one for one in found.candidates if one.evidence is CandidateEvidence.SAME_MODEL]
    assert same
    assert all(one.saving_at_most_usd > 0 and "gpt-oss-120b" in one.model for one in same)


def test_a_name_with_a_day_is_no_candidate_beside_the_one_without(prices):
    same = ("anthropic", "claude-haiku-4-5-20251001")
    found = advise(kinds(prices, OPUS, same), prices, {})[0]

    assert [one.model for one in found.candidates if "haiku" in one.model] == ["claude-haiku-4-5-20251001"]


def test_a_model_whose_window_is_too_small_is_none(prices):
    usage = Usage(input_uncached=900_000, output_visible=1_000)
    (found,) = advise(kinds(prices, OPUS, usage=usage), prices, {})

    assert [one for one in found.candidates if "haiku" in one.model] == []


def test_without_a_price_or_another_model_it_says_why(prices):
    (unpriced,) = advise(kinds(prices, ("nobody", "nobodys-model")), prices, {})
    (alone,) = advise(kinds(prices, ("mistral", "ministral-8b-latest")), prices, {})

    assert "no price is known" in unpriced.why_none
    assert alone.candidates or alone.why_none
    assert advise([], prices, {}) == []


def test_a_candidate_of_the_user_that_is_dearer_is_none(prices):
    (found,) = advise(kinds(prices, ("openai", "gpt-4o-mini")), prices, {}, [ModelOffer("", "claude-opus-4-5")])

    assert "claude-opus-4-5" not in [one.model for one in found.candidates]
