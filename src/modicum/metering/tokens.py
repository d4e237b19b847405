"""Counts tokens offline.

OpenAI and open models have public tokenizers and are counted exactly (quicktok carries the vocabularies). Claude and
Gemini have none: their texts are counted with the nearest public one, and `metering/calibration.py` scales that count
by what the user's own usage records say, with its error.
"""

from functools import lru_cache
from typing import Any

DEFAULT_ENCODING = "o200k_base"


def encoding_for(model: str) -> tuple[str, bool]:
    """The encoding to count with, and whether it is the model's own: `("o200k_base", True)`."""
    name = model.lower().rsplit("/", 1)[-1]
    if name == "gpt-4":
        return "cl100k_base", True
    for beginnings, encoding in _ENCODINGS:
        if name.startswith(beginnings):
            return encoding, True
    return DEFAULT_ENCODING, False


_ENCODINGS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("gpt-oss",), "o200k_harmony"),
    (("gpt-3.5", "gpt-35", "gpt-4-", "text-embedding-"), "cl100k_base"),
    (("gpt-4o", "gpt-4.", "gpt-5", "gpt-6", "chatgpt-", "o1", "o3", "o4", "codex"), "o200k_base"),
    (("qwen2", "qwen3"), "qwen3"),
    (("llama-3", "llama3", "meta-llama-3"), "llama3"),
)


@lru_cache(maxsize=8)
def _encoding(name: str) -> Any:
    import quicktok

    return quicktok.get_encoding(name)


@lru_cache(maxsize=256)
def _counter(model: str) -> Any:
    return _encoding(encoding_for(model)[0]).count


def count_tokens(text: str, model: str) -> int:
    """Tokens of a text, with the model's own encoding or the nearest public one. Special tokens count as text."""
    count = _counter(model)(text)
    return int(count)
