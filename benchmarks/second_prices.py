"""A second source of list prices: what LiteLLM's table says, in our words, and where the two differ.

The table lies in LiteLLM's wheel, which is too heavy to be a dependency of the tests. So its facts are kept in a file:

    benchmarks/second_prices.py --wheel litellm-1.106.2-py3-none-any.whl --write tests/metering/second_prices.json

`--wheel` also takes the JSON file itself, gzipped or not, with `--version`. Without `--write`, differences are printed.
"""

import argparse
import gzip
import json
import re
import sys
import zipfile
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

TABLE = "litellm/model_prices_and_context_window_backup.json"
SELLERS = {
    "anthropic": "anthropic",
    "azure": "azure",
    "azure_ai": "azure",
    "bedrock": "aws",
    "bedrock_converse": "aws",
    "cerebras": "cerebras",
    "cohere_chat": "cohere",
    "deepseek": "deepseek",
    "gemini": "google",
    "groq": "groq",
    "minimax": "minimax",
    "mistral": "mistral",
    "moonshot": "moonshotai",
    "openai": "openai",
    "openrouter": "openrouter",
    "perplexity": "perplexity",
    "together_ai": "together",
    "fireworks_ai": "fireworks",
    "vertex_ai-anthropic_models": "google",
    "vertex_ai-language-models": "google",
    "vertex_ai": "google",
    "xai": "x-ai",
    "zai": "zai",
}
"""Our sellers by LiteLLM's names; others are not compared."""
ROUTES = ("azure_ai/", "azure/", "vertex_ai/", "gemini/", "bedrock_converse/", "xai/", "deepseek/", "mistral/", "groq/",
          "moonshot/", "zai/", "minimax/", "openrouter/", "perplexity/", "together_ai/", "fireworks_ai/", "cerebras/")
MODES = {"chat", "responses", "completion"}
BUCKETS = {
    "input_cost_per_token": "input_uncached",
    "output_cost_per_token": "output_visible",
    "cache_read_input_token_cost": "cache_read",
    "cache_creation_input_token_cost": "cache_write_5m",
    "cache_creation_input_token_cost_above_1hr": "cache_write_1h",
    "input_cost_per_audio_token": "input_audio",
    "output_cost_per_audio_token": "output_audio",
}
LANES = {"": "standard", "_batches": "batch", "_flex": "flex", "_priority": "priority"}
_KEY = re.compile(
    rf"({'|'.join(sorted(BUCKETS, key=len, reverse=True))})(?:_above_(\d+)k_tokens)?({'|'.join(LANES)})"
)
AT = datetime(2026, 11, 30, 12, tzinfo=UTC)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheel", type=Path, required=True)
    parser.add_argument("--version", default="")
    parser.add_argument("--write", type=Path)
    options = parser.parse_args()
    table, version = read_table(options.wheel, options.version)
    facts = {"source": f"LiteLLM {version}, {TABLE}", "at": AT.date().isoformat(), "models": list(make_facts(table))}
    if options.write:
        lines = ",\n".join(json.dumps(row, sort_keys=True) for row in facts["models"])
        head = json.dumps({"source": facts["source"], "at": facts["at"]})[:-1]
        options.write.write_text(f'{head}, "models": [\n{lines}\n]}}\n')
        print(f"{len(facts['models'])} models written to {options.write}")
        return
    for row in facts["models"]:
        for line in differences(row):
            print(row["seller"], row["model"], line, sep=" | ")


def read_table(path: Path, version: str) -> tuple[dict[str, Any], str]:
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            return json.loads(wheel.read(TABLE)), version or path.name.split("-")[1]
    content = path.read_bytes()
    return json.loads(gzip.decompress(content) if path.suffix == ".gz" else content), version or "?"


def make_facts(table: dict[str, Any]):
    for key, row in sorted(table.items()):
        seller = SELLERS.get(row.get("litellm_provider", ""))
        if seller is None or row.get("mode") not in MODES:
            continue
        name = next((key.removeprefix(route) for route in ROUTES if key.startswith(route)), key)
        rates: dict[str, dict[str, str]] = {}
        for field, usd in row.items():
            found = _KEY.fullmatch(field)
            if found is None or usd is None:
                continue
            bucket, above, lane = found.groups()
            column = f"{LANES[lane]}" + (f">{int(above) * 1000}" if above else "")
            rates.setdefault(column, {})[BUCKETS[bucket]] = per_million(usd)
        if "standard" in rates:
            yield {"seller": seller, "model": name, "rates": rates}


def per_million(usd: float) -> str:
    text = f"{(Decimal(repr(float(usd))) * 1_000_000).quantize(Decimal('1e-9')).normalize():f}"
    return text


def differences(row: dict[str, Any]) -> list[str]:
    """Empty: equal where both have a price."""
    from modicum.calls import Tier
    from modicum.metering.prices import PriceBook

    global _book
    _book = globals().get("_book") or PriceBook()
    out = []
    at = AT.replace(hour=2) if row["seller"] == "deepseek" else AT
    for column, rates in row["rates"].items():
        lane, _, above = column.partition(">")
        ours = _book.rates(row["seller"], row["model"], at, Tier(lane), int(above or 0) + bool(above))
        if ours is None:
            out.append(f"{column}: unpriced here")
            continue
        for bucket, usd in rates.items():
            if not hasattr(ours, bucket):
                continue
            our = getattr(ours, bucket) * 1_000_000
            if our != Decimal(usd) and not (bucket.startswith("cache_write") and Decimal(usd) == 0):
                out.append(f"{column}.{bucket}: here {our.normalize():f}, there {usd} ({ours.basis})")
    return out


if __name__ == "__main__":
    sys.exit(main())
