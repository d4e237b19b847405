"""Texts as the numbers of word pieces, as BERT's uncased vocabularies want them."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence

LONGEST_WORD = 100
"""Characters; longer ones are unknown to the vocabulary."""
BEGIN, END, UNKNOWN = "[CLS]", "[SEP]", "[UNK]"
_SYMBOLS = frozenset("$+<=>^`|~")
"""They stand apart like punctuation."""
_IDEOGRAPHS = (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x2FA1F)
"""Chinese characters: each is a word."""


class WordPieces:
    """A vocabulary.

    Args:
        words: its pieces, in the order of their numbers; those that go on in a word begin with `##`.

    Raises:
        KeyError: it is no vocabulary of BERT's kind.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self._numbers: Mapping[str, int] = {word: number for number, word in enumerate(words)}
        self._begin, self._end, self._unknown = (self._numbers[name] for name in (BEGIN, END, UNKNOWN))

    def numbers(self, text: str, most: int) -> list[int]:
        """At most so many pieces of a text, with the marks around them."""
        found = [self._begin]
        for word in _words(text):
            found += self._pieces(word)
            if len(found) >= most:
                break
        return [*found[: most - 1], self._end]

    def _pieces(self, word: str) -> list[int]:
        found: list[int] = []
        start = 0
        while start < len(word) <= LONGEST_WORD:
            first = "##" if start else ""
            ends = range(len(word), start, -1)
            end = next((end for end in ends if first + word[start:end] in self._numbers), 0)
            if not end:
                break
            found.append(self._numbers[first + word[start:end]])
            start = end
        return found if start == len(word) else [self._unknown]


def _words(text: str) -> Iterator[str]:
    """Lower case, without accents; punctuation and Chinese characters stand alone."""
    shown = []
    for letter in unicodedata.normalize("NFD", text.lower()):
        kind = unicodedata.category(letter)
        if kind == "Mn" or (kind[0] == "C" and not letter.isspace()):
            continue
        is_alone = kind[0] == "P" or letter in _SYMBOLS or (letter > "\u33ff" and _is_ideograph(ord(letter)))
        shown.append(f" {letter} " if is_alone else letter)
    yield from "".join(shown).split()


def _is_ideograph(number: int) -> bool:
    return any(first <= number <= last for first, last in _IDEOGRAPHS)
