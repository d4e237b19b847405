import time
from datetime import date

import msgspec
import pytest

from modicum.routing.learners.by_name import make_learner
from modicum.routing.router import price_remarks
from modicum.routing.training import train_router
from routing_tables import known_table

TODAY = date(2026, 11, 30)


@pytest.fixture(scope="module")
def router():
    trained = train_router(
        known_table(600), make_learner("blended"), "usd", source="t.csv", today=TODAY, holds_days=90, loss=0.01
    )
    return trained.router


def test_hard_prompts_go_to_the_dear_model_and_easy_ones_do_not(router):
    assert router.decide("prove a lemma about rivers and lamps", today=TODAY).model == "dear"
    assert router.decide("name the capital of france and apples", today=TODAY).model == "cheap"


def test_weights_that_expired_are_not_used(router):
    choice = router.decide("name the capital of france", today=date(2027, 3, 1))

    assert (choice.model, choice.scores) == ("dear", ())
    assert choice.why == "the weights expired on 2027-02-28: the best single model"


def test_a_script_that_the_training_lacked_goes_to_the_best_single_model(router):
    choice = router.decide("フランスの首都はどこですか", today=TODAY)

    assert choice.model == "dear"
    assert choice.why == "another script than the training: the best single model"


def test_a_model_that_vanished_is_not_chosen_and_a_policy_that_forbids_all_leaves_the_call(router):
    hard = "prove a lemma about rivers and lamps"

    assert router.decide(hard, today=TODAY, allows=lambda model: model != "dear").model == "cheap"
    nothing = router.decide(hard, today=TODAY, allows=lambda _: False)
    assert (nothing.model, nothing.why) == ("", "no model of the router may be asked: the call goes as it came")
    expired = router.decide(hard, today=date(2028, 1, 1), allows=lambda model: model != "dear")
    assert expired.model == ""


def test_a_price_that_changed_is_weighed_and_said(router):
    easy = "name the capital of france and apples"
    factors = {"cheap": 1.0, "dear": 0.1}

    assert router.decide(easy, today=TODAY, price_factors={"cheap": 1000.0, "dear": 1.0}).model == "dear"
    (remark,) = price_remarks(router.terms, factors)
    assert remark.startswith("dear: its price is 0.10 times that of the training")


def test_a_task_stays_where_its_prompt_cache_is_unless_the_change_is_worth_it(router):
    easy, hard = "name the capital of france and apples", "prove a lemma about rivers and lamps"

    assert router.decide(easy, today=TODAY, current="dear", switch_cost=5.0).model == "dear"
    assert router.decide(easy, today=TODAY, current="dear", switch_cost=0.0).model == "cheap"
    assert router.decide(hard, today=TODAY, current="cheap", switch_cost=1e-6).model == "dear"


@pytest.mark.parametrize("prompt", ["", "\x00" * 9, "\ud800", "漢" * 50_000, "x " * 500_000])
def test_any_prompt_is_decided(router, prompt):
    assert router.decide(prompt, today=TODAY).model in {"cheap", "dear"}


def test_a_decision_takes_less_than_a_millisecond_of_processor(router):
    prompts = [f"prove a lemma about {number} rivers and lamps. " * 20 for number in range(300)]
    begun = time.thread_time_ns()
    for prompt in prompts:
        router.decide(prompt, today=TODAY)

    assert (time.thread_time_ns() - begun) / len(
        prompts
    ) < 5e6  # a bound that no load breaks; measured: docs/routing.md


def test_terms_are_plain_data(router):
    assert msgspec.json.decode(msgspec.json.encode(router.terms))["models"] == ["cheap", "dear"]
