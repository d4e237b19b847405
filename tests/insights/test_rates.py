import numpy as np
import pytest

from insights.planted import OUT, PLAIN, READ, WRITE, Conversation, history_of, user
from modicum.insights.rates import RateTable
from modicum.metering.prices import PriceBook

PRICES = PriceBook()


def table(*talks):
    history = history_of(*talks)
    return history, RateTable(history, PRICES)


def test_each_call_has_the_rates_of_its_model_and_unknown_ones_have_none():
    history, rates = table(Conversation("a").call(user("q", 9)), Conversation("b", model="mystery").call(user("q", 9)))

    found = rates.per_call(history.model, history.models, history.tier, history.tiers, history.prompt)

    assert found[0] == pytest.approx([PLAIN, READ, WRITE, 2 * PLAIN, OUT, OUT])
    assert np.isnan(found[1]).all()


def test_a_large_prompt_pays_the_rate_of_its_step_for_all_of_it():
    talk = Conversation(model="claude-sonnet-4-5").call(user("q", 9)).call(user("r", 9))
    history, rates = table(talk)
    steps = PRICES.steps("anthropic", "claude-sonnet-4-5", talk.entries[0].call.started)

    found = rates.per_call(history.model, history.models, history.tier, history.tiers, np.array([200_000.0, 200_001.0]))

    assert [step.above_tokens for step in steps] == [-1, 200_000]
    assert found[:, 0] == pytest.approx([float(step.rates.input_uncached) for step in steps])
    assert found[1, 0] > found[0, 0]
