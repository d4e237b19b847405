"""On a GPU: joules per token over batches, and memory at long context against the plan. Random weights, no downloads.

Models are built from the shipped fields of Granite 4.0 (hybrid and dense) with random weights: energy and memory do not
depend on what the weights are, speed of experts only on how evenly they are chosen. The engine is transformers with its
plain kernels, so that figures are comparable among these models and are not those of a serving program; for that, start
a server and run `modicum energy bench`. Tried with `--device cpu --small`; needs torch, transformers, nvidia-ml-py.
"""

import argparse
import json
import sys
import time
import warnings
from pathlib import Path

warnings.filterwarnings("ignore")

import torch  # noqa: E402 - after the filter: importing it warns
import transformers  # noqa: E402

from modicum.energy.counter_curve import CounterCurve  # noqa: E402
from modicum.energy.memory.catalogue import catalogue, read_blueprint  # noqa: E402
from modicum.energy.memory.plan import PlanRequest, plan_memory  # noqa: E402
from modicum.energy.meters import nvml  # noqa: E402

SMALL = Path(__file__).resolve().parent.parent / "tests/energy/memory/small_models.json"
NO_FIELD = {"source", "torch_dtype", "dtype", "quantization_config"}
CHUNK = 2048


def build(config, device):
    fields = {key: value for key, value in config.items() if key not in NO_FIELD}
    made = transformers.CONFIG_MAPPING[fields.pop("model_type")](**fields)
    with torch.device(device):
        return transformers.AutoModelForCausalLM.from_config(made, dtype=torch.bfloat16).eval()


def fill(model, vocab, batch, context, device):
    """A cache with `context` tokens of each of `batch` sequences, filled in chunks."""
    cache = None
    for start in range(0, context, CHUNK):
        tokens = torch.randint(1, vocab, (batch, min(CHUNK, context - start)), device=device)
        cache = model(tokens, past_key_values=cache, use_cache=True, logits_to_keep=1).past_key_values
    return cache


def stored(cache):
    """Bytes of the cache's tensors, as `truth.py` counts them."""
    sys.path.insert(0, str(Path(__file__).resolve().parent / "memory_check"))
    from truth import stored_bytes, tensors_of

    return stored_bytes(tensors_of(cache, set(), []))


def sync(device):
    if device == "cuda":
        torch.cuda.synchronize()


def decode(model, vocab, batch, options, meter):
    """Decoding steps for some seconds at one batch; joules between two readings on edges of the counter."""
    cache = fill(model, vocab, batch, options.prompt, options.device)
    token = torch.randint(1, vocab, (batch, 1), device=options.device)
    readings = list(meter.read()) if meter else []
    sync(options.device)
    start, steps = time.monotonic(), 0
    while time.monotonic() - start < options.seconds:
        out = model(token, past_key_values=cache, use_cache=True)
        cache, token = out.past_key_values, out.logits[:, -1:].argmax(-1)
        steps += 1
        if meter and steps % 16 == 0:
            readings += meter.read()
    sync(options.device)
    end = time.monotonic()
    readings += meter.read() if meter else ()
    joules = joules_in(readings, start, end)
    tokens = steps * batch
    return {
        "batch": batch,
        "steps": steps,
        "seconds": end - start,
        "tokens_per_second": tokens / (end - start),
        "joules": joules,
        "joules_per_generated_token": joules / tokens if joules is not None else None,
        "mean_watts": joules / (end - start) if joules is not None else None,
        "slowed_by": sorted({word for reading in readings for word in reading.slowed_by}),
    }


def joules_in(readings, start, end):
    gpus = sorted({reading.gpu for reading in readings})
    parts = [CounterCurve([r for r in readings if r.gpu == gpu]).joules_between(start, end) for gpu in gpus]
    return sum(parts) if parts and None not in parts else None


def memory(model, config, options):
    """Bytes of the cache and of the allocator at a long context, beside the plan."""
    vocab, found = config["vocab_size"], []
    for batch in options.memory_batches:
        before = torch.cuda.memory_allocated() if options.device == "cuda" else None
        cache = fill(model, vocab, batch, options.context, options.device)
        plan = plan_memory(
            read_blueprint("model", config), PlanRequest(options.context, batch, engine="transformers", weights="bf16")
        )
        found.append(
            {
                "context": options.context,
                "batch": batch,
                "cache_bytes": stored(cache),
                "planned_cache_bytes": plan.cache_bytes,
                "allocated_bytes": None if before is None else torch.cuda.memory_allocated() - before,
                "weight_bytes": sum(p.numel() * p.element_size() for p in model.parameters()),
                "planned_weight_bytes": plan.weights_bytes,
            }
        )
        del cache
    return found


def numbers(text):
    return [int(part) for part in text.split(",")]


def arguments():
    asked = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    asked.add_argument("--models", default="granite-4.0-h-tiny,granite-4.0-h-micro,granite-4.0-micro")
    asked.add_argument("--batches", type=numbers, default=[1, 4, 16, 64])
    asked.add_argument("--memory-batches", type=numbers, default=[1, 4])
    asked.add_argument("--context", type=int, default=32_768)
    asked.add_argument("--prompt", type=int, default=512)
    asked.add_argument("--seconds", type=float, default=15.0)
    asked.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    asked.add_argument("--small", action="store_true", help="Tiny models of the tests: tries the script out.")
    asked.add_argument("--out", type=Path)
    return asked.parse_args()


def main():
    options = arguments()
    if options.device == "cuda" and not torch.cuda.is_available():
        print("no CUDA device is here; --device cpu --small tries the script out", file=sys.stderr)
        return 1
    meter = nvml.NvmlMeter(nvml.library()) if options.device == "cuda" else None
    known = json.loads(SMALL.read_text()) if options.small else catalogue().models
    names = ["granite-4.0-hybrid-moe", "granite-4.0-dense"] if options.small else options.models.split(",")
    results = {}
    torch.manual_seed(0)
    with torch.no_grad():
        for name in names:
            config = known[name]
            model = build(config, options.device)
            points = [decode(model, config["vocab_size"], batch, options, meter) for batch in options.batches]
            results[name] = {"decode": points, "memory": memory(model, config, options)}
            print(json.dumps({name: results[name]}), flush=True)
            del model
            if options.device == "cuda":
                torch.cuda.empty_cache()
    document = {
        "machine": torch.cuda.get_device_name() if options.device == "cuda" else "cpu",
        "made_with": f"transformers {transformers.__version__}, torch {torch.__version__}",
        "prompt_tokens": options.prompt,
        "results": results,
    }
    if options.out:
        options.out.write_text(json.dumps(document, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
