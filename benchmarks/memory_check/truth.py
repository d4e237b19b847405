"""Builds small models with transformers and prints the bytes that they really hold.

Runs in an environment of its own (`scripts/memory-check`): torch and transformers are no part of modicum. Weights are
random; nothing is fetched.
"""

import json
import re
import sys
import warnings
from pathlib import Path
from typing import Any

warnings.filterwarnings("ignore")

import torch  # noqa: E402 - after the filter: importing it warns
import transformers  # noqa: E402

torch.set_num_threads(1)  # the models are tiny: threads wait for each other longer than they compute
transformers.logging.set_verbosity_error()

MODELS = Path(__file__).resolve().parents[2] / "tests/energy/memory/small_models.json"
TOKENS = 301
"""More than any sliding window of the small models, and no multiple of a block."""
SEQUENCES = 2


def tensors_of(thing: Any, seen: set[int], found: list[torch.Tensor]) -> list[torch.Tensor]:
    """Every tensor that a cache object reaches, each once."""
    if id(thing) in seen:
        return found
    seen.add(id(thing))
    if isinstance(thing, torch.Tensor):
        found.append(thing)
    elif isinstance(thing, dict):
        for part in thing.values():
            tensors_of(part, seen, found)
    elif isinstance(thing, list | tuple):
        for part in thing:
            tensors_of(part, seen, found)
    elif type(thing).__module__.startswith("transformers.cache_utils"):
        tensors_of(vars(thing), seen, found)
    return found


def stored_bytes(tensors: list[torch.Tensor]) -> int:
    """Bytes of the elements that are held; a marker of one number (a window's length) is no cache."""
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors if tensor.dim() > 1)


READ_AS = {"kimi_k2": "deepseek_v3"}
"""Types with code of their own beside the library: the class as which transformers loads them."""
OTHER_SENSES = re.compile(r"vision|audio|projector")


def build(config: dict[str, Any], device: str) -> Any:
    """A model of random weights; a multimodal one where the config holds a text part."""
    fields = dict(config)
    kind = fields.pop("model_type")
    made = transformers.CONFIG_MAPPING[READ_AS.get(kind, kind)](**fields)
    parts = "text_config" in config
    made_by = transformers.AutoModelForImageTextToText if parts else transformers.AutoModelForCausalLM
    with torch.device(device):
        return made_by.from_config(made, dtype=torch.bfloat16)


def language_weights(model: Any) -> list[torch.Tensor]:
    """The weights of the language model; those that are shared count once."""
    return [tensor for name, tensor in model.named_parameters() if not OTHER_SENSES.search(name)]


def truth(config: dict[str, Any]) -> dict[str, int]:
    torch.manual_seed(0)
    model = build(config, "cpu")
    model.eval()
    vocab = config.get("text_config", config)["vocab_size"]
    with torch.no_grad():
        out = model(input_ids=torch.randint(1, vocab, (SEQUENCES, TOKENS)), use_cache=True)
    weights = language_weights(model)
    return {
        "parameters": sum(tensor.numel() for tensor in weights),
        "weight_bytes": sum(tensor.numel() * tensor.element_size() for tensor in weights),
        # Mamba's output has another name for the same kind of object.
        "cache_bytes": stored_bytes(tensors_of(getattr(out, "past_key_values", None) or out.cache_params, set(), [])),
    }


def main() -> None:
    configs = json.loads(sys.stdin.read() if "-" in sys.argv[1:] else MODELS.read_text())
    print(
        json.dumps(
            {
                "made_with": f"transformers {transformers.__version__}, torch {torch.__version__}",
                "tokens": TOKENS,
                "sequences": SEQUENCES,
                "models": {name: truth(configs[name]) for name in configs},
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
