"""When are two answers the same, and what did the team answer?

Answers are compared after normalising, and can be kept as keyed digests, so that a record of a team holds no text.
"""

import hashlib
import re
from collections import Counter
from collections.abc import Sequence

ABSTAINED = {"", "none", "n/a", "null", "unknown", "skipped"}
"""Normalised texts that are no answer. Frameworks and papers put such placeholders in a dropped agent's place."""

_EDGES = re.compile(r"^[\s\"'`*_.,:;!()\[\]{}$]+|[\s\"'`*_.,:;!()\[\]{}$]+$")
_NUMBER = re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d+)?|[+-]?\d+(\.\d+)?")


def normalise(answer: str) -> str:
    """Lower case, one space between words, no quotes or full stops around; `1,200.0` and `1200` are one number."""
    text = _EDGES.sub("", " ".join(answer.lower().split()))
    if _NUMBER.fullmatch(text):
        number = float(text.replace(",", ""))
        return str(int(number)) if number == int(number) else repr(number)
    return text


def answer_or_none(answer: str | None) -> str | None:
    """The normalised answer, or None where it is a placeholder for none."""
    if answer is None:
        return None
    text = normalise(answer)
    return None if text in ABSTAINED else text


def digest_answer(answer: str | None, key: bytes = b"") -> str | None:
    """A keyed digest of the normalised answer, the same for the same answer; None for an abstention.

    Without a key, whoever has the digest can guess a short answer.
    """
    text = answer_or_none(answer)
    if text is None:
        return None
    return "d:" + hashlib.blake2b(text.encode(), digest_size=12, key=key[:64]).hexdigest()


def vote(answers: Sequence[str | None]) -> str | None:
    """The most frequent answer; of equals the one given first; None where nobody answered."""
    counted = Counter(answer for answer in answers if answer is not None)
    return counted.most_common(1)[0][0] if counted else None


def find_tied_answers(answers: Sequence[str | None]) -> tuple[str | None, ...]:
    """The answers that more votes than any other were given to: several in a tie, None alone where nobody answered."""
    counted = Counter(answer for answer in answers if answer is not None)
    most = max(counted.values(), default=0)
    return tuple(answer for answer, count in counted.items() if count == most) or (None,)


def find_agreed_answer(answers: Sequence[str | None], agree: int, of: int | None = None) -> str | None:
    """The first answer that `agree` of the first `of` gave (all of them if None); None where there is none."""
    counted: Counter[str] = Counter()
    for answer in answers[:of]:
        if answer is not None:
            counted[answer] += 1
            if counted[answer] >= agree:
                return answer
    return None
