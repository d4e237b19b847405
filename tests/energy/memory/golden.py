"""Small models of every family, and what transformers holds for each, kept from a run of scripts/memory-check."""

import json
from pathlib import Path

from modicum.energy.memory import PlanRequest, plan_memory
from modicum.energy.memory.catalogue import read_blueprint

HERE = Path(__file__).parent
SMALL = json.loads((HERE / "small_models.json").read_text())
GOLDEN = json.loads((HERE / "transformers_golden.json").read_text())


def models_of(*model_types):
    """Names of the small models of these types; at least one of each."""
    names = [name for name, config in SMALL.items() if config["model_type"] in model_types]
    assert {SMALL[name]["model_type"] for name in names} == set(model_types)
    return names


def planned(name):
    """Parameters, bytes of weights, bytes of cache, as a plan has them."""
    request = PlanRequest(GOLDEN["tokens"], GOLDEN["sequences"], engine="transformers", weights="bf16")
    plan = plan_memory(read_blueprint(name, SMALL[name]), request)
    return plan.parameters, plan.weights_bytes, plan.cache_bytes


def held(name):
    """The same, as transformers allocates it."""
    held = GOLDEN["models"][name]
    return held["parameters"], held["weight_bytes"], held["cache_bytes"]
