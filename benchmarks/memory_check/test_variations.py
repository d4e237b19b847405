"""Fields left out or null, and biases switched: what a plan does not refuse, it counts as transformers does."""

import json
import subprocess
from pathlib import Path

import pytest

from modicum.calls import UserError
from modicum.energy.memory.catalogue import read_blueprint

ROOT = Path(__file__).resolve().parents[2]
MODELS = json.loads((ROOT / "tests/energy/memory/small_models.json").read_text())
SWITCHES = (
    "add_bias_linear",
    "conv_bias",
    "qkv_bias",
    "tie_embedding",
    "use_conv_bias",
    "use_qk_norm",
    "use_shared_attention_adapter",
    "attention_bias",
    "mlp_bias",
    "tie_word_embeddings",
    "mamba_conv_bias",
    "mamba_proj_bias",
    "projectors_bias",
    "use_bias",
)


def variations():
    for name, config in MODELS.items():
        for field in config.keys() - {"model_type"}:
            yield f"{name} without {field}", {key: value for key, value in config.items() if key != field}
            yield f"{name} {field} null", config | {field: None}
        for field in SWITCHES:
            for value in (False, True):
                yield f"{name} {field} {value}", config | {field: value}
        if "text_config" in config:
            inner = config["text_config"]
            for field in inner:
                less = {key: value for key, value in inner.items() if key != field}
                yield f"{name} text without {field}", config | {"text_config": less}
                yield f"{name} text {field} null", config | {"text_config": inner | {field: None}}


@pytest.fixture(scope="module")
def truth():
    """Counts of weights, or nothing where transformers refuses as well."""
    done = subprocess.run(
        [ROOT / ".venv-memory/bin/python", Path(__file__).with_name("counts.py")],
        input=json.dumps(dict(variations())),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)


def test_what_is_not_refused_is_counted_as_transformers_does(truth):
    wrong, compared = {}, 0
    for name, config in variations():
        try:
            counted = read_blueprint(name, config).parameters.total
        except UserError:
            continue
        if truth[name] is not None:
            compared += 1
            if counted != truth[name]:
                wrong[name] = counted, truth[name]

    assert wrong == {}
    assert compared > 300
