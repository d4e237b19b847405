"""Memory plans against what transformers holds: weights and cache, byte for byte. Run by `scripts/memory-check`."""

import json
import random
import subprocess
from pathlib import Path

import pytest

from modicum.energy.memory.catalogue import read_blueprint
from modicum.energy.memory.memory_plan import PlanRequest, plan_memory

ROOT = Path(__file__).resolve().parents[2]
MODELS = json.loads((ROOT / "tests/energy/memory/small_models.json").read_text())
GOLDEN = ROOT / "tests/energy/memory/transformers_golden.json"


WIDTHS = (
    "intermediate_size",
    "intermediate_size_mlp",
    "moe_intermediate_size",
    "shared_intermediate_size",
    "shared_expert_intermediate_size",
    "block_ff_dim",
    "kv_lora_rank",
    "adapter_rank",
    "laurel_rank",
    "vocab_size_per_layer_input",
)
WINDOWS = ("sliding_window", "attention_chunk_size")
PATTERNS = {
    "layer_types",
    "layers_block_type",
    "hybrid_override_pattern",
    "attn_layer_indices",
    "attn_layer_period",
    "no_rope_layers",
}


def varied(config, seed):
    """The same architecture with other sizes: widths, heads, windows, and depth where no pattern fixes it."""
    if "text_config" in config:
        return config | {"text_config": varied(config["text_config"], seed)}
    rng = random.Random(seed)
    changed = dict(config) | {field: 512 for field in config if field == "vocab_size"}
    changed |= {field: config[field] + 16 * rng.randint(1, 4) for field in WIDTHS if field in config}
    changed |= {field: rng.choice([32, 96, 400]) for field in WINDOWS if config.get(field)}
    if "head_dim" in config and config.get("model_type") != "minimax_m2":
        changed["head_dim"] = config["head_dim"] * rng.choice([1, 2])
    if not PATTERNS & set(config):
        period = config.get("full_attention_interval") or config.get("sliding_window_pattern") or 1
        changed["num_hidden_layers"] = config["num_hidden_layers"] + rng.choice([1, 2]) * period
    if "tie_word_embeddings" in config and config.get("model_type") != "zamba2":
        changed["tie_word_embeddings"] = rng.random() < 0.5
    return changed


def held(configs):
    """What transformers holds, from its own environment."""
    done = subprocess.run(
        [ROOT / ".venv-memory/bin/python", Path(__file__).with_name("truth.py"), "-"],
        input=json.dumps(configs),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def configs():
    return {**MODELS, **{f"{name}, varied {n}": varied(MODELS[name], n) for name in MODELS for n in (1, 2)}}


@pytest.fixture(scope="module")
def truth(configs):
    return held(configs)


@pytest.mark.parametrize("variant", ["", ", varied 1", ", varied 2"])
@pytest.mark.parametrize("name", MODELS)
def test_a_plan_is_equal_to_the_byte(name, variant, configs, truth):
    found = truth["models"][name + variant]

    plan = plan_memory(
        read_blueprint(name, configs[name + variant]),
        PlanRequest(truth["tokens"], truth["sequences"], engine="transformers", weights="bf16"),
    )

    assert plan.parameters == found["parameters"]
    assert plan.weights_bytes == found["weight_bytes"]
    assert plan.cache_bytes == found["cache_bytes"]


def test_the_recorded_figures_are_still_those_of_transformers(truth):
    recorded = json.loads(GOLDEN.read_text())["models"]

    assert {name: truth["models"][name] for name in MODELS} == recorded
