"""How alike two texts are, by their words and parts of words, or by vectors that an endpoint of the owner's gives."""

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from modicum.optimizers.lexical_scores import words_of

WIDTH = 1024
"""Numbers of a vector of words."""
_PART = 3
"""Letters of a part of a word."""

Vector = NDArray[np.float32]


def word_vector(text: str, key: bytes) -> Vector:
    """Which words and parts of words a text has, each at a place that `key` decides: nobody outside can choose texts
    whose words fall together.
    """
    features: set[str] = set()
    for word in words_of(text):
        framed = f"<{word}>"
        features.add(word)
        features.update(f"#{framed[start : start + _PART]}" for start in range(len(framed) - _PART + 1))
    vector = np.zeros(WIDTH, np.float32)
    for feature in features:
        vector[int.from_bytes(blake2b(feature.encode("utf-8", "replace"), digest_size=4, key=key).digest()) % WIDTH] = 1
    return vector


class TextIndex:
    """The vectors of stored texts. The rarer a word is among all that was asked, the more it counts.

    Args:
        weighs_words: the vectors are of words; else they are compared as they are.
    """

    def __init__(self, *, weighs_words: bool) -> None:
        self._weighs_words = weighs_words
        self._rows = np.zeros((0, 0), np.float32)
        self._texts = 0
        self._texts_with = np.zeros(0, np.float32)
        self.count = 0

    def nearest(self, vector: Vector) -> tuple[int, float] | None:
        """The row that is most like a text, and how much, from 0 to 1; None: there is none."""
        if self._weighs_words:
            if not len(self._texts_with):
                self._texts_with = np.zeros(len(vector), np.float32)
            self._texts += 1
            self._texts_with += vector
        if not self.count or len(vector) != self._rows.shape[1]:
            return None
        rows = self._rows[: self.count]
        if self._weighs_words:
            weights = np.log(1 + self._texts / (1 + self._texts_with)) ** 2
            lengths = np.sqrt((rows @ weights) * float(weights @ vector))
            alike = (rows @ (weights * vector)) / np.maximum(lengths, 1e-9)
        else:
            alike = rows @ vector
        place = int(alike.argmax())
        return place, float(min(max(alike[place], 0.0), 1.0))

    def add(self, vector: Vector) -> int:
        """The number of its row."""
        if self.count == len(self._rows):
            grown = np.zeros((max(16, 2 * self.count), len(vector)), np.float32)
            if self.count:
                grown[: self.count] = self._rows
            self._rows = grown
        self._rows[self.count] = vector
        self.count += 1
        return self.count - 1

    def remove(self, row: int) -> int:
        """Takes a row out; the last one takes its place. Returns the number that this one had."""
        self.count -= 1
        self._rows[row] = self._rows[self.count]
        return self.count

    def fits(self, vector: Vector) -> bool:
        """Whether it can stand among the others: an endpoint may change its model."""
        return not self.count or len(vector) == self._rows.shape[1]


def unit_vector(numbers: Sequence[float]) -> Vector | None:
    """An endpoint's vector at length 1; None: it has none."""
    vector = np.asarray(numbers, np.float32)
    length = float(np.linalg.norm(vector))
    return None if not np.isfinite(length) or length <= 0 else vector / np.float32(length)
