"""Builds small models with transformers and prints the bytes that they really hold.

Runs in an environment of its own (`scripts/memory-check`): torch and transformers are no part of modicum. Weights are
random; nothing is fetched.
"""

import json
import sys
import warnings
from pathlib import Path
from typing import Any

warnings.filterwarnings("ignore")

import torch  # noqa: E402 - after the filter: importing it warns
import transformers  # noqa: E402

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


def truth(config: dict[str, Any]) -> dict[str, int]:
    torch.manual_seed(0)
    fields = dict(config)
    made = transformers.CONFIG_MAPPING[fields.pop("model_type")](**fields)
    model = transformers.AutoModelForCausalLM.from_config(made, dtype=torch.bfloat16)
    model.eval()
    with torch.no_grad():
        out = model(torch.randint(1, config["vocab_size"], (SEQUENCES, TOKENS)), use_cache=True)
    return {
        "parameters": sum(tensor.numel() for tensor in model.parameters()),
        "weight_bytes": sum(tensor.numel() * tensor.element_size() for tensor in model.parameters()),
        "cache_bytes": stored_bytes(tensors_of(out.past_key_values, set(), [])),
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
