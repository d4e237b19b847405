"""Figures that serving programs print themselves, recorded by their users."""

import pytest

from modicum.calls import UserError
from modicum.energy.memory.blueprint import Blueprint, KeyValue, Latent, Parameters, Recurrence
from modicum.energy.memory.catalogue import find_blueprint
from modicum.energy.memory.engines import CacheTypes, Shard, find_engine

MIB = 1024**2
GEMMA_3_4B = Blueprint(
    "gemma-3-4b", "gemma3_text", 2560, 262_208, 10_240, Parameters(1),
    tuple(KeyValue(4, 256, 256, None if (layer + 1) % 6 == 0 else 1024) for layer in range(34)),
)  # fmt: skip


def held(engine, blueprint, context, **types):
    return find_engine(engine)(blueprint, Shard(context, CacheTypes(**types)))


def test_llamacpp_prints_16384_mib_and_four_states_of_149_mib_for_a_27b_hybrid():
    found = held("llamacpp", find_blueprint("qwen3.5-27b"), 262_144, kv="fp16")

    assert found.growing_bytes == 16_384 * MIB
    assert 4 * found.fixed_bytes == 598.5 * MIB


def test_llamacpp_prints_2560_and_174_mib_for_gemma_3_4b():
    assert held("llamacpp", GEMMA_3_4B, 131_072, kv="fp16").growing_bytes == (2560 + 174) * MIB


def test_vllm_prints_78384_tokens_in_5_38_gib_for_gpt_oss_120b():
    found = held("vllm", find_blueprint("gpt-oss-120b"), 78_384)

    assert found.reserved_bytes == 78_384 * 73_728
    assert round(found.reserved_bytes / 1024**3, 2) == 5.38
    assert found.growing_bytes < found.reserved_bytes


@pytest.mark.parametrize(("state", "block", "fixed_mib"), [("bf16", 528, 74.25), ("fp32", 1040, 146.25)])
def test_vllm_grows_the_block_of_a_hybrid_until_it_holds_a_state(state, block, fixed_mib):
    blueprint = find_blueprint("granite-4.0-h-small")
    one, two = (held("vllm", blueprint, context, state=state).growing_bytes for context in (block, block + 1))

    assert two == 2 * one
    assert held("vllm", blueprint, 1, state=state).fixed_bytes == fixed_mib * MIB


def test_vllm_takes_the_state_type_of_the_config():
    asks_for_fp32 = find_blueprint("qwen3.5-27b")

    assert held("vllm", asks_for_fp32, 1) == held("vllm", asks_for_fp32, 1, state="fp32")


def test_vllm_holds_nothing_but_states_where_there_is_no_attention():
    blueprint = find_blueprint("mamba-2.8b")
    found, longer = (held("vllm", blueprint, context, state="fp32") for context in (100, 1000))

    assert found == longer
    assert found.fixed_bytes == 64 * (5120 * 16 * 4 + 5120 * 3 * 2)


def test_a_mix_whose_paging_is_not_known_is_refused():
    odd = Blueprint("odd", "odd", 8, 8, 8, Parameters(1), (Latent(576), Recurrence("mamba-2", 8, 64, 16, 4)))

    with pytest.raises(UserError, match="--engine needed"):
        held("vllm", odd, 128)


def test_a_window_stops_growing():
    assert held("needed", GEMMA_3_4B, 1024).growing_bytes * 2 > held("needed", GEMMA_3_4B, 2048).growing_bytes
    assert held("transformers", GEMMA_3_4B, 5000).growing_bytes < held("needed", GEMMA_3_4B, 5000).growing_bytes


def test_an_eight_bit_cache_is_half_as_large():
    model = find_blueprint("llama-3.1-8b")

    assert held("needed", model, 4096, kv="fp8").growing_bytes * 2 == held("needed", model, 4096).growing_bytes
    assert held("needed", model, 4096, kv="q8_0").growing_bytes == 4096 * 64 * 1024 * 17 // 16
