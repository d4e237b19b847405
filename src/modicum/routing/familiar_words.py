"""Whether a prompt is written in words that the training had: another language may have the same script.

The commonest words of a language stand in nearly every text of it, so few of them tell languages apart. Only hashes of
words are kept.
"""

import msgspec
import numpy as np

from modicum.routing.sparse_rows import Row, SparseRows

COMMONEST = 64
FEWEST_WORDS = 12
"""Different words and pairs of words: of a shorter prompt nothing is said."""
_ODDEST = 0.005
"""Share of the training that may have still fewer familiar words than the limit, which is half of theirs."""


_MOST = 0.04
"""The limit is no greater, however alike the prompts of the training are: other questions in their language pass."""


class FamiliarWords(msgspec.Struct, frozen=True):
    columns: tuple[int, ...]
    """Of the commonest words of the training, in order."""
    least_share: float
    """Of a prompt's different words, how many must be among them; 0 where the training was in several languages."""

    def are_in(self, words: Row) -> bool:
        """Whether a prompt has enough of them."""
        columns = words[0]
        if not self.least_share or len(columns) < FEWEST_WORDS:
            return True
        common = np.array(self.columns, np.int32)
        places = np.searchsorted(columns, common)
        places[places == len(columns)] = 0
        return bool((columns[places] == common).sum() >= self.least_share * len(columns))


def learn_familiar_words(rows: SparseRows) -> FamiliarWords:
    """What the prompts of a table have in common: a row each, a column per word."""
    counts = np.bincount(rows.columns, minlength=1)
    commonest = np.sort(np.argsort(-counts, kind="stable")[:COMMONEST])
    commonest = commonest[counts[commonest] > 0]
    is_common = np.zeros(len(counts), bool)
    is_common[commonest] = True
    shares = [
        float(is_common[columns].mean())
        for columns, _ in (rows.row(place) for place in range(len(rows)))
        if len(columns) >= FEWEST_WORDS
    ]
    least = min(_MOST, float(np.quantile(shares, _ODDEST)) / 2) if shares else 0.0
    return FamiliarWords(tuple(map(int, commonest)), least)
