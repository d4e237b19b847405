"""Counts Claude's tokens with `ctok`, which rebuilds its tokenizers from published counts (extra `claude-tokens`).

It is not the vendor's, so it is believed only after `modicum calibrate` has held it against the user's own usage
records: a `CounterCheck` says for which family, which version of ctok, and how far off it was. It is slow (80 to 200 kB
of text a second), so long texts are counted in part (`insights/claude_correction.py`), and calls on the way never.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import msgspec

NAME = "ctok"
FEWEST_STEPS = 30
"""With fewer a check says little."""
MOST_OFF = 0.02
"""The rebuilt tokenizer is the provider's, or it is not: a ratio further from 1 than this says it is not."""
CLEARLY = 0.95
"""It has to beat the fitted line by a twentieth."""
LONG_TOKENS = 4000
"""From here on what is around a step no longer counts, and the error is given apart."""
OLDEST_RELEASE, NEW_TOKENIZER_RELEASE = (3, 0), (4, 7)
PIECE_CHARS = 100_000
"""Counting takes 200 bytes of memory for each character: longer texts are cut at a line's end. A cut costs a token at
most."""


class CounterCheck(msgspec.Struct, frozen=True, kw_only=True):
    """What the exact counter was worth on the user's own records of one family of models."""

    family: str
    counter: str
    """With its version, `ctok 1.3.0`: another version is another counter."""
    ratio: float
    """The provider's tokens for one of the counter's, fitted: 1 if it is the provider's tokenizer."""
    error: float
    """Median over held-out steps of |predicted / actual - 1|, with the ratio 1."""
    error_long: float | None
    """The same for steps of 4,000 tokens and more. None with fewer than 10."""
    error_whole: float | None
    """As in `Calibration`."""
    line_error: float
    """What the fitted line is off on the same steps."""
    steps: int
    groups: int
    models: tuple[str, ...] = ()

    @property
    def confirmed(self) -> bool:
        """Whether the records say that the counter is right."""
        enough = self.steps >= FEWEST_STEPS
        return enough and abs(self.ratio - 1) <= MOST_OFF and self.error < self.line_error * CLEARLY


@lru_cache(maxsize=1)
def counter_name() -> str | None:
    """The counter and its version; None: it is not installed."""
    try:
        return f"{NAME} {version(NAME)}"
    except PackageNotFoundError:
        return None


def find_generation(bare_model_name: str) -> str | None:
    """Which tokenizer of ctok a Claude model has: `3.0`, `4.7`, `4.8`. None: no Claude, or one that ctok has not.

    Opus 4.7 has the vocabulary of its successors, in another frame.
    """
    release = find_release(bare_model_name)
    if release is None or release < OLDEST_RELEASE:
        return None
    if release < NEW_TOKENIZER_RELEASE:
        return "3.0"
    return "4.7" if release == NEW_TOKENIZER_RELEASE else "4.8"


def find_release(bare_model_name: str) -> tuple[int, int] | None:
    """Which Claude a name means: (4, 6). None: another maker's model. Without a number it is taken for a new one."""
    if "claude" not in bare_model_name:
        return None
    found = re.search(r"(?<!\d)(\d{1,2})(?:[.-](\d{1,2}))?(?!\d)", bare_model_name)
    return (int(found[1]), int(found[2] or 0)) if found else (99, 0)


def count_claude_tokens(text: str, generation: str) -> int:
    """Tokens of a text alone, without the frame of a message.

    Raises:
        ImportError: ctok is not installed.
    """
    count, frame = _counter(), _frame_tokens(generation)
    return sum(count(piece, generation) - frame for piece in cut_pieces(text))


def cut_pieces(text: str, most_chars: int = PIECE_CHARS) -> Iterator[str]:
    """A text in pieces of at most so many characters, cut after a line or a word where there is one."""
    start = 0
    while len(text) - start > most_chars:
        end = text.rfind("\n", start + most_chars // 2, start + most_chars)
        end = end if end > 0 else text.rfind(" ", start + most_chars // 2, start + most_chars)
        end = end if end > 0 else start + most_chars
        yield text[start:end]
        start = end
    if start < len(text):
        yield text[start:]


@lru_cache(maxsize=1)
def _counter() -> Any:
    from ctok import token_count  # an extra

    return token_count


@lru_cache(maxsize=8)
def _frame_tokens(generation: str) -> int:
    """What ctok counts around a message: all but the one token of this letter."""
    return int(_counter()("a", generation)) - 1
