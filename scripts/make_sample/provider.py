"""A provider's prompt cache, as its documentation describes it: prefixes that are kept for a while.

It stands apart from the program on purpose. The sample's token counts come from here, and the audit's replay, which
works on arrays and knows nothing of this file, has to come to the same bill.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta

LOOK_BACK = 20
"""Blocks before a mark among which an older entry is looked for."""
SMALLEST = {"claude-opus-4-5": 4096, "claude-haiku-4-5": 4096}
SMALLEST_OF_OTHERS = 1024
IMPLICIT_STEP = 128
IDLE = timedelta(minutes=7)
"""OpenAI keeps what is not asked for between five and ten minutes."""


@dataclass(frozen=True)
class Part:
    """A stretch of a prompt: what it says (any text that stands for it), and how many tokens that is."""

    text: str
    tokens: int


@dataclass(frozen=True)
class Counts:
    """Input tokens as the provider reports them; they do not overlap."""

    uncached: int
    read: int
    written: int

    @property
    def prompt(self) -> int:
        return self.uncached + self.read + self.written


@dataclass
class Entry:
    tokens: int
    ready: datetime
    expires: datetime
    keeps: timedelta


@dataclass
class Provider:
    entries: dict[tuple[str, str], Entry] = field(default_factory=dict)

    def explicit(
        self, model: str, prompt: list[Part], marks: list[int], when: tuple[datetime, datetime], keeps: timedelta
    ) -> Counts:
        """A request with cache marks behind the parts numbered in `marks`; `when` it came and its reply began."""
        asked, ready = when
        names, sizes = _prefixes(prompt)
        read, hit = 0, -1
        for mark in sorted(marks, reverse=True):
            for place in range(mark, max(mark - LOOK_BACK, -1), -1):
                entry = self.entries.get((model, names[place]))
                if entry and entry.ready <= asked <= entry.expires and entry.tokens > read:
                    read, hit = entry.tokens, place
        if hit >= 0:
            self._renew(model, names[hit], ready)
        smallest = next((size for name, size in SMALLEST.items() if model.startswith(name)), SMALLEST_OF_OTHERS)
        last = 0
        for mark in sorted(marks):
            if sizes[mark] < smallest:
                continue
            last = sizes[mark]
            known = self.entries.get((model, names[mark]))
            if known and known.ready <= asked <= known.expires:
                self._renew(model, names[mark], ready)
            else:
                self.entries[model, names[mark]] = Entry(sizes[mark], ready, ready + keeps, keeps)
        return Counts(sizes[-1] - max(last, read), read, max(last - read, 0))

    def implicit(self, model: str, prompt: list[Part], when: tuple[datetime, datetime]) -> Counts:
        """A request to a provider that caches by itself, in steps of 128 tokens, and bills no writing."""
        asked, ready = when
        names, sizes = _prefixes(prompt)
        read = 0
        for name, size in zip(names, sizes, strict=True):
            entry = self.entries.get((model, name))
            if entry and entry.ready <= asked <= entry.expires:
                read = size
            self.entries[model, name] = Entry(size, ready, ready + IDLE, IDLE)
        read = read // IMPLICIT_STEP * IMPLICIT_STEP if read >= SMALLEST_OF_OTHERS else 0
        return Counts(sizes[-1] - read, read, 0)

    def _renew(self, model: str, name: str, ready: datetime) -> None:
        """A read costs nothing more to keep: the time to live begins anew."""
        entry = self.entries[model, name]
        entry.expires = max(entry.expires, ready + entry.keeps)


def _prefixes(prompt: list[Part]) -> tuple[list[str], list[int]]:
    """A name for the prompt up to each part, and its size up to there."""
    names, sizes = [], []
    running, total = hashlib.sha256(), 0
    for part in prompt:
        running.update(part.text.encode() + b"\0")
        total += part.tokens
        names.append(running.hexdigest())
        sizes.append(total)
    return names, sizes
