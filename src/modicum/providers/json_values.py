"""JSON as others write it, decoded so that every text in it can be stored: halves of surrogate pairs are replaced.

Python's decoder hands `\\ud83d` alone through as half a character, which no encoder and no database takes; msgspec's
refuses the document. Either way one such escape, in a name or in a prompt that was cut, would cost all that stands
beside it.
"""

import json
import re
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")

_PATTERN = r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)"
_ESCAPE, _ESCAPE_BYTES = re.compile(_PATTERN, re.DOTALL), re.compile(_PATTERN.encode(), re.DOTALL)
_SURROGATE, _SURROGATE_BYTES = re.compile(r"\\u[dD][89a-fA-F]"), re.compile(rb"\\u[dD][89a-fA-F]")


def mended(document: bytes) -> bytes:
    """JSON in which halves of surrogate pairs are replaced."""
    return _ESCAPE_BYTES.sub(lambda found: rb"\ufffd" if found[1] else found[0], document)


def decoded(document: bytes | str) -> Any:
    """The value of a JSON document, in UTF-8 or with what other encoding its first bytes tell.

    Raises:
        ValueError: it is not JSON (`json.JSONDecodeError`), or not in its encoding (`UnicodeDecodeError`).
        RecursionError: it is nested too deeply.
    """
    text = document if isinstance(document, str) else document.decode(json.detect_encoding(document))
    if _SURROGATE.search(text):
        text = _ESCAPE.sub(lambda found: r"\ufffd" if found[1] else found[0], text)
    return json.loads(text)


def tolerant(decode: Callable[[bytes], T]) -> Callable[[bytes], T]:
    """A decoder of msgspec that takes documents with half a surrogate pair too."""
    return partial(decode_mended, decode)


def decode_mended(decode: Callable[[bytes], T], document: bytes) -> T:
    """What a decoder makes of a document; if it does not take it, and it holds half a surrogate pair, of the same
    without.
    """
    try:
        return decode(document)
    except ValueError:
        if not _SURROGATE_BYTES.search(document):
            raise
        return decode(mended(document))
