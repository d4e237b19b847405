"""Answers in memory with the questions that they were given to, as vectors: for a while, within bounds, never on disk.

A question is compared only with questions of its own *frame*: the same owner, model, instructions, earlier turns and
settings, everything but its own words.
"""

from collections import OrderedDict
from collections.abc import Callable
from time import monotonic

from modicum.gateway.reply_cache.stored_replies import StoredReply
from modicum.gateway.semantic_cache.text_vectors import TextIndex, Vector
from modicum.statistics.answer_trust import AnswerTrust

LARGEST_SHARE = 8
"""A reply that would take more than this part of the memory is not held."""
MOST_IN_FRAME = 2_000
"""Answers that a question is compared with."""
MOST_SAME = 50
"""Texts that are remembered to have one answer."""
_ENTRY_BYTES = 1_500
"""What an answer takes beside its reply and vector: what was seen of it, and digests."""


class StoredAnswer:
    """An answer, and what was seen of it.

    Attributes:
        meaning: the same for answers that say the same.
        row: of its question's vector.
    """

    __slots__ = ("frame", "meaning", "reply", "row", "same", "size", "trust")

    def __init__(self, frame: bytes, reply: StoredReply, meaning: bytes, text: bytes, row: int, size: int) -> None:
        self.frame, self.reply, self.meaning, self.row, self.size = frame, reply, meaning, row, size
        self.trust = AnswerTrust()
        self.same = [text]
        """Digests of texts that had this answer when they were asked."""


class _Frame:
    def __init__(self, *, weighs_words: bool) -> None:
        self.index = TextIndex(weighs_words=weighs_words)
        self.answers: list[StoredAnswer] = []
        self.by_text: dict[bytes, StoredAnswer] = {}


class StoredAnswers:
    """The answers of one row of the settings. Used from the event loop.

    Args:
        seconds: how long an answer may be given since it was last seen to be right.
        most_bytes: of all; the one that was not given or checked for longest goes first.
        weighs_words: as `TextIndex`.
        clock: in seconds, and only goes forward.
    """

    def __init__(
        self, seconds: float, most_bytes: int, *, weighs_words: bool, clock: Callable[[], float] = monotonic
    ) -> None:
        self._seconds, self._most_bytes, self._weighs_words, self._clock = seconds, most_bytes, weighs_words, clock
        self._frames: dict[bytes, _Frame] = {}
        self._order: OrderedDict[int, StoredAnswer] = OrderedDict()
        self.held_bytes = 0

    def __len__(self) -> int:
        return len(self._order)

    @property
    def largest_bytes(self) -> int:
        """Of a reply that is held."""
        return self._most_bytes // LARGEST_SHARE

    def age_s(self, answer: StoredAnswer) -> float:
        return self._clock() - answer.reply.stored_s

    def find_same(self, frame: bytes, text: bytes) -> StoredAnswer | None:
        """The answer that this very text had."""
        known = self._frames.get(frame)
        answer = None if known is None else known.by_text.get(text)
        return None if answer is None else self._fresh(answer)

    def find_nearest(self, frame: bytes, vector: Vector) -> tuple[StoredAnswer, float] | None:
        """The answer to the question that is most like this one, and how much alike they are."""
        known = self._frames.get(frame)
        if known is None:
            known = self._frames[frame] = _Frame(weighs_words=self._weighs_words)
        nearest = known.index.nearest(vector)
        if nearest is None:
            return None
        row, similarity = nearest
        answer = self._fresh(known.answers[row])
        return None if answer is None else (answer, similarity)

    def confirm(self, answer: StoredAnswer, text: bytes, reply: StoredReply) -> None:
        """Another text had an answer that says the same: the newer one stands."""
        if id(answer) not in self._order:
            return
        self.held_bytes += len(reply.body) - len(answer.reply.body)
        answer.size += len(reply.body) - len(answer.reply.body)
        answer.reply = reply
        self._order.move_to_end(id(answer))
        if len(answer.same) < MOST_SAME:
            answer.same.append(text)
            self._frames[answer.frame].by_text[text] = answer
        self._make_room()

    def add(self, frame: bytes, text: bytes, vector: Vector, reply: StoredReply, meaning: bytes) -> None:
        """A question and its answer."""
        known = self._frames.get(frame)
        if known is None:
            known = self._frames[frame] = _Frame(weighs_words=self._weighs_words)
        if len(reply.body) > self.largest_bytes or text in known.by_text or not known.index.fits(vector):
            return
        if known.index.count >= MOST_IN_FRAME:
            self._drop(next(one for one in self._order.values() if one.frame == frame))
            known = self._frames.setdefault(frame, known)
        size = len(reply.body) + vector.nbytes + _ENTRY_BYTES
        answer = StoredAnswer(frame, reply, meaning, text, known.index.add(vector), size)
        known.answers.append(answer)
        known.by_text[text] = answer
        self._order[id(answer)] = answer
        self.held_bytes += size
        self._make_room()

    def forget(self, is_unwanted: Callable[[StoredReply], bool]) -> None:
        """Drops answers that are too old, and for example those of a key that was revoked."""
        for answer in list(self._order.values()):
            if self.age_s(answer) > self._seconds or is_unwanted(answer.reply):
                self._drop(answer)
        for frame in [frame for frame, known in self._frames.items() if not known.answers]:
            del self._frames[frame]

    def _fresh(self, answer: StoredAnswer) -> StoredAnswer | None:
        if self.age_s(answer) > self._seconds:
            self._drop(answer)
            return None
        self._order.move_to_end(id(answer))
        return answer

    def _make_room(self) -> None:
        while self.held_bytes > self._most_bytes and self._order:
            self._drop(next(iter(self._order.values())))

    def _drop(self, answer: StoredAnswer) -> None:
        del self._order[id(answer)]
        self.held_bytes -= answer.size
        known = self._frames[answer.frame]
        for text in answer.same:
            known.by_text.pop(text, None)
        known.index.remove(answer.row)
        last = known.answers.pop()
        if last is not answer:
            known.answers[answer.row], last.row = last, answer.row
