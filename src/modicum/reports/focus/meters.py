"""What is metered, in the words of an invoice; and who sells it."""

from typing import NamedTuple

from modicum.calls import BUCKETS, OURSELVES

REQUESTS, CALLS, ROUNDING = "requests", "calls", "rounding"
"""Meters beside the buckets, as the question `charges_by_hour` names them."""
TOKENS_UNIT, REQUESTS_UNIT, CALLS_UNIT, COUNT_UNIT = "Tokens", "Requests", "Calls", "Count"

_SELLERS = {
    "anthropic": "Anthropic",
    "aws": "Amazon Web Services",
    "azure": "Microsoft",
    "cohere": "Cohere",
    "databricks": "Databricks",
    "deepseek": "DeepSeek",
    "fireworks": "Fireworks AI",
    "github-copilot": "GitHub",
    "google": "Google",
    "groq": "Groq",
    "mistral": "Mistral AI",
    "moonshotai": "Moonshot AI",
    "openai": "OpenAI",
    "openrouter": "OpenRouter",
    "perplexity": "Perplexity",
    "together": "Together AI",
    "x-ai": "xAI",
    "zai": "Z.ai",
    OURSELVES: "modicum",
}
UNKNOWN_SELLER = "unknown provider"


class ChargedMeter(NamedTuple):
    name: str
    unit: str


def meter_of(name: str) -> ChargedMeter:
    """The words for a bucket of `Usage`, or for one of the meters beside them."""
    if name == REQUESTS:
        return ChargedMeter("Requests beside tokens", REQUESTS_UNIT)
    if name in {CALLS, ROUNDING}:
        return ChargedMeter("Calls", CALLS_UNIT)
    bucket = BUCKETS[name]
    words = [] if bucket.modality == "text" else [bucket.modality.capitalize()]
    if bucket.cache:
        words += ["Cache", bucket.cache.capitalize()]
        words += [_lifetime(bucket.ttl_s)] if bucket.ttl_s else []
    if name == "output_reasoning":
        words.append("Reasoning")
    return ChargedMeter(" ".join((*words, bucket.side.capitalize(), "Tokens")), TOKENS_UNIT)


def seller_of(provider: str) -> str:
    """Who sells and invoices calls to a provider, by its id; a server of one's own keeps its name."""
    return _SELLERS.get(provider, provider or UNKNOWN_SELLER)


def _lifetime(seconds: int) -> str:
    return f"{seconds // 3600}h" if seconds >= 3600 else f"{seconds // 60}m"
