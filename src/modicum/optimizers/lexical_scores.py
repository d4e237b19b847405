"""How much passages say about a question, by their words: BM25 of a passage, of what stands around it, and of its part
of the document.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from itertools import accumulate

SATURATION, LENGTH_SHARE = 1.2, 0.75
"""BM25's k1 and b, as they are usually set."""
NEAR_TOKENS, WIDE_TOKENS = 40, 600
"""How far around a passage its surroundings reach, in its own document."""
OWN, NEAR, WIDE = 1.0, 0.5, 1.0
"""What the three count for. Chosen on 200 questions of NaturalQuestions that are in no figure of ours."""
_WORD = re.compile(r"[^\W\d_]+|\d+")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_COMMON_WORDS = """
a an and are as at be but by did do does for from had has have he her his how i if in into is it its no not of on or s
she so t that the their them there they this to was we were what when where which who why will with you
"""
_COMMON = frozenset(_COMMON_WORDS.split())
_ENDINGS = (("ies", "y"), ("sses", "ss"), ("edly", ""), ("ing", ""), ("ed", ""), ("ly", ""), ("es", ""), ("s", ""))
_LEAST_STEM = 3


def words_of(text: str) -> list[str]:
    """The words of a text without their English endings and without the commonest ones. Scripts that put no space
    between words give pairs of characters.
    """
    words: list[str] = []
    for word in _WORD.findall(text.lower()):
        if _CJK.search(word):
            words += [word[place : place + 2] for place in range(max(1, len(word) - 1))]
        elif word not in _COMMON:
            words.append(_stem(word))
    return words


def lexical_scores(documents: Sequence[Sequence[str]], titles: Sequence[str], question: str) -> list[list[float]]:
    """A number for each passage of each document, the more it says about the question the greater; 0: nothing.

    Args:
        documents: the passages of each.
        titles: of each; empty: it has none. A title stands with each of its passages.
        question: what is to be answered.
    """
    terms = list(dict.fromkeys(words_of(question)))
    if not terms:
        return [[0.0] * len(passages) for passages in documents]
    scales: list[list[list[_Bag]]] = [[], [], []]
    for passages, title in zip(documents, titles, strict=True):
        head = _bag(title, terms)
        bags = [_bag(passage, terms) for passage in passages]
        sizes = [len(passage) // 4 + 1 for passage in passages]
        for scale, reach in zip(scales, (0, NEAR_TOKENS, WIDE_TOKENS), strict=True):
            scale.append([_added(head, bag) for bag in _around(bags, sizes, reach)])
    totals = [[0.0] * len(passages) for passages in documents]
    for scale, weight in zip(scales, (OWN, NEAR, WIDE), strict=True):
        for total, scores in zip(totals, _bm25(scale), strict=True):
            for place, score in enumerate(scores):
                total[place] += weight * score
    return totals


_Bag = tuple[int, ...]
"""How many words a text has, and how often each term of the question is among them."""


def _bag(text: str, terms: Sequence[str]) -> _Bag:
    counts = Counter(words_of(text))
    return counts.total(), *(counts[term] for term in terms)


def _added(one: _Bag, other: _Bag) -> _Bag:
    return tuple(map(sum, zip(one, other, strict=True)))


def _around(bags: Sequence[_Bag], sizes: Sequence[int], reach: int) -> list[_Bag]:
    """Of each passage the words of those around it, itself included, up to so many tokens on both sides."""
    if not reach or len(bags) < 2:
        return list(bags)
    before = list(accumulate(sizes, initial=0))
    sums = [tuple([0] * len(bags[0])), *accumulate(bags, _added)]
    around, first, last = [], 0, 0
    for place in range(len(bags)):
        while before[place] - before[first + 1] >= reach:
            first += 1
        while last < len(bags) - 1 and before[last + 1] - before[place + 1] < reach:
            last += 1
        last = max(last, place)
        around.append(tuple(after - until for after, until in zip(sums[last + 1], sums[first], strict=True)))
    return around


def _bm25(documents: Sequence[Sequence[_Bag]]) -> list[list[float]]:
    """BM25 of each, as a share of the best one's."""
    bags = [bag for document in documents for bag in document]
    if not bags:
        return [[] for _ in documents]
    mean_length = sum(bag[0] for bag in bags) / len(bags) or 1.0
    with_term = [sum(bag[place] > 0 for bag in bags) for place in range(1, len(bags[0]))]
    rarity = [math.log(1 + (len(bags) - count + 0.5) / (count + 0.5)) for count in with_term]
    scores = [[_score(bag, rarity, mean_length) for bag in document] for document in documents]
    best = max(score for document in scores for score in document) or 1.0
    return [[score / best for score in document] for document in scores]


def _score(bag: _Bag, rarity: Sequence[float], mean_length: float) -> float:
    damping = SATURATION * (1 - LENGTH_SHARE + LENGTH_SHARE * bag[0] / mean_length)
    return sum(
        weight * count * (SATURATION + 1) / (count + damping)
        for weight, count in zip(rarity, bag[1:], strict=True)
        if count
    )


def _stem(word: str) -> str:
    for ending, instead in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _LEAST_STEM:
            word = word[: -len(ending)] + instead
            break
    return word.rstrip("e") or word  # as in "tide" and "tides", "rise" and "rising"
