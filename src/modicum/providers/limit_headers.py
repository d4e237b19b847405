"""Headers that say how rate limits stand, as clients of OpenAI and of Anthropic know them. Written and read."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import NamedTuple

MOST_DIGITS = 15
_PARTS = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_UNITS = (b"requests", b"tokens")


class LimitState(NamedTuple):
    """How one limit stands."""

    unit: str
    """`requests` or `tokens`."""
    most: int
    left: int
    resets_in_s: float | None = None


class LimitHeaders(ABC):
    """The headers of one family of APIs."""

    prefix: bytes
    """How all of them begin."""

    def write(self, states: Iterable[LimitState], now_s: float) -> list[tuple[bytes, bytes]]:
        """The headers of a reply."""
        headers = []
        for state in states:
            most, left, resets = self._names_of(state.unit)
            headers += [(most, b"%d" % state.most), (left, b"%d" % state.left)]
            if state.resets_in_s is not None:
                headers.append((resets, self._reset(state.resets_in_s, now_s)))
        return headers

    def read(self, headers: Mapping[bytes, bytes], now_s: float) -> list[LimitState]:
        """What a provider's reply says of its own limits; nothing where it says nothing that can be read."""
        states = []
        for unit in _UNITS:
            most, left, resets = (headers.get(name, b"").decode("latin-1") for name in self._names(unit))
            if _is_count(most) and _is_count(left):
                states.append(LimitState(unit.decode("ascii"), int(most), int(left), self._seconds(resets, now_s)))
        return states

    @cache  # noqa: B019 - of the few families and their two units
    def _names_of(self, unit: str) -> tuple[bytes, bytes, bytes]:
        return self._names(unit.encode("ascii"))

    @abstractmethod
    def _names(self, unit: bytes) -> tuple[bytes, bytes, bytes]:
        """Of the limit, of what is left, and of when it is whole again."""

    @abstractmethod
    def _reset(self, seconds: float, now_s: float) -> bytes: ...

    @abstractmethod
    def _seconds(self, text: str, now_s: float) -> float | None: ...


class OpenAILimitHeaders(LimitHeaders):
    prefix = b"x-ratelimit-"

    def _names(self, unit: bytes) -> tuple[bytes, bytes, bytes]:
        return b"x-ratelimit-limit-" + unit, b"x-ratelimit-remaining-" + unit, b"x-ratelimit-reset-" + unit

    def _reset(self, seconds: float, now_s: float) -> bytes:
        del now_s
        return b"%.3gs" % seconds if seconds < 60 else b"%dm%ds" % divmod(round(seconds), 60)

    def _seconds(self, text: str, now_s: float) -> float | None:
        """Of `1s`, `6m0s`, `120ms`."""
        del now_s
        parts = _PARTS.findall(text[:40])
        if not parts or "".join(number + unit for number, unit in parts) != text:
            return None
        return sum(float(number) * _SECONDS[unit] for number, unit in parts)


class AnthropicLimitHeaders(LimitHeaders):
    prefix = b"anthropic-ratelimit-"

    def _names(self, unit: bytes) -> tuple[bytes, bytes, bytes]:
        start = b"anthropic-ratelimit-" + unit
        return start + b"-limit", start + b"-remaining", start + b"-reset"

    def _reset(self, seconds: float, now_s: float) -> bytes:
        at = datetime.fromtimestamp(now_s + seconds, UTC)
        return at.strftime("%Y-%m-%dT%H:%M:%SZ").encode("ascii")

    def _seconds(self, text: str, now_s: float) -> float | None:
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            return None
        return max(at.timestamp() - now_s, 0.0) if at.tzinfo is not None else None


def _is_count(text: str) -> bool:
    return 0 < len(text) <= MOST_DIGITS and text.isascii() and text.isdecimal()
