"""Placeholders for secrets and personal data of one call: put in on the way out, taken out on the way back.

A placeholder stands for one value of its owner, always the same one: a conversation that is sent again is the same
text again, so the provider's prompt cache holds, and a history that the provider signed stays valid. What it stands for
is known to its own call alone; the digest in it is under a secret, so nobody can work out a value or make one up.

This is no anonymity: who reads on knows that it is the same value again, and what is written around it.
"""

import hmac
import re
from collections.abc import Callable, Collection, Mapping
from hashlib import sha256
from typing import NamedTuple

import msgspec

from modicum.privacy.detection import KIND_NAMES, find_sensitive_values

MARK = "REDACTED_"
_DIGITS = 12
_PLACEHOLDER = re.compile(rf"{MARK}[A-Z0-9_]+_[0-9A-F]{{{_DIGITS}}}(?![0-9A-Za-z])")


class Sought(NamedTuple):
    """What is replaced."""

    kinds: Collection[str] = KIND_NAMES
    """Names of `detection.KINDS`."""
    patterns: Mapping[str, re.Pattern[str]] = {}
    """The owner's own, by name: lower-case letters, digits and `_`."""


class Placeholders:
    """Those of one call.

    Args:
        sought: what is replaced.
        key: secret, of the owner: the same value has the same placeholder under the same key.
    """

    def __init__(self, sought: Sought, key: bytes) -> None:
        self._sought, self._key = sought, key
        self._placeholders: dict[str, str] = {}
        self._values: dict[str, str] = {}
        self.counts: dict[str, int] = {}
        """How many different values of each kind were replaced."""
        self.longest = 0
        """Characters of the longest placeholder."""

    def __bool__(self) -> bool:
        return bool(self._values)

    def find(self, text: str) -> dict[str, str]:
        """What is to be replaced in a text, with its kind."""
        found = find_sensitive_values(text, self._sought.kinds)
        for name, pattern in self._sought.patterns.items():
            for match in pattern.finditer(text):
                if match[0]:
                    found.setdefault(match[0], name)
        return found

    def hide(self, text: str) -> str:
        """The text with placeholders."""
        found = self.find(text)
        if not found:
            return text
        values = sorted(found, key=len, reverse=True)
        anyone = re.compile("|".join(map(re.escape, values)))
        return anyone.sub(lambda match: self._placeholder(match[0], found[match[0]]), text)

    def restore(self, text: str) -> str:
        """The text with the values of this call. Placeholders of others, or made up, stay what they are."""
        return self._restored(text, lambda value: value)

    def restore_in_json(self, text: str) -> str:
        """The same of a text that is a piece of JSON itself, as the arguments of tools are."""
        return self._restored(text, lambda value: msgspec.json.encode(value).decode()[1:-1])

    def begins_at(self, text: str) -> int:
        """Where at the end of a text a placeholder of this call begins that goes on in the next piece; the text's
        length if none does.
        """
        for start in range(max(0, len(text) - self.longest), len(text)):
            if text[start] == MARK[0] and any(
                len(one) > len(text) - start and one.startswith(text[start:]) for one in self._values
            ):
                return start
        return len(text)

    def _placeholder(self, value: str, kind: str) -> str:
        known = self._placeholders.get(value)
        if known is None:
            digest = hmac.new(self._key, value.encode("utf-8", "surrogatepass"), sha256).hexdigest()
            known = f"{MARK}{kind.upper()}_{digest[:_DIGITS].upper()}"
            self._placeholders[value], self._values[known] = known, value
            self.counts[kind] = self.counts.get(kind, 0) + 1
            self.longest = max(self.longest, len(known))
        return known

    def _restored(self, text: str, written: Callable[[str], str]) -> str:
        if MARK not in text:
            return text
        return _PLACEHOLDER.sub(
            lambda match: written(self._values[match[0]]) if match[0] in self._values else match[0], text
        )
