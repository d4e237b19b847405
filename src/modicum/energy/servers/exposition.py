"""Reads the text format of Prometheus, as far as model servers write it.

https://prometheus.io/docs/instrumenting/exposition_formats/ (text format 0.0.4). Comments are skipped; a line that is
no metric makes the text unreadable rather than being dropped in silence.
"""

import math
import re
from collections.abc import Iterable, Mapping

import msgspec

LINE = re.compile(r"([a-zA-Z_:][\w:]*)\s*(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?$")
LABEL = re.compile(r'([a-zA-Z_]\w*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*,?\s*')
ESCAPES = {"\\\\": "\\", '\\"': '"', "\\n": "\n"}


class Exposition:
    """Values by metric name, each with its labels."""

    def __init__(self, rows: Iterable[tuple[str, dict[str, str], float]]) -> None:
        self._rows: dict[str, list[tuple[dict[str, str], float]]] = {}
        for name, labels, value in rows:
            self._rows.setdefault(name, []).append((labels, value))

    def rows(self, name: str) -> list[tuple[dict[str, str], float]]:
        return self._rows.get(name, [])

    def total(self, *names: str, where: Mapping[str, str] | None = None) -> float | None:
        """The sum over all label sets of the first of `names` that is there (data-parallel ranks report on their
        own); None where there is none, or where a value is not finite.
        """
        for name in names:
            values = [
                value
                for labels, value in self.rows(name)
                if all(labels.get(key) == expected for key, expected in (where or {}).items())
            ]
            if values:
                total = math.fsum(values)
                return total if math.isfinite(total) else None
        return None

    def labels(self, label: str, *names: str) -> str:
        """All values of a label in the first of `names` that is there, with commas between."""
        rows = next((self.rows(name) for name in names if self.rows(name)), [])
        return ",".join(sorted({labels[label] for labels, _ in rows if labels.get(label)}))

    def has_prefix(self, prefix: str) -> bool:
        return any(name.startswith(prefix) for name in self._rows)


def parse_exposition(text: str) -> Exposition:
    """Reads the text of a metrics page.

    Raises:
        ValueError: a line is not a metric; the message names the line.
    """
    return Exposition(_rows(_unquote(text)))


def _unquote(text: str) -> str:
    """Some versions of llama.cpp's server return the whole text as one JSON string."""
    if text.lstrip().startswith('"'):
        try:
            return msgspec.json.decode(text, type=str)
        except msgspec.DecodeError:
            return text
    return text


def _rows(text: str) -> Iterable[tuple[str, dict[str, str], float]]:
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        match = LINE.match(line)
        if match is None:
            raise ValueError(f"line {number} is not a metric")
        try:
            value = float(match[3])
        except ValueError:
            raise ValueError(f"line {number} has no number") from None
        yield match[1], _labels(match[2] or "", number), value


def _labels(text: str, number: int) -> dict[str, str]:
    labels, place = {}, 0
    text = text.strip()
    while place < len(text):
        match = LABEL.match(text, place)
        if match is None:
            raise ValueError(f"line {number} has broken labels")
        labels[match[1]] = re.sub(r"\\.", lambda escape: ESCAPES.get(escape[0], escape[0]), match[2])
        place = match.end()
    return labels
