"""Tokens that rules leave out of texts: each text is counted once, however often its conversation sends it again."""

from collections import OrderedDict
from typing import NamedTuple

from modicum.calls.change import Change, DoesNotFit, EarlierEdits
from modicum.calls.prompt import Prompt, content_digest
from modicum.metering.tokens import count_with, encoding_for

MOST_TEXTS = 200_000

_Texts = tuple[bytes, bytes, str]
"""Digests of the text before and after, and the encoding."""


class ReplacedTexts(NamedTuple):
    """What one rule replaced in one call."""

    counts: "EditTokens"
    known_tokens: int
    """Left out of texts that were counted before."""
    uncounted: tuple[tuple[_Texts, str, str], ...]
    """Of the others: what they are known by, the text before and after."""

    def removed_tokens(self) -> int:
        """Tokens of our count that are not sent. Takes time for texts that are new."""
        return self.known_tokens + sum(self.counts.count(*texts) for texts in self.uncounted)


class EditTokens:
    """What was counted, within a fixed bound. `replaced` is for the event loop, `count` for a thread beside it."""

    def __init__(self, most_texts: int = MOST_TEXTS) -> None:
        self._most_texts = most_texts
        self._removed: OrderedDict[_Texts, int] = OrderedDict()

    def replaced(self, prompt: Prompt, change: Change, model: str) -> ReplacedTexts:
        """What a change of `prompt` replaces.

        Raises:
            DoesNotFit: a text of its beginning is not counted yet, or forgotten; it stands in the request.
        """
        encoding = encoding_for(model)[0]
        known_tokens = 0 if change.earlier is None else self._counted(change.earlier, encoding)
        uncounted = []
        for unit, new in zip(prompt.units_at(change.replaced), change.replaced.values(), strict=True):
            texts = unit.digest, change.digests.get(unit.place) or content_digest(new), encoding
            removed = self._removed.get(texts)
            if removed is None:
                uncounted.append((texts, unit.text or "", new))
            else:
                known_tokens += removed
        return ReplacedTexts(self, known_tokens, tuple(uncounted))

    def _counted(self, earlier: EarlierEdits, encoding: str) -> int:
        removed_of = self._removed.__getitem__
        try:
            return sum([removed_of((before, after, encoding)) for before, after in earlier.texts])
        except KeyError:
            raise DoesNotFit("a text of the beginning is not counted") from None

    def count(self, texts: _Texts, old: str, new: str) -> int:
        """Tokens of the text before, less those of the text after it."""
        removed = count_with(old, texts[2]) - count_with(new, texts[2])
        self._removed[texts] = removed
        while len(self._removed) > self._most_texts:
            self._removed.popitem(last=False)
        return removed
