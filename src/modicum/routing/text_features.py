"""A prompt's text -> hashed words, pairs of words and runs of letters, and a few measures. Fast enough for every call.

Words and runs are hashed from sums over the bytes that are computed once, so that no loop of Python sees a letter.
What is hashed depends on nothing but the text: no seed of the process, no machine.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from modicum.routing.sparse_rows import Columns, Row, Values

MOST_CHARACTERS = 3_000
"""Of a longer prompt its beginning and its end are read, half each: the task mostly stands in one of them."""
WORD_BITS = 17
LETTER_BITS = 17
RUN_LENGTHS = (4,)
MEASURES = ("length", "lines", "digits", "symbols", "word_length", "different_words", "foreign", "questions")

_BASE = 0x9E3779B97F4A7C15
_WRAP = 2**64
_MOST_BYTES = 4 * MOST_CHARACTERS + 8
_MIX = np.uint64(0xBF58476D1CE4E5B9)
_PAIR = np.uint64(0x94D049BB133111EB)


def _powers(base: int) -> NDArray[np.uint64]:
    powers, power = np.empty(_MOST_BYTES + 1, np.uint64), 1
    for place in range(_MOST_BYTES + 1):
        powers[place], power = power, power * base % _WRAP
    return powers


_POWERS = _powers(_BASE)
_INVERSE = _powers(pow(_BASE, -1, _WRAP))
_CODES = np.arange(256)
_IS_WORD = (
    ((ord("0") <= _CODES) & (ord("9") >= _CODES)) | ((ord("a") <= _CODES) & (ord("z") >= _CODES)) | (_CODES >= 128)
)
_IS_DIGIT = (ord("0") <= _CODES) & (ord("9") >= _CODES)
_IS_SYMBOL = np.isin(_CODES, list(b"+-*/=^\\$()[]{}<>|_&#~@%"))


class TextFeatures(NamedTuple):
    """What learners see of one prompt."""

    words: Row
    letters: Row
    measures: Values
    """In the order of `MEASURES`."""


def read_text(text: str, whole_length: int | None = None) -> TextFeatures:
    """The features of a text.

    Args:
        text: the prompt.
        whole_length: characters of the whole prompt, where `text` is only the part of it that matters.
    """
    length = len(text) if whole_length is None else whole_length
    if len(text) > MOST_CHARACTERS:
        half = MOST_CHARACTERS // 2
        text = f"{text[:half]} {text[-half:]}"
    data = np.frombuffer(text.lower().encode("utf-8", "replace")[:_MOST_BYTES], np.uint8)
    if not len(data):
        empty = np.empty(0, np.int32), np.empty(0, np.float32)
        return TextFeatures(empty, empty, np.zeros(len(MEASURES), np.float32))
    is_word = _IS_WORD[data]
    framed = np.zeros(len(data) + 2, bool)
    framed[1:-1] = is_word
    edges = np.flatnonzero(framed[1:] != framed[:-1])
    begins, ends = edges[::2], edges[1::2]
    sums = np.concatenate(([np.uint64(0)], np.cumsum((data.astype(np.uint64) + np.uint64(1)) * _POWERS[: len(data)])))
    words = (sums[ends] - sums[begins]) * _INVERSE[begins]
    pairs = words[:-1] * _PAIR + words[1:] if len(words) > 1 else words[:0]
    spelled = np.where(is_word, data, np.uint8(32))
    spelled_sums = np.concatenate(
        ([np.uint64(0)], np.cumsum((spelled.astype(np.uint64) + np.uint64(1)) * _POWERS[: len(data)]))
    )
    runs = [
        (spelled_sums[size:] - spelled_sums[:-size]) * _INVERSE[: len(data) - size + 1] * np.uint64(2 * size + 1)
        for size in RUN_LENGTHS
        if len(data) >= size
    ]
    word_columns = _counted(np.concatenate((words, pairs)), WORD_BITS)
    letters = _counted(np.concatenate(runs) if runs else words[:0], LETTER_BITS)
    return TextFeatures(word_columns, letters, _measure(data, begins, ends, words, length))


def _counted(hashes: NDArray[np.uint64], bits: int) -> Row:
    """Columns that occur, with 1 + log of how often."""
    mixed = (hashes ^ (hashes >> np.uint64(31))) * _MIX
    columns: Columns = (mixed >> np.uint64(64 - bits)).astype(np.int32)
    columns.sort()
    is_first = np.ones(len(columns) + 1, bool)
    is_first[1:-1] = columns[1:] != columns[:-1]
    firsts = np.flatnonzero(is_first)
    return columns[firsts[:-1]], (1 + np.log(firsts[1:] - firsts[:-1])).astype(np.float32)


def _measure(
    data: NDArray[np.uint8],
    begins: NDArray[np.int64],
    ends: NDArray[np.int64],
    words: NDArray[np.uint64],
    length: int,
) -> Values:
    count = len(data)
    lengths = ends - begins
    return np.array(
        [
            np.log1p(length),
            np.log1p(np.count_nonzero(data == 10)),
            np.count_nonzero(_IS_DIGIT[data]) / count,
            np.count_nonzero(_IS_SYMBOL[data]) / count,
            lengths.sum() / len(lengths) if len(lengths) else 0.0,
            len(np.unique(words)) / max(1, len(words)),
            np.count_nonzero(data >= 128) / count,
            np.log1p(np.count_nonzero(data == ord("?"))),
        ],
        np.float32,
    )
