"""Counts tokens offline.

OpenAI and open models have public tokenizers and are counted exactly (quicktok carries the vocabularies). Claude and
Gemini have none: their texts are counted with the nearest public one, and `metering/calibration.py` scales that count
by what usage records say, with its error.

Only the encoding that is needed is loaded, at the first count: o200k takes 0.2 to 0.6 s and 55 MB, and then counts
about 80 MB of text a second.
"""

import re
import sys
from functools import lru_cache
from typing import Any

import quicktok

DEFAULT_ENCODING = "o200k_base"
"""The nearest where a model's own encoding is not public. Of the four it is closest to Claude's counts
(`scripts/bench tokens`)."""


@lru_cache(maxsize=256)
def encoding_for(model: str) -> tuple[str, bool]:
    """The encoding to count with, and whether it is the model's own: `("o200k_base", True)`."""
    name = bare_name(model)
    for encoding, pattern in _ENCODINGS.items():
        if pattern.match(name):
            return encoding, True
    return DEFAULT_ENCODING, False


def bare_name(model: str) -> str:
    """The maker's own name of a model, lower case, however a seller or gateway wrote it.

    `us.anthropic.claude-opus-4-5-20251101-v1:0` is `claude-opus-4-5-20251101-v1`,
    `vertex_ai/claude-opus-4-5@20251101` is `claude-opus-4-5`, `openai/gpt-4o:free` is `gpt-4o`.
    """
    name = model.strip().lower().rsplit("/", 1)[-1].removeprefix("ft:")
    return _MAKER.sub("", re.split("[:@]", name, maxsplit=1)[0])


_MAKER = re.compile(
    r"^(?:(?:us|eu|apac|jp|au|us-gov|global)\.)?"
    r"(?:ai21|amazon|anthropic|cohere|deepseek|google|meta|minimax|mistral|moonshotai|openai|qwen|zai)\."
    r"|^databricks-"
)
"""In front of names on Bedrock (with the region of a cross-region profile) and Databricks."""

_ENCODINGS: dict[str, re.Pattern[str]] = {
    "o200k_harmony": re.compile(r"gpt-oss(?:$|-)"),
    "o200k_base": re.compile(r"(?:gpt-4o|gpt-4\.[15]|gpt-5(?:\.\d+)?|chatgpt-4o|o1|o3|o4-mini|codex-mini)(?:$|-)"),
    "cl100k_base": re.compile(
        r"(?:gpt-4|gpt-3\.5|gpt-35|davinci-002|babbage-002)(?:$|-)|text-embedding-(?:3-|ada-002)"
    ),
    "llama3": re.compile(r"(?:meta-)?llama-?v?3(?:$|[.\-p])"),
    "qwen3": re.compile(r"qwen(?:2|2[.p]5|3)(?:$|-)|qwq(?:$|-)"),
}
"""Which models an encoding is the own one of. OpenAI's by the table in tiktoken 0.14; newer families than it names are
counted with the nearest until somebody has looked. Llama 4 and Qwen 3.5 left the vocabularies of Llama 3 and Qwen 3."""


@lru_cache(maxsize=8)
def _counter(encoding: str) -> Any:
    count = quicktok.get_encoding(encoding).count
    _return_memory()
    return count


def _return_memory() -> None:
    """What loading has freed goes back to the machine: 9 MB of the 64 that o200k takes, which glibc would keep."""
    import ctypes  # takes longer to load than all of this

    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:  # other C libraries have none
        trim(0)


def load_encoding(encoding: str = DEFAULT_ENCODING) -> None:
    """Loads an encoding now, which the first count would do: before a process is forked, so that both have it."""
    _counter(encoding)


def count_tokens(text: str, model: str) -> int:
    """Tokens of a text, with the model's own encoding or the nearest public one. Special tokens count as text.

    What a chat puts around a text (roles, separators: a few tokens a message) is not in it.
    """
    return count_with(text, encoding_for(model)[0])


def count_with(text: str, encoding: str) -> int:
    """Tokens of a text in an encoding: `o200k_base`, `o200k_harmony`, `cl100k_base`, `llama3`, `qwen3`."""
    try:
        return int(_counter(encoding)(text))
    except TypeError:
        # JSON may hold half a surrogate pair, which no UTF-8 has: three bytes stand for it, as a provider would send.
        return int(_counter(encoding)(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")))
