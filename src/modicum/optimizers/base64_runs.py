"""Binary data in base64, which says nothing to a model, as one line that says how much it was."""

import hashlib
import re

from modicum.calls.rule import Safety
from modicum.calls.words.counted_nouns import number_of
from modicum.optimizers.arrival import arrival_rule

LEAST_RUN = 256
LEAST_LINE = 60
"""Of a run that is broken into lines."""
_RUN = re.compile(
    r"(?<![A-Za-z0-9+/])(?:(?:[A-Za-z0-9+/]{60,76}\r?\n){3,}[A-Za-z0-9+/]*={0,2}|[A-Za-z0-9+/]{256,}={0,2})"
)
_LETTERS = bytes(ord("A") if chr(code).isalnum() or chr(code) in "+/" else ord(" ") for code in range(128)) + b" " * 128
_LINE = b"A" * LEAST_LINE
_LEAST_LETTERS = 24
"""Different characters that binary data has in so many: hexadecimal digits, rulers and DNA have fewer."""


def without_base64(text: str) -> str:
    """The text with a short note in place of each run of base64 of 256 characters and more."""
    return _RUN.sub(_note, text)


def _has_long_word(text: str) -> bool:
    """Whether a run can stand there: most texts have no word that long, and that is seen much faster."""
    return _LINE in text.encode("ascii", "replace").translate(_LETTERS)


def _note(match: re.Match[str]) -> str:
    run = match[0]
    letters = set(run)
    is_binary = (
        len(letters) >= _LEAST_LETTERS
        and any(map(str.islower, letters))
        and any(map(str.isupper, letters))
        and any(map(str.isdigit, letters))
    )
    if len(run) < LEAST_RUN or not is_binary:
        return run
    digest = hashlib.sha256(run.encode()).hexdigest()[:8]
    return f"[modicum: {number_of(len(run), 'character')} of base64 left out, digest {digest}]" + (
        "\n" if run.endswith("\n") else ""
    )


BASE64 = arrival_rule(
    "content.base64",
    without_base64,
    safety=Safety.LOSSY,
    purpose="no binary data in base64",
    may_fit=lambda text: len(text) >= LEAST_RUN and _has_long_word(text),
)
