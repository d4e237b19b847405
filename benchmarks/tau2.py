"""Result files of tau2-bench -> modicum's own JSONL and outcomes as CSV.

    python benchmarks/tau2.py airline__claude-sonnet-4-5.json.gz calls.jsonl outcomes.csv

A simulation is a task; it passed if its reward is 1. One that broke off without a reward has failed: that is how the
leaderboard counts. Calls are those of the agent; the simulated user belongs to the test and not to what is tested, so
it is left out unless `with_user` is asked for, and is then the agent `user_simulator`.

Usage is taken from the provider's own record where the file kept it (cached tokens, the model that really answered:
one file names an Opus and was mostly run on another model), else from the two sums of the benchmark. A message without
either is a call of unknown usage, never of 0 tokens. Opening lines that no model wrote are no calls.

The two sums leave out how much of the prompt was cached, but the cost that the benchmark wrote beside them does not: it
was computed with the cached rate. Where that cost gives a count of cached tokens that fits the provider's steps of 128,
it is taken, and the input is marked `estimated`; else nothing is taken for cached, and it is marked so as well.
"""

import csv
import gzip
import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

COLUMNS = ("task", "name", "value", "time", "id", "source")
NAME = "passed"
# Dollars per million tokens that the benchmark reckoned with: input, cached input, output (LiteLLM's list).
RATES = {"gpt-4.1": (2.0, 0.5, 8.0), "azure/gpt-4o-2024-11-20": (2.75, 1.25, 11.0)}
CACHE_STEP = 128
PROVIDERS = {"claude": "anthropic", "deepseek": "deepseek", "gpt": "openai"}


def results(path: Path) -> dict:
    with gzip.open(path, "rt", encoding="utf-8") as text:
        return json.load(text)


def stem(path: Path) -> str:
    return path.name.removesuffix(".json.gz")


def task_of(path: Path, simulation: dict) -> str:
    return f"tau2/{stem(path)}/{simulation['task_id']}/{simulation.get('trial', 0)}"


def calls(path: Path, document: dict, *, with_user: bool = False) -> Iterator[dict]:
    info = document.get("info") or {}
    named = {
        "assistant": (info.get("agent_info") or {}).get("llm") or document.get("model") or "",
        "user": (info.get("user_info") or {}).get("llm") or "",
    }
    for simulation in document["simulations"]:
        for place, message in enumerate(simulation["messages"]):
            role = message["role"]
            if role not in named or (role == "user" and not with_user) or is_opening(place, message):
                continue
            yield call(path, simulation, place, message, named[role])


def is_opening(place: int, message: dict) -> bool:
    """The agent's first line is fixed by the benchmark."""
    return place == 0 and message["role"] == "assistant" and not message.get("usage")


def call(path: Path, simulation: dict, place: int, message: dict, named: str) -> dict:
    raw = message.get("raw_data") or {}
    model = raw.get("model") or named
    finished = datetime.fromisoformat(message["timestamp"]).replace(tzinfo=UTC)
    started = finished - timedelta(seconds=message.get("generation_time_seconds") or 0)
    usage, basis = buckets(message, raw, model)
    line = {
        "modicum": 1,
        "call_id": f"tau2:{simulation['id']}:{place}",
        "source": "tau2",
        "provider": "" if "/" in model else next((p for name, p in PROVIDERS.items() if model.startswith(name)), ""),
        "model": model,
        "started": started.isoformat(),
        "finished": finished.isoformat(),
        "task": task_of(path, simulation),
        "agent": "user_simulator" if message["role"] == "user" else "",
        "project": stem(path),
    }
    output_basis = "unknown" if basis == "unknown" else "exact"
    return line | ({"usage": usage} if usage else {}) | {"usage_basis": basis, "output_basis": output_basis}


def buckets(message: dict, raw: dict, model: str) -> tuple[dict | None, str]:
    """The usage, and how its input is known."""
    usage = message.get("usage")
    own = raw.get("usage") or {}
    if not usage and not own:
        return None, "unknown"
    if "input_tokens" in own:  # Anthropic's own record: its input excludes what was cached
        return {
            "input_uncached": own["input_tokens"],
            "cache_read": own.get("cache_read_input_tokens") or 0,
            "cache_write_5m": own.get("cache_creation_input_tokens") or 0,
            "output_visible": own["output_tokens"],
        }, "exact"
    prompt, completion = usage["prompt_tokens"], usage["completion_tokens"]
    if not own:
        cached = cached_by_cost(prompt, completion, message.get("cost"), model) or 0
        return {"input_uncached": prompt - cached, "cache_read": cached, "output_visible": completion}, "estimated"
    cached = (own.get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    # OpenAI's shape counts cached tokens within the prompt. Some relays in front of Claude leave them out of it: then
    # more is cached than there is prompt.
    uncached = prompt - cached if cached <= prompt else prompt
    return {"input_uncached": uncached, "cache_read": cached, "output_visible": completion}, "exact"


def cached_by_cost(prompt: int, completion: int, cost: float | None, model: str) -> int | None:
    """The cached tokens that the written cost implies; None where it implies no possible count."""
    if model not in RATES or not cost:
        return None
    fresh, cached, output = RATES[model]
    implied = (prompt * fresh + completion * output - cost * 1e6) / (fresh - cached)
    count = round(implied)
    fits = abs(implied - count) < 0.01 and count % CACHE_STEP == 0 and 0 <= count <= prompt
    return count if fits else None


def outcomes(path: Path, document: dict) -> Iterator[tuple[str, str, float, str, str, str]]:
    for simulation in document["simulations"]:
        reward = (simulation.get("reward_info") or {}).get("reward") or 0.0
        passed = 1.0 if reward > 1 - 1e-6 else 0.0
        at = simulation.get("end_time") or simulation["timestamp"]
        yield task_of(path, simulation), NAME, passed, at, f"tau2:{simulation['id']}", "tau2"


if __name__ == "__main__":
    source, to_calls, to_outcomes = map(Path, sys.argv[1:4])
    told = results(source)
    to_calls.write_text("".join(f"{json.dumps(line)}\n" for line in calls(source, told)), encoding="utf-8")
    with to_outcomes.open("w", encoding="utf-8") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(outcomes(source, told))
