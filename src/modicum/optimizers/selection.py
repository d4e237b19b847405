"""What of documents is sent with a question under a budget of tokens: `from modicum import select`.

    chosen = select(documents, question, budget=2_000)
    prompt = f"{chosen.text()}\\n\\n{question}"

Documents, files, past turns: whatever is text. What is chosen depends on the question, so it stands behind what stays
the same from call to call, and the question behind it.
"""

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from itertools import accumulate
from typing import NamedTuple

from modicum.calls import UserError
from modicum.calls.errors import unknown_name
from modicum.calls.prompt import tokens_by_length
from modicum.calls.words.counted_nouns import number_of
from modicum.optimizers.code.languages import language_of_name, language_of_text
from modicum.optimizers.code.skeletons import skeleton_gaps
from modicum.optimizers.lexical_scores import lexical_scores

Embed = Callable[[Sequence[str]], Sequence[Sequence[float]]]
"""A vector for each text, from a model or an endpoint of your own."""
MEANING, MEANING_AROUND = 1.0, 4.0
"""What the likeness of vectors counts for beside words: a passage's own, and the mean of those around it."""
AROUND_PASSAGES = 15
"""On either side, in the same document."""
LONGEST_PASSAGE = 2_000
"""Characters; longer ones are cut into several."""
_ENDS = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])|\n+")  # noqa: RUF001 - full stops of Chinese and Japanese


class PassageOrder(StrEnum):
    """In which order documents are shown. Within each, passages keep theirs."""

    GIVEN = "given"
    BEST_FIRST = "best_first"
    BEST_LAST = "best_last"
    """Next to the question."""


class Passage(NamedTuple):
    """A piece of a document that was chosen."""

    document: int
    """The number of its document, from 0."""
    start: int
    """Where it begins in the document's text, in characters."""
    end: int
    text: str
    score: float
    """The greater, the more it says about the question."""


class DocumentChoice(NamedTuple):
    """What was chosen, in the order of the documents."""

    passages: tuple[Passage, ...]
    titles: tuple[str, ...]
    """Of all documents."""
    tokens: int
    """Of the chosen passages."""
    left_out: int
    """Passages that were not chosen."""

    def text(self, order: PassageOrder | str = PassageOrder.GIVEN) -> str:
        """The passages as one text: each document with its number and title, `[...]` where something is left out.
        Numbers, titles and gaps come on top of the budget.

        Args:
            order: of the documents: "given", "best_first" or "best_last".

        Raises:
            UserError: there is no such order.
        """
        if order not in list(PassageOrder):
            raise unknown_name("order", order, list(PassageOrder))
        order = PassageOrder(order)
        by_document: dict[int, list[Passage]] = {}
        for passage in self.passages:
            by_document.setdefault(passage.document, []).append(passage)
        numbers = list(by_document)
        if order is not PassageOrder.GIVEN:
            best = {number: max(one.score for one in by_document[number]) for number in numbers}
            numbers.sort(key=best.__getitem__, reverse=order is PassageOrder.BEST_FIRST)
        return "\n\n".join(self._shown(number, by_document[number]) for number in numbers)

    def _shown(self, number: int, passages: Sequence[Passage]) -> str:
        title = self.titles[number]
        lines = [f"[document {number + 1}{f': {title}' if title else ''}]"]
        end = 0
        for passage in passages:
            lines += ["[...]", passage.text] if passage.start > end + 2 else [passage.text]
            end = passage.end
        return "\n".join(lines)


def select(
    documents: Sequence[str | Mapping[str, str]],
    question: str,
    budget: int,
    *,
    count: Callable[[str], int] = tokens_by_length,
    embed: Embed | None = None,
    skeletons: bool = False,
) -> DocumentChoice:
    """Chooses the passages that say most about a question, up to a budget. What says nothing about it is left out even
    where there is room; if that is all, the beginning is chosen.

    Args:
        documents: texts, or `{"title": ..., "text": ...}`. Sentences and lines are their passages.
        question: what is to be answered.
        budget: the most tokens of all passages together.
        count: counts the tokens of a text; by length, if you name nothing better.
        embed: gives vectors for meaning beside words.
        skeletons: of files of code, known by the ending of their title or by their text, bodies of functions are left
            out, but for lines with rare words of the question (the extra `code`).

    Raises:
        UserError: the budget is below 0, the documents are no list, one of them or the question is no text, or `embed`
            gives other than a vector for each text, or `skeletons` need packages that are not installed.
    """
    if isinstance(documents, (str, bytes, Mapping)) or not isinstance(documents, Iterable):
        raise UserError(f"documents is a list of them, and this is {type(documents).__name__}; put one into [...]")
    if not isinstance(question, str):
        raise UserError(f"a question is a text, and this is {type(question).__name__}")
    if budget < 0:
        raise UserError(f"a budget is a number of tokens from 0 on, and not {budget}")
    titles, texts = zip(*map(_title_and_text, documents), strict=True) if documents else ((), ())
    spans = [passage_spans(text) for text in texts]
    total = sum(map(len, spans))
    if skeletons:
        spans = [
            _of_skeleton(title, text, own, question) for title, text, own in zip(titles, texts, spans, strict=True)
        ]
    pieces = [[text[start:end] for start, end in places] for text, places in zip(texts, spans, strict=True)]
    scores = lexical_scores(pieces, titles, question)
    if embed is not None:
        _add_meaning(scores, pieces, titles, question, embed)
    passages = [
        Passage(number, *span, piece, score)
        for number in range(len(texts))
        for span, piece, score in zip(spans[number], pieces[number], scores[number], strict=True)
    ]
    chosen: list[int] = []
    tokens = 0
    says_nothing = 0.0 if any(passage.score > 0 for passage in passages) else -1.0
    for place in sorted(range(len(passages)), key=lambda place: -passages[place].score):
        if passages[place].score <= says_nothing:
            break
        size = count(passages[place].text)
        if tokens + size <= budget:
            chosen.append(place)
            tokens += size
    kept = tuple(passages[place] for place in sorted(chosen))
    return DocumentChoice(kept, tuple(titles), tokens, total - len(kept))


def _of_skeleton(title: str, text: str, spans: Sequence[tuple[int, int]], question: str) -> list[tuple[int, int]]:
    """Those of a document's passages that stand in its skeleton; all, where it is no code."""
    language = language_of_name(title) or language_of_text(text)
    gaps = [] if language is None else skeleton_gaps(text, language, question)
    if not gaps:
        return list(spans)
    starts = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
    cut = [(starts[gap.first], starts[gap.behind]) for gap in gaps]
    return [span for span in spans if not any(start <= span[0] < end for start, end in cut)]


def passage_spans(text: str) -> list[tuple[int, int]]:
    """Where the sentences and lines of a text begin and end."""
    spans, start = [], 0
    for gap in [*_ENDS.finditer(text), None]:
        end = len(text) if gap is None else gap.start()
        for first in range(start, end, LONGEST_PASSAGE):
            last = min(end, first + LONGEST_PASSAGE)
            if text[first:last].strip():
                spans.append((first, last))
        start = len(text) if gap is None else gap.end()
    return spans


def _title_and_text(document: object) -> tuple[str, str]:
    if isinstance(document, str):
        return "", document
    if isinstance(document, Mapping):
        title, text = document.get("title", ""), document.get("text")
        if isinstance(title, str) and isinstance(text, str):
            return title, text
    raise UserError(f"a document is a text, or has 'title' and 'text', and this is {type(document).__name__}")


def _add_meaning(
    scores: list[list[float]], pieces: Sequence[Sequence[str]], titles: Sequence[str], question: str, embed: Embed
) -> None:
    texts = [f"{title} {piece}".strip() for title, own in zip(titles, pieces, strict=True) for piece in own]
    vectors = list(embed([question, *texts]))
    if len(vectors) != len(texts) + 1:
        raise UserError(f"embed gave {number_of(len(vectors), 'vector')} for {number_of(len(texts) + 1, 'text')}")
    likeness = iter([max(0.0, _cosine(vectors[0], vector)) for vector in vectors[1:]])
    for own in scores:
        alike = [next(likeness) for _ in own]
        for place in range(len(own)):
            around = alike[max(0, place - AROUND_PASSAGES) : place + AROUND_PASSAGES + 1]
            own[place] += MEANING * alike[place] + MEANING_AROUND * sum(around) / len(around)


def _cosine(one: Sequence[float], other: Sequence[float]) -> float:
    if len(one) != len(other):
        raise UserError(f"embed gave vectors of {len(one)} and {number_of(len(other), 'number')}")
    size = math.hypot(*one) * math.hypot(*other)
    return sum(a * b for a, b in zip(one, other, strict=True)) / size if size else 0.0
