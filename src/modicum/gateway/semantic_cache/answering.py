"""Questions that are answered with the answer to one that means the same, as far as its owner's bound allows; all
others go upstream, and what comes shows whether the stored answer would have been right.
"""

import secrets
from collections.abc import Callable, Sequence
from random import random
from time import monotonic
from typing import TYPE_CHECKING, NamedTuple

from modicum.calls.containment import contain
from modicum.gateway import replies
from modicum.gateway.answering import OK, TROUBLES, Answerer
from modicum.gateway.exchange import Exchange, OwnReply, PendingEdit
from modicum.gateway.failures import contain_stage, report_failure
from modicum.gateway.http.client import Client
from modicum.gateway.parts import Parts
from modicum.gateway.reply_cache.caching import MEGABYTE, PassedCopy, example_of, goes_without
from modicum.gateway.reply_cache.stored_replies import StoredReply
from modicum.gateway.semantic_cache.embeddings import EmbeddingEndpoint, SentenceVectors
from modicum.gateway.semantic_cache.questions import Question, meaning_of, question_of
from modicum.optimizers.rule_choice import Draw
from modicum.settings.reply_cache import SemanticCacheSettings

if TYPE_CHECKING:  # numpy is loaded where the settings switch this on
    from modicum.gateway.semantic_cache.stored_answers import StoredAnswer, StoredAnswers
    from modicum.gateway.semantic_cache.text_vectors import Vector

RULE = "semantic_cache"
"""Under which name it stands among a call's edits and tags."""
HEADER = b"x-modicum-semantic-cache"


class _Choice(NamedTuple):
    settings: SemanticCacheSettings
    answers: "StoredAnswers"
    meaning: EmbeddingEndpoint | SentenceVectors | None
    """Who gives vectors; None: texts are compared by their words."""


class _AskedQuestion(NamedTuple):
    """A question that goes upstream, and what is stored near it."""

    choice: _Choice
    question: Question
    vector: "Vector"
    nearest: "tuple[StoredAnswer, float] | None"


def _meaning_of(settings: SemanticCacheSettings) -> EmbeddingEndpoint | SentenceVectors | None:
    if settings.embeddings_folder:
        return SentenceVectors(settings)
    return EmbeddingEndpoint(settings) if settings.embeddings_url else None


class SemanticAnswerer:
    """Asks `upstream` for what no stored answer may stand for.

    Args:
        upstream: answers every call.
        draw: a number in 0..1 that a rule's name and a task decide.
        clock: in seconds, and only goes forward.
        chance: random numbers in 0..1.
    """

    name = RULE

    def __init__(
        self,
        upstream: Answerer,
        parts: Parts,
        draw: Draw,
        clock: Callable[[], float] = monotonic,
        chance: Callable[[], float] = random,
    ) -> None:
        self._upstream, self._draw, self._clock, self._chance = upstream, draw, clock, chance
        self._policies, self._metrics = parts.policies, parts.metrics
        self._choices: tuple[_Choice, ...] = ()
        self._key = secrets.token_bytes(32)

    @property
    def passes_all_to(self) -> Answerer | None:
        """Who answers every call, while nothing is to be answered from memory."""
        return None if self._choices else self._upstream

    @property
    def held_bytes(self) -> int:
        """Of answers and vectors in memory."""
        return sum(one.answers.held_bytes for one in self._choices)

    def take_over(self, rows: Sequence[SemanticCacheSettings]) -> None:
        """What the settings say now. Answers that were given under others are given to nobody any more."""
        if not rows:
            self._choices = ()
            return
        from modicum.gateway.semantic_cache.stored_answers import StoredAnswers  # it loads numpy

        choices = []
        for one in rows:
            meaning = _meaning_of(one)
            stored = StoredAnswers(one.seconds, one.most_mb * MEGABYTE, weighs_words=meaning is None, clock=self._clock)
            choices.append(_Choice(one, stored, meaning))
        self._choices = tuple(choices)

    def forget(self, is_unwanted: Callable[[StoredReply], bool]) -> None:
        """Drops answers, for example of a key that was revoked."""
        for one in self._choices:
            one.answers.forget(is_unwanted)

    async def answer(self, exchange: Exchange, client: Client) -> bytes | None:
        """As every answerer."""
        if not self._choices:
            return await self._upstream.answer(exchange, client)
        pending: _AskedQuestion | None = None
        with contain(but=TROUBLES) as looking:
            choice = self._choice_of(exchange)
            question = None if choice is None else question_of(exchange, self._key)
            if choice is not None and question is not None:
                if self._policies.is_active:
                    self._policies.check(exchange, exchange.route)
                same = choice.answers.find_same(question.frame, question.digest)
                if same is not None:
                    return self._give(same, 1.0, "same", exchange, client, choice)
                vector = await self._vector_of(choice, question)
                if vector is not None:
                    nearest = choice.answers.find_nearest(question.frame, vector)
                    if nearest is not None and self._may_give(nearest, choice):
                        return self._give(*nearest, "alike", exchange, client, choice)
                    pending = _AskedQuestion(choice, question, vector, nearest)
        if looking.error is not None:
            report_failure(RULE, looking.error, self._metrics.failed)
        if pending is None:
            return await self._upstream.answer(exchange, client)
        return await self._ask(exchange, client, pending)

    def _choice_of(self, exchange: Exchange) -> _Choice | None:
        """None: the call is made, and nothing of it is kept."""
        owner, names = exchange.about.owner, (exchange.facts.model, exchange.route.model)
        choice = next((one for one in self._choices if one.settings.is_about(owner, *names)), None)
        if choice is None or exchange.listeners:
            return None
        return None if goes_without(exchange, RULE, choice.settings.hold_out, self._draw) else choice

    async def _vector_of(self, choice: _Choice, question: Question) -> "Vector | None":
        if choice.meaning is None:
            from modicum.gateway.semantic_cache.text_vectors import word_vector  # it loads numpy

            return word_vector(question.text, self._key)
        vector = await choice.meaning.vector_of(question.text)
        if vector is None:
            self._metrics.failed(RULE)
        return vector

    def _may_give(self, nearest: "tuple[StoredAnswer, float]", choice: _Choice) -> bool:
        answer, similarity = nearest
        return self._chance() < answer.trust.chance_to_answer(similarity, choice.settings.most_wrong)

    def _give(
        self, answer: "StoredAnswer", similarity: float, how: str, exchange: Exchange, client: Client, choice: _Choice
    ) -> bytes:
        reply = answer.reply
        exchange.edits += (PendingEdit(RULE, f"means the same as {reply.call_id}", exchange.edited),)
        exchange.tags = {**exchange.tags, RULE: how, f"{RULE}.of": reply.call_id}
        self._metrics.answer_from_memory(how)
        mark = b"%b; age=%d; similarity=%.3f" % (how.encode(), choice.answers.age_s(answer), similarity)
        own = OwnReply(OK, reply.content_type, reply.body, headers=((HEADER, mark),))
        return replies.own(exchange, own, client)

    async def _ask(self, exchange: Exchange, client: Client, pending: _AskedQuestion) -> bytes | None:
        """Asks upstream, and learns from what came."""
        copy, is_own_copy = client.copy, client.copy is None
        if not isinstance(copy, PassedCopy):
            client.copy = copy = PassedCopy(pending.choice.answers.largest_bytes)
        try:
            end = await self._upstream.answer(exchange, client)
        finally:
            if is_own_copy:
                client.copy = None
        if end is not None:
            with contain_stage(RULE, self._metrics.failed):
                passed = copy.body
                self._learn(exchange, client, pending, None if passed is None else passed + end)
        return end

    def _learn(self, exchange: Exchange, client: Client, pending: _AskedQuestion, body: bytes | None) -> None:
        reply = example_of(exchange, client, body, self._clock())
        if reply is None:
            return
        is_stream = reply.content_type.startswith(b"text/event-stream")
        words = exchange.request.served.dialect.reply_text(reply.body, stream=is_stream)
        if words is None or words.calls_tools or not words.text.strip():
            return
        meaning, how = meaning_of(words.text), "new"
        choice, question, nearest = pending.choice, pending.question, pending.nearest
        if nearest is not None:
            answer, similarity = nearest
            is_right = answer.meaning == meaning
            answer.trust.record(similarity, is_right=is_right)
            how = "right" if is_right else "wrong"
            if is_right:
                choice.answers.confirm(answer, question.digest, reply)
        if how != "right":
            choice.answers.add(question.frame, question.digest, pending.vector, reply, meaning)
        exchange.tags = {**exchange.tags, RULE: how}
        self._metrics.answer_from_memory(how)
