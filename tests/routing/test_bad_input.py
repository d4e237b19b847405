"""What routing must not be fooled by, a test each: it says what is wrong, and takes the safe choice."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pytest

from modicum.calls import BUCKETS, UserError
from modicum.calls.facts import Facts
from modicum.calls.rates import Rates
from modicum.routing.learners.by_name import make_learner
from modicum.routing.rule import GoneModels, mean_price, price_factors, route_rule
from modicum.routing.training import train_router
from modicum.sdk.rules import apply_rules
from routing_tables import known_table

NOW, TODAY = datetime(2026, 11, 30, 12, tzinfo=UTC), date(2026, 11, 30)
EASY = "name the capital of france and apples"
FLAT = dict.fromkeys(BUCKETS, Decimal(0))


def train(table, **more):
    return train_router(table, make_learner("linear"), "usd", source="", today=TODAY, holds_days=9, loss=0.01, **more)


@pytest.fixture(scope="module")
def table():
    return known_table(600)


@pytest.fixture(scope="module")
def router(table):
    return train(table, prices={"cheap": 1e-6, "dear": 1e-5}).router


def rates(usd):
    return Rates(**FLAT | {"input_uncached": Decimal(usd), "output_visible": Decimal(usd)})


def routed(router, **facts):
    body = json.dumps({"model": "dear", "messages": [{"role": "user", "content": EASY}]}).encode()
    return apply_rules("openai-chat", body, Facts(at=NOW, model="dear", **facts), [route_rule("r", router, "dear")])


def test_labels_that_contradict_are_counted_and_learned_as_a_share(table):
    draw = np.random.default_rng(0)
    twice = replace(
        table, prompts=table.prompts[:100] * 6, outcomes=draw.integers(0, 2, table.outcomes.shape).astype(float)
    )

    remarks = train(twice).remarks

    assert any("repeat a prompt with another outcome" in remark for remark in remarks)


def test_one_class_only_teaches_nothing_and_says_what_to_do(table):
    with pytest.raises(UserError, match=r"every outcome is 1: .*take the cheapest"):
        train(replace(table, outcomes=np.ones_like(table.outcomes)))


def test_a_table_of_ten_rows_teaches_nothing_and_says_what_to_do(table):
    with pytest.raises(UserError, match=r"10 tasks.*fewer than 50.*'modicum compare'"):
        train(table.take(np.arange(10)))


def test_a_model_that_vanished_is_not_chosen(router):
    assert routed(router).model == "cheap"
    assert routed(router, features=(GoneModels(frozenset({"cheap"})),)).model == "dear"
    nothing = router.decide(EASY, today=TODAY, allows=lambda _: False)
    assert (nothing.model, nothing.why) == ("", "no model of the router may be asked: the call goes as it came")


def test_a_price_that_changed_changes_the_choice(router):
    same = routed(router, rates=lambda model: rates("1e-6" if model == "cheap" else "1e-5"))
    dearer = routed(router, rates=lambda model: rates("1e-3" if model == "cheap" else "1e-5"))

    assert (same.model, dearer.model) == ("cheap", "dear")


def test_a_price_that_nobody_knows_changes_nothing(router):
    assert price_factors(Facts(at=NOW, model="dear", rates=lambda _: None), router) == {}
    assert routed(router, rates=lambda _: None).model == "cheap"
    assert mean_price(rates("4")) == 4


@pytest.mark.parametrize(
    "prompt", ["证明关于河流与灯的引理", "Докажи лемму про реки и лампы", "أثبت نظرية حول الأنهار"]
)
def test_a_prompt_in_another_language_goes_to_the_best_single_model(router, prompt):
    choice = router.decide(prompt, today=TODAY)

    assert (choice.model, choice.why) == ("dear", "another script than the training: the best single model")


def test_a_prompt_in_another_language_of_the_same_script_goes_there_too(router):
    choice = router.decide("por favor dime cuál es el río más largo del país y cuántas manzanas hay", today=TODAY)

    assert choice.model == "dear"
    assert choice.why == "hardly a word of the training, another language maybe: the best single model"


def test_leaving_a_warm_cache_is_weighed_at_the_rates_of_the_day(router):
    warm = {"cached_tokens": 100_000, "rules_before": frozenset()}
    cached = Rates(
        **FLAT | {"input_uncached": Decimal("1e-5"), "output_visible": Decimal("1e-5"), "cache_read": Decimal("1e-7")}
    )
    prices = {"cheap": rates("1e-6"), "dear": cached}

    stays = routed(router, rates=prices.get, **warm)
    moved_before = routed(router, rates=prices.get, **warm | {"rules_before": frozenset({"route.r"})})

    assert (stays.model, moved_before.model) == ("dear", "cheap")
