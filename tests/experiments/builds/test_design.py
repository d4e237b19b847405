from datetime import timedelta
from decimal import Decimal

import pytest

from ledger.samples import START, entry
from modicum.calls import Basis, Usage
from modicum.calls.rates import Rates
from modicum.experiments.builds.design import AgentDesign, bill_tasks, estimate_design, measure_design, tokens_of

RATES = Rates.of_text(
    input_uncached=Decimal("1e-6"),
    cache_read=Decimal("1e-7"),
    cache_write_5m=Decimal("1.25e-6"),
    cache_write_1h=Decimal("2e-6"),
    cache_write_30m=Decimal("1.25e-6"),
    cache_write_12h=Decimal("2e-6"),
    output_visible=Decimal("4e-6"),
    output_reasoning=Decimal("4e-6"),
)


def played(calls, first, growth, hits=1.0, shared=0.0):
    """The same conversation, call by call."""
    prompts = [first + growth * number for number in range(calls)]
    reads = shared * first + hits * sum(prompts[:-1])
    return sum(prompts), reads


@pytest.mark.parametrize(("calls", "first", "growth"), [(1, 100, 50), (2, 100, 50), (7, 6000, 900), (40, 1, 0)])
def test_tokens_are_those_of_the_conversation_played_call_by_call(calls, first, growth):
    design = AgentDesign(calls=calls, first_tokens=first, growth_tokens=growth, cache_hits=0.9, shared=0.25)
    prompt, reads = played(calls, first, growth, 0.9, 0.25)

    found = tokens_of(design)
    assert found.prompt_tokens == pytest.approx(prompt)
    assert found.cache_read_tokens == pytest.approx(reads)
    assert found.cache_write_tokens == pytest.approx(prompt - reads)
    assert found.largest_prompt_tokens == first + growth * (calls - 1)


def test_conversations_of_different_length_cost_more_than_as_many_of_their_mean_length():
    """Half have 2 calls and half 18: a spread of 0.8 around 10."""
    both = [played(calls, 1000, 500) for calls in (2, 18)]
    found = tokens_of(AgentDesign(calls=10, calls_spread=0.8, first_tokens=1000, growth_tokens=500, cache_hits=1.0))

    assert found.prompt_tokens == pytest.approx(sum(prompt for prompt, _ in both) / 2)
    assert found.cache_read_tokens == pytest.approx(sum(reads for _, reads in both) / 2)


def test_prices_follow_the_buckets_and_a_model_without_a_cache_pays_all_in_full():
    cached = estimate_design(
        AgentDesign(calls=2, first_tokens=1000, output_tokens=10, cache_hits=1.0, hour=0.5, conversations=2), RATES
    )
    assert cached.parts_usd == pytest.approx(
        {"cache_read": 2e-4, "cache_write": 2000 * 1.625e-6, "input_uncached": 0, "output": 40 * 4e-6}
    )
    plain = estimate_design(AgentDesign(calls=2, first_tokens=1000), RATES)
    assert plain.cost_usd == pytest.approx(2000e-6)
    assert estimate_design(AgentDesign(calls=2, first_tokens=1000), None).cost_usd is None


def history():
    """Two tasks, one with a conversation of a subagent."""
    return [
        entry(f"{task}{turn}", "0.01", task=task, conversation=talk, turn=turn, started=START + timedelta(minutes=turn),
              usage=Usage(0, reads, writes, 0, 20, 0))
        for task, talk, turn, reads, writes in (
            ("a", "a", 0, 0, 1000), ("a", "a", 1, 1000, 300), ("a", "a/sub", 2, 400, 600), ("b", "b", 0, 500, 500),
        )
    ]  # fmt: skip


def test_the_numbers_of_what_was_built_give_its_bill_back():
    design = measure_design(history())

    assert design.conversations == 1.5
    assert design.calls == pytest.approx(4 / 3)
    assert (design.first_tokens, design.growth_tokens, design.output_tokens) == (1000, 300, 20)
    assert (design.cache_hits, design.shared) == (1.0, pytest.approx(0.3))
    estimate = estimate_design(design, RATES)
    billed = bill_tasks(history(), estimate)
    assert (billed.tasks, billed.cost_usd) == (2, pytest.approx(0.02))
    assert estimate.prompt_tokens == pytest.approx(billed.prompt_tokens, rel=0.05)
    assert billed.error == pytest.approx(estimate.cost_usd / 0.02 - 1)


def test_what_nobody_counted_gives_no_numbers_and_no_error():
    assert measure_design([entry("a", usage_basis=Basis.UNKNOWN)]) is None
    estimate = estimate_design(AgentDesign(calls=1, first_tokens=1), RATES)
    assert bill_tasks([], estimate) is None
    assert bill_tasks([entry("a", None)], estimate).error is None
