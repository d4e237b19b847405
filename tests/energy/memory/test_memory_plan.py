import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.memory.golden import SMALL
from modicum.calls import Basis, UserError
from modicum.energy.memory import PlanRequest, find_blueprint, plan_memory
from modicum.energy.memory.cards import parse_cards
from modicum.energy.memory.catalogue import load_catalogue, read_blueprint
from modicum.energy.memory.engines import CacheTypes
from modicum.energy.memory.sizes import GIB

# Billions of weights, KiB of cache per token, MiB of state per sequence, GiB of weights, of cache at 8k and at 128k.
GRANITE = {
    "granite-4.0-h-small": (32.21, 16.0, 145.7, 60.0, 0.27, 2.14),
    "granite-4.0-h-tiny": (6.94, 8.0, 54.7, 12.9, 0.12, 1.05),
    "granite-4.0-h-micro": (3.19, 8.0, 72.9, 5.9, 0.13, 1.07),
    "granite-4.0-h-1b": (1.46, 8.0, 54.7, 2.7, 0.12, 1.05),
    "granite-4.0-h-350m": (0.34, 4.0, 21.3, 0.6, 0.05, 0.52),
    "granite-4.0-micro": (3.40, 80.0, 0.0, 6.3, 0.62, 10.00),
}


def at(name, context, batch=1, **more):
    return plan_memory(find_blueprint(name), PlanRequest(context, batch, weights="bf16", **more))


@pytest.mark.parametrize("name", GRANITE)
def test_granite_equals_the_published_table(name):
    plan = at(name, 131_072)

    found = (
        round(plan.parameters / 1e9, 2),
        round(plan.cache_bytes_per_token / 1024, 1),
        round(plan.state_bytes_per_sequence / 1024**2, 1),
        round(plan.weights_bytes / GIB, 1),
        round(at(name, 8192).cache_bytes / GIB, 2),
        round(plan.cache_bytes / GIB, 2),
    )
    assert found == pytest.approx(GRANITE[name], abs=0.0051)


def test_granite_small_has_the_weights_of_its_published_file():
    assert find_blueprint("granite-4.0-h-small").parameters.total == 32_207_337_984


@pytest.mark.parametrize("name", load_catalogue().models)
def test_every_shipped_model_can_be_planned(name):
    plan = at(name, 32_768, 2)

    assert plan.parameters > plan.active_parameters // 2 > 0
    assert plan.cache_bytes > 0
    assert plan.weights_basis is Basis.EXACT


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(sorted(SMALL)),
    st.integers(1, 3000),
    st.integers(1, 20),
    st.sampled_from(["needed", "transformers", "llamacpp"]),
)
def test_more_context_and_more_sequences_never_need_less(name, context, batch, engine):
    blueprint = read_blueprint(name, SMALL[name])

    def needs(context, batch):
        return plan_memory(blueprint, PlanRequest(context, batch, engine, weights="bf16")).cache_bytes

    assert needs(context, batch) <= needs(context + 1, batch) <= needs(context + 1, batch + 1)
    assert needs(context, batch) == batch * needs(context, 1)


@pytest.mark.parametrize("engine", ["needed", "vllm", "llamacpp", "transformers"])
def test_the_largest_context_and_batch_are_the_last_that_fit(engine):
    cards = parse_cards("h200")
    blueprint = find_blueprint("granite-4.0-h-small")

    def fits(context, batch):
        return plan_memory(blueprint, PlanRequest(context, batch, engine, cards=cards)).fits

    plan = plan_memory(blueprint, PlanRequest(131_072, 8, engine, cards=cards))

    assert plan.fits
    assert fits(plan.largest_context, 8)
    assert not fits(plan.largest_context + 1, 8)
    assert plan.largest_batch > 8


def test_a_model_that_does_not_fit_has_no_largest_context():
    plan = plan_memory(find_blueprint("llama-3.1-70b"), PlanRequest(8192, cards=parse_cards("24GiB")))

    assert plan.fits is False
    assert plan.largest_context is None
    assert plan.largest_batch is None


def test_without_a_card_nothing_is_said_about_fitting():
    assert at("qwen3-8b", 8192).fits is None


def test_more_context_than_the_config_allows_is_noted():
    assert "the config allows 40,960 tokens" in at("qwen3-8b", 131_072).notes[0]


def test_two_cards_share_heads_and_weights():
    one = plan_memory(find_blueprint("qwen3-32b"), PlanRequest(8192, cards=parse_cards("h100"), weights="bf16"))
    two = plan_memory(find_blueprint("qwen3-32b"), PlanRequest(8192, cards=parse_cards("2xh100"), weights="bf16"))

    assert two.cache_bytes * 2 == one.cache_bytes
    assert two.weights_bytes * 2 == one.weights_bytes
    assert two.weights_basis is Basis.ESTIMATED


def test_latent_caches_are_held_by_every_card():
    one = plan_memory(find_blueprint("deepseek-v3"), PlanRequest(8192, cards=parse_cards("1xb200")))
    eight = plan_memory(find_blueprint("deepseek-v3"), PlanRequest(8192, cards=parse_cards("8xb200")))

    assert eight.cache_bytes == one.cache_bytes


def test_heads_that_cannot_be_split_are_refused():
    with pytest.raises(UserError, match="cannot be split over 3 cards"):
        plan_memory(find_blueprint("qwen3-8b"), PlanRequest(8192, cards=parse_cards("3xh100")))


@pytest.mark.parametrize(
    ("request_", "says"),
    [
        (PlanRequest(0), "1 or more"),
        (PlanRequest(1, 0), "1 or more"),
        (PlanRequest(1, engine="ollama"), "no engine 'ollama'"),
        (PlanRequest(1, types=CacheTypes("int3")), "no cache type 'int3'"),
    ],
)
def test_what_cannot_be_planned_is_refused(request_, says):
    with pytest.raises(UserError, match=says):
        plan_memory(find_blueprint("qwen3-8b"), request_)
