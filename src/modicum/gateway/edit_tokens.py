"""Tokens that rules leave out of texts: each text is counted once, however often its conversation sends it again."""

from collections import OrderedDict, defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from modicum.calls.change import Change, DoesNotFit, EarlierEdits
from modicum.calls.prompt import Prompt, content_digest
from modicum.metering.tokens import count_with, encoding_for

MOST_TEXTS = 200_000

_Texts = tuple[bytes, bytes]
"""Digests of the text before and after."""


class ReplacedTexts(NamedTuple):
    """What one rule replaced in one call."""

    counts: "EditTokens"
    encoding: str
    known_tokens: int
    """Left out of texts that were counted before."""
    uncounted: tuple[tuple[_Texts, str, str], ...]
    """Of the others: what they are known by, the text before and after."""

    def removed_tokens(self) -> int:
        """Tokens of our count that are not sent. Takes time for texts that are new."""
        return self.known_tokens + sum(self.counts.count(self.encoding, *texts) for texts in self.uncounted)


class EditTokens:
    """What was counted, within a fixed bound for each encoding. `replaced` is for the event loop, `count` for a thread
    beside it.
    """

    def __init__(self, most_texts: int = MOST_TEXTS) -> None:
        self._most_texts = most_texts
        self._removed: defaultdict[str, OrderedDict[_Texts, int]] = defaultdict(OrderedDict)

    def replaced(self, prompt: Prompt, change: Change, model: str) -> ReplacedTexts:
        """What a change of `prompt` replaces.

        Raises:
            DoesNotFit: a text of its beginning is not counted yet, or forgotten; it stands in the request.
        """
        encoding = encoding_for(model)[0]
        counted = self._removed[encoding]
        known_tokens = 0 if change.earlier is None else _sum_of(counted, change.earlier)
        uncounted = []
        for unit, new in zip(prompt.units_at(change.replaced), change.replaced.values(), strict=True):
            texts = unit.digest, change.digests.get(unit.place) or content_digest(new)
            removed = counted.get(texts)
            if removed is None:
                uncounted.append((texts, unit.text or "", new))
            else:
                known_tokens += removed
        return ReplacedTexts(self, encoding, known_tokens, tuple(uncounted))

    def count(self, encoding: str, texts: _Texts, old: str, new: str) -> int:
        """Tokens of the text before, less those of the text after it."""
        removed = count_with(old, encoding) - count_with(new, encoding)
        counted = self._removed[encoding]
        counted[texts] = removed
        while len(counted) > self._most_texts:
            counted.popitem(last=False)
        return removed


def _sum_of(counted: Mapping[_Texts, int], earlier: EarlierEdits) -> int:
    try:
        return sum(map(counted.__getitem__, earlier.texts))
    except KeyError:
        raise DoesNotFit("a text of the beginning is not counted") from None
