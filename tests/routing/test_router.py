import time
from datetime import date

import msgspec
import pytest

from modicum.routing.learners.by_name import make_learner
from modicum.routing.router import is_followed
from modicum.routing.stage import AgentStep, Stage
from modicum.routing.training import train_router
from routing_tables import known_table, stepped_table

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


def test_a_price_that_changed_is_weighed(router):
    easy = "name the capital of france and apples"

    assert router.decide(easy, today=TODAY, price_factors={"cheap": 1000.0, "dear": 1.0}).model == "dear"


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


@pytest.fixture(scope="module")
def stepped():
    trained = train_router(
        stepped_table(300), make_learner("linear"), "usd", source="", today=TODAY, holds_days=90, loss=0.05
    )
    return trained.router


EASY = "name the capital of apples"
BEGIN, CALM, FAILING = (
    AgentStep(Stage(), 1_000),
    AgentStep(Stage(2, 0, 0, "Read"), 2_000),
    AgentStep(Stage(2, 2, 2, "Read"), 2_000),
)


def followed(router, *steps, price=0.0, **more):
    return router.follow(EASY, steps, lambda *_: price, today=TODAY, **more)


def test_a_model_is_left_where_the_stage_says_so_and_the_lost_cache_is_worth_it(stepped):
    assert followed(stepped, BEGIN).model == followed(stepped, BEGIN, CALM).model == "cheap"
    left = followed(stepped, BEGIN, FAILING, price=0.001)

    assert (left.model, left.why) == (
        "dear",
        "exploring, 2 tool results, 2 failed: worth the $0.0010 of prompt cache lost",
    )
    assert followed(stepped, BEGIN, FAILING, price=50.0).model == "cheap"
    assert followed(stepped, BEGIN, FAILING, price=None).model == "cheap"


def test_a_conversation_that_left_a_model_does_not_come_back_for_nothing(stepped):
    def price(_current, other, _tokens):
        return 0.0 if other == "dear" else 50.0

    assert stepped.follow(EASY, (BEGIN, FAILING, CALM), price, today=TODAY).model == "dear"
    assert stepped.follow(EASY, (BEGIN, CALM, CALM), price, today=TODAY).model == "cheap"


def test_where_no_router_chose_the_model_it_is_left_only_if_that_is_worth_its_cache(stepped):
    assert followed(stepped, BEGIN, CALM, price=50.0, current="dear").model == "dear"
    assert followed(stepped, BEGIN, CALM, price=0.0, current="dear").model == "cheap"
    assert followed(stepped, BEGIN, FAILING, allows=lambda model: model == "cheap").model == "cheap"


def test_long_conversations_are_followed_at_ever_fewer_steps():
    followed_steps = [number for number in range(2_000) if is_followed(number)]

    assert followed_steps[:18] == [*range(17), 18]
    assert len(followed_steps) < 80
