"""Counts of weights of the configs on standard input, as transformers builds them, without their memory."""

import json
import os
import sys
import warnings

os.environ["HF_HUB_OFFLINE"] = "1"
warnings.filterwarnings("ignore")

import torch  # noqa: E402 - after the filter: importing it warns
import transformers  # noqa: E402

transformers.logging.set_verbosity_error()


def count(config):
    """None where transformers does not take the config."""
    fields = dict(config)
    try:
        made = transformers.CONFIG_MAPPING[fields.pop("model_type")](**fields)
        with torch.device("meta"):
            model = transformers.AutoModelForCausalLM.from_config(made, dtype=torch.bfloat16)
    except Exception:  # noqa: BLE001 - foreign code says no in many ways
        return None
    return sum(tensor.numel() for tensor in model.parameters())


print(json.dumps({name: count(config) for name, config in json.loads(sys.stdin.read()).items()}))
