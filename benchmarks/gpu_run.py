"""On a GPU: joules per token over batches, and memory at long context against the plan. Random weights, no downloads.

Models are built from the shipped fields of Granite 4.0 (hybrid and dense) with random weights: energy and memory do not
depend on what the weights are, speed of experts only on how evenly they are chosen (every step takes random tokens).
The engine is transformers with its plain kernels, so that figures are comparable among these models and are not those
of a serving program; for that, start a server and run `modicum energy bench`.

Every measured point is written at once. A run that was stopped, or ran out of `--minutes`, goes on where it was: run
the same command again. Tried with `--device cpu --small`; needs torch, transformers, nvidia-ml-py, numpy, msgspec.
"""

import argparse
import json
import os
import sys
import threading
import time
import warnings
from datetime import UTC, datetime
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"  # kernels of a hub would be another engine, and need a network
warnings.filterwarnings("ignore")

import torch  # noqa: E402 - after the filter: importing it warns
import transformers  # noqa: E402

from modicum.energy.counter_curve import CounterCurve  # noqa: E402
from modicum.energy.memory.catalogue import load_catalogue, read_blueprint  # noqa: E402
from modicum.energy.memory.memory_plan import PlanRequest, plan_memory  # noqa: E402
from modicum.energy.meters import nvml  # noqa: E402

SMALL = Path(__file__).resolve().parent.parent / "tests/energy/memory/small_models.json"
NO_FIELD = {"source", "torch_dtype", "dtype", "quantization_config"}
FORMAT = "modicum-gpu-run-1"
TOKENS_AT_ONCE = 2048
READ_EVERY_S = 2.0
UNFINISHED = 3


class Results:
    """What has been measured, on disk after every point. `points` are known by model, kind, context and batch."""

    def __init__(self, path, head):
        self.path, self.document = path, {"format": FORMAT, **head, "points": []}
        if path is not None and path.exists():
            kept = json.loads(path.read_text())
            differs = [key for key in ("format", *head) if key != "started" and kept.get(key) != self.document[key]]
            if differs:
                sys.exit(f"{path} is of another run ({', '.join(differs)} differ); name another file with --out")
            self.document = kept

    def has(self, point):
        return any(all(known.get(key) == value for key, value in point.items()) for known in self.document["points"])

    def add(self, point):
        self.document["points"].append(point)
        print(json.dumps(point), flush=True)
        if self.path is not None:
            fresh = self.path.with_suffix(".new")
            fresh.write_text(json.dumps(self.document, indent=1) + "\n")
            fresh.replace(self.path)


class Readings:
    """Reads the GPU on a thread of its own while a model works: waiting for a counter's edge must not hold it up."""

    def __init__(self, meter):
        self.meter, self.found, self._stop = meter, [], threading.Event()
        self._thread = threading.Thread(target=self._read)

    def _read(self):
        while not self._stop.wait(READ_EVERY_S):
            self.found += self.meter.read()

    def __enter__(self):
        if self.meter:
            self.found += self.meter.read()
            self._thread.start()
        return self

    def __exit__(self, *_):
        if self.meter:
            self._stop.set()
            self._thread.join()
            self.found += self.meter.read()

    def joules(self, start, end):
        gpus = sorted({reading.gpu for reading in self.found})
        parts = [CounterCurve([r for r in self.found if r.gpu == gpu]).joules_between(start, end) for gpu in gpus]
        return sum(parts) if parts and None not in parts else None


def build(config, device):
    fields = {key: value for key, value in config.items() if key not in NO_FIELD}
    made = transformers.CONFIG_MAPPING[fields.pop("model_type")](**fields)
    with torch.device(device):
        return transformers.AutoModelForCausalLM.from_config(made, dtype=torch.bfloat16).eval()


def fill(model, vocab, batch, context, device):
    """A cache with `context` tokens of each of `batch` sequences, filled in chunks."""
    cache, chunk = None, max(16, TOKENS_AT_ONCE // batch)
    for start in range(0, context, chunk):
        tokens = torch.randint(1, vocab, (batch, min(chunk, context - start)), device=device)
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
    for _ in range(3):  # the first steps choose kernels
        model(random_tokens(vocab, batch, options.device), past_key_values=cache, use_cache=True)
    sync(options.device)
    steps = 0
    with Readings(meter) as readings:
        start = time.monotonic()
        while time.monotonic() - start < options.seconds:
            model(random_tokens(vocab, batch, options.device), past_key_values=cache, use_cache=True)
            steps += 1
            if steps % 8 == 0:
                sync(options.device)  # or the clock would run ahead of the work by seconds
        sync(options.device)
        end = time.monotonic()
    joules, tokens = readings.joules(start, end), steps * batch
    return {
        "steps": steps,
        "seconds": end - start,
        "tokens_per_second": tokens / (end - start),
        "joules": joules,
        "joules_per_generated_token": joules / tokens if joules is not None else None,
        "mean_watts": joules / (end - start) if joules is not None else None,
        "slowed_by": sorted({word for reading in readings.found for word in reading.slowed_by}),
    }


def random_tokens(vocab, batch, device):
    return torch.randint(1, vocab, (batch, 1), device=device)


def memory(model, config, batch, options):
    """Bytes of the cache and of the allocator at a long context, beside the plan."""
    before = torch.cuda.memory_allocated() if options.device == "cuda" else None
    cache = fill(model, config["vocab_size"], batch, options.context, options.device)
    plan = plan_memory(
        read_blueprint("model", config), PlanRequest(options.context, batch, engine="transformers", weights="bf16")
    )
    return {
        "cache_bytes": stored(cache),
        "planned_cache_bytes": plan.cache_bytes,
        "allocated_bytes": None if before is None else torch.cuda.memory_allocated() - before,
        "weight_bytes": sum(p.numel() * p.element_size() for p in model.parameters()),
        "planned_weight_bytes": plan.weights_bytes,
    }


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
    asked.add_argument("--minutes", type=float, default=9.0, help="No new point begins after so long.")
    asked.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    asked.add_argument("--small", action="store_true", help="Tiny models of the tests: tries the script out.")
    asked.add_argument("--out", type=Path)
    return asked.parse_args()


def machine(options):
    if options.device == "cpu":
        return "cpu"
    size = torch.cuda.get_device_properties(0).total_memory / 1024**3
    return f"{torch.cuda.get_device_name()}, {size:.0f} GiB"


def wanted(name, options):
    """Every point of a model: what it is, and how it is measured."""
    for batch in options.batches:
        yield {"model": name, "kind": "decode", "context": options.prompt, "batch": batch}
    for batch in options.memory_batches:
        yield {"model": name, "kind": "memory", "context": options.context, "batch": batch}


def measured(model, config, point, options, meter):
    """A point with its figures; one that does not fit says so."""
    try:
        if point["kind"] == "decode":
            figures = decode(model, config["vocab_size"], point["batch"], options, meter)
        else:
            figures = memory(model, config, point["batch"], options)
    except torch.OutOfMemoryError:
        figures = {"error": "out of memory"}
    if options.device == "cuda":
        torch.cuda.empty_cache()
    return point | figures | {"at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"}


def main():
    options = arguments()
    if options.device == "cuda" and not torch.cuda.is_available():
        print("no CUDA device is here; --device cpu --small tries the script out", file=sys.stderr)
        return 1
    give_up = time.monotonic() + 60 * options.minutes
    meter = nvml.NvmlMeter(nvml.library(), [0]) if options.device == "cuda" else None
    known = json.loads(SMALL.read_text()) if options.small else load_catalogue().models
    names = ["granite-4.0-hybrid-moe", "granite-4.0-dense"] if options.small else options.models.split(",")
    head = {
        "machine": machine(options),
        "made_with": f"transformers {transformers.__version__}, torch {torch.__version__}",
        "seconds_a_point": options.seconds,
        "power_limit_watts": meter.facts()[0].power_limit_watts if meter else None,
        "started": f"{datetime.now(UTC):%Y-%m-%d}",
    }
    results = Results(options.out, head)
    torch.manual_seed(0)
    with torch.no_grad():
        for name in names:
            missing = [point for point in wanted(name, options) if not results.has(point)]
            if not missing:
                continue
            if time.monotonic() > give_up:
                break
            model = build(known[name], options.device)
            for point in missing:
                if time.monotonic() < give_up:
                    results.add(measured(model, known[name], point, options, meter))
            del model
            if options.device == "cuda":
                torch.cuda.empty_cache()
    left = sum(not results.has(point) for name in names for point in wanted(name, options))
    if left:
        print(f"{left} points are left: run the same command again", file=sys.stderr)
    return UNFINISHED if left else 0


if __name__ == "__main__":
    sys.exit(main())
