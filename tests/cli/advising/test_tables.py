"""What `modicum advise` prints."""

from decimal import Decimal

import pytest

from modicum.cli.advising.tables import CEILING, NO_CLAIM, print_advice
from modicum.insights.advice.call_kinds import CallKind
from modicum.insights.advice.cheaper_models import CandidateEvidence, CheaperCandidate, KindAdvice
from modicum.metering.prices import PriceBook

KIND = CallKind(
    provider="anthropic", model="claude-opus-4-5", agent="main", tools="reads", calls=10, conversations=2,
    cost_usd=Decimal(3), calls_unpriced=2, share_of_cost=1.0, prompt_tokens=100_000, completion_tokens=2_000,
    cached_tokens=75_000, largest_call_tokens=30_000, tasks_with_outcome=4, tasks_reached=3, sources=["claude-code"],
)  # fmt: skip


def candidate(evidence, cold):
    return CheaperCandidate(
        provider="anthropic", model="claude-haiku-4-5\nx", evidence=evidence, why="because", calls_compared=8,
        booked_usd=Decimal(3), saving_at_most_usd=Decimal(2), saving_cold_usd=Decimal(cold),
    )  # fmt: skip


@pytest.fixture
def printed(capsys):
    def run(*candidates, kinds=1, why=""):
        print_advice([KindAdvice(kind=KIND, candidates=list(candidates), why_none=why)], kinds, PriceBook())
        return capsys.readouterr().out

    return run


def test_a_trial_says_what_it_saves_at_most_cold_too_and_never_that_it_is_as_good(printed):
    out = printed(candidate(CandidateEvidence.TRIAL, -1))

    assert "saves at most $2.00 of $3.00 (cold: costs $1.00 more, 8 calls that have both prices); because" in out
    assert "     modicum trial claude-haiku-4-5-x \\\n       --tasks tasks.jsonl --copy . \\\n       --with" in out
    assert CEILING in out
    assert NO_CLAIM in out
    assert all(len(line) < 80 for line in out.splitlines() if line.startswith("     "))


def test_what_was_tried_has_no_command(printed):
    assert "modicum trial" not in printed(
        candidate(CandidateEvidence.REFUTED, 1), candidate(CandidateEvidence.PROVEN, 1)
    )


def test_the_same_model_elsewhere_points_at_its_price(printed):
    assert "--provider anthropic" in printed(candidate(CandidateEvidence.SAME_MODEL, 1))


def test_counts_are_shown_and_what_is_left_out_is_named(printed):
    out = printed(kinds=3, why="nothing that is known is cheaper here")

    assert "3 of 4" in out
    assert "... and 2 more kinds; --top 3 has all" in out
    assert "2 of its calls have no known price and are in no figure" in out
    assert "no candidate: nothing that is known is cheaper here" in out
    assert "modicum tco --rent USD" in out
