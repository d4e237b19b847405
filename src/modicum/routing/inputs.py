"""Prompts as learners see them: features of the text, of all prompts of a table at once or of one call."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from modicum.routing.sparse_rows import Floats, Integers, SparseRows, pack_rows
from modicum.routing.text_features import LETTER_BITS, MEASURES, WORD_BITS, TextFeatures, read_text

Kind = Literal["words", "letters"]


@dataclass(frozen=True)
class Inputs:
    """Features of prompts, one row each."""

    words: SparseRows
    letters: SparseRows
    measures: Floats
    embeddings: Floats | None = None
    """Vectors that somebody else has made of the same prompts; None: there are none."""

    def __len__(self) -> int:
        return len(self.measures)

    def rows(self, kind: Kind) -> SparseRows:
        return self.words if kind == "words" else self.letters

    def take(self, places: Integers) -> "Inputs":
        return replace(
            self,
            words=self.words.take(places),
            letters=self.letters.take(places),
            measures=self.measures[places],
            embeddings=None if self.embeddings is None else self.embeddings[places],
        )


def read_prompts(prompts: Iterable[str], embeddings: Floats | None = None) -> Inputs:
    return pack_features([read_text(prompt) for prompt in prompts], embeddings)


def pack_features(features: list[TextFeatures], embeddings: Floats | None = None) -> Inputs:
    measures = np.array([each.measures for each in features], float).reshape(len(features), len(MEASURES))
    return Inputs(
        pack_rows([each.words for each in features], 2**WORD_BITS),
        pack_rows([each.letters for each in features], 2**LETTER_BITS),
        measures,
        embeddings,
    )
