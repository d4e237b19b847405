"""A second source of list prices: what LiteLLM's table says, in our words, and where it differs from ours.

The table lies in LiteLLM's wheel, which is too heavy to be a dependency of the tests. So its facts are kept in a file:

    benchmarks/second_prices.py --wheel litellm-1.106.2-py3-none-any.whl --write tests/benchmarks/second_prices.json

`--wheel` also takes the JSON file itself, gzipped or not, with `--version`. Without `--write`, differences are printed.
"""

import argparse
import gzip
import json
import re
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from modicum.calls import Basis, Tier
from modicum.calls.rates import MILLION
from modicum.metering.prices import PriceBook

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
    "vertex_ai-anthropic_models": "google",
    "vertex_ai-language-models": "google",
    "vertex_ai": "google",
    "xai": "x-ai",
    "zai": "zai",
}
"""Our sellers by LiteLLM's names; others are not compared."""
ROUTES = ("azure_ai/", "azure/", "vertex_ai/", "gemini/", "bedrock_converse/", *(f"{name}/" for name in SELLERS))
REGION_FOLDER = re.compile(r"bedrock/")
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
_KEY = re.compile(rf"({'|'.join(sorted(BUCKETS, key=len, reverse=True))})(?:_above_(\d+)k_tokens)?({'|'.join(LANES)})")
FACTS = Path(__file__).parents[1] / "tests/benchmarks/second_prices.json"
AT = datetime(2026, 11, 30, 12, tzinfo=UTC)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheel", type=Path, help="the wheel, or the table itself")
    parser.add_argument("--version", default="", help="of the table, where the file's name does not say it")
    parser.add_argument("--write", type=Path, help="keep the facts in this file")
    parser.add_argument("--facts", type=Path, default=FACTS, help="facts that were kept")
    options = parser.parse_args()
    if options.wheel:
        table, version = read_table(options.wheel, options.version)
        facts = {
            "source": f"LiteLLM {version}, {TABLE}",
            "at": AT.date().isoformat(),
            "models": list(make_facts(table)),
        }
    else:
        facts = json.loads(options.facts.read_text())
    if options.write:
        lines = ",\n".join(json.dumps(row, sort_keys=True) for row in facts["models"])
        head = json.dumps({"source": facts["source"], "at": facts["at"]})[:-1]
        options.write.write_text(f'{head}, "models": [\n{lines}\n]}}\n')
        print(f"{len(facts['models'])} models written to {options.write}")
        return
    print_table(facts)


def read_table(path: Path, version: str) -> tuple[dict[str, Any], str]:
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            return json.loads(wheel.read(TABLE)), version or path.name.split("-")[1]
    content = path.read_bytes()
    return json.loads(gzip.decompress(content) if path.suffix == ".gz" else content), version or "?"


def make_facts(table: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A row for every model of the sellers that are compared: dollars per million tokens by lane, step and bucket."""
    for key, row in sorted(table.items()):
        seller = SELLERS.get(row.get("litellm_provider", ""))
        if seller is None or row.get("mode") not in MODES or REGION_FOLDER.match(key):
            continue
        name = next((key.removeprefix(route) for route in ROUTES if key.startswith(route)), key)
        rates: dict[str, dict[str, str]] = {}
        for field, usd in row.items():
            found = _KEY.fullmatch(field)
            if found is None or usd is None:
                continue
            bucket, above, lane = found.groups()
            column = LANES[lane or ""] + (f">{int(above) * 1000}" if above else "")
            rates.setdefault(column, {})[BUCKETS[bucket]] = per_million(usd)
        if "standard" in rates:
            yield {"seller": seller, "model": name, "rates": rates}


def per_million(usd: float) -> str:
    return f"{(Decimal(repr(float(usd))) * MILLION).quantize(Decimal('1e-9')).normalize():f}"


class Difference(NamedTuple):
    column: str
    """Lane, and the size above which a step begins."""
    bucket: str
    ours: Decimal | None
    """None: no price here."""
    theirs: Decimal
    basis: Basis


def find_differences(row: Mapping[str, Any], prices: PriceBook) -> list[Difference]:
    """Where the price of a model is not that of the second source, which has DeepSeek's at its peak."""
    at = AT.replace(hour=2) if row["seller"] == "deepseek" else AT
    found = []
    for column, rates in row["rates"].items():
        lane, _, above = column.partition(">")
        ours = prices.rates(row["seller"], row["model"], at, Tier(lane), int(above or 0) + bool(above))
        for bucket, text in rates.items():
            theirs = Decimal(text)
            if ours is None:
                found.append(Difference(column, bucket, None, theirs, Basis.UNKNOWN))
                continue
            our = getattr(ours, bucket, theirs / MILLION) * MILLION
            is_none = bucket.startswith("cache_write") and not theirs  # they write 0 for it
            if our != theirs and not is_none:
                found.append(Difference(column, bucket, our, theirs, ours.basis_of(bucket)))
    return found


def print_table(facts: Mapping[str, Any]) -> None:
    """Differences as a table in Markdown, a row a model and lane."""
    prices = PriceBook()
    unpriced: Counter[str] = Counter()
    print("| seller | model | where | here | there | basis here |\n|---|---|---|---|---|---|")
    for row in facts["models"]:
        lots: dict[tuple[str, Basis], list[Difference]] = {}
        for difference in find_differences(row, prices):
            if difference.ours is None:
                unpriced[row["seller"]] += difference.bucket == "input_uncached"
            else:
                lots.setdefault((difference.column, difference.basis), []).append(difference)
        for (column, basis), lot in lots.items():
            here = ", ".join(f"{one.bucket} {one.ours.normalize():f}" for one in lot if one.ours is not None)
            there = ", ".join(f"{one.theirs.normalize():f}" for one in lot)
            print(f"| {row['seller']} | {row['model']} | {column} | {here} | {there} | {basis} |")
    print(f"\nModels and lanes without a price here: {dict(unpriced)}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
