"""Calls that are answered from memory, or by the reply to the same call that is under way; all others go upstream."""

import asyncio
import secrets
from collections.abc import Callable, Sequence
from time import monotonic
from typing import NamedTuple

from modicum.calls import CallStatus
from modicum.calls.containment import contain
from modicum.gateway import replies
from modicum.gateway.answering import OK, Answerer
from modicum.gateway.chosen_rules import arm_tags
from modicum.gateway.exchange import Exchange, OwnReply, PendingEdit
from modicum.gateway.failures import report_failure
from modicum.gateway.http.client import Client
from modicum.gateway.http.refusal import ClientGone
from modicum.gateway.meter import call_id
from modicum.gateway.parts import Parts
from modicum.gateway.reply_cache.same_call import digest_call, is_repeatable
from modicum.gateway.reply_cache.stored_replies import StoredReplies, StoredReply
from modicum.optimizers.rule_choice import Draw, is_held_out
from modicum.settings.reply_cache import ReplyCacheSettings

RULE = "reply_cache"
"""Under which name it stands among a call's edits and tags."""
HEADER = b"x-modicum-reply-cache"
MEGABYTE = 1024 * 1024


class _Choice(NamedTuple):
    settings: ReplyCacheSettings
    replies: StoredReplies


class CachingAnswerer:
    """Asks `upstream` for what memory does not have.

    Args:
        upstream: answers every call.
        draw: a number in 0..1 that a rule's name and a task decide.
        clock: in seconds, and only goes forward.
    """

    name = RULE

    def __init__(self, upstream: Answerer, parts: Parts, draw: Draw, clock: Callable[[], float] = monotonic) -> None:
        self._upstream, self._draw, self._clock = upstream, draw, clock
        self._policies, self._metrics = parts.policies, parts.metrics
        self._choices: tuple[_Choice, ...] = ()
        self._key = secrets.token_bytes(32)

    @property
    def passes_all_to(self) -> Answerer | None:
        """Who answers every call, while nothing is to be answered from memory."""
        return None if self._choices else self._upstream

    @property
    def held_bytes(self) -> int:
        """Of replies in memory."""
        return sum(one.replies.held_bytes for one in self._choices)

    def take_over(self, rows: Sequence[ReplyCacheSettings]) -> None:
        """What the settings say now. Replies that were given under others answer nobody any more."""
        self._choices = tuple(
            _Choice(one, StoredReplies(one.seconds, one.most_mb * MEGABYTE, self._clock)) for one in rows
        )

    def forget(self, is_unwanted: Callable[[StoredReply], bool]) -> None:
        """Drops replies, for example of a key that was revoked."""
        for one in self._choices:
            one.replies.forget(is_unwanted)

    async def answer(self, exchange: Exchange, client: Client) -> bytes | None:
        """As every answerer."""
        choice, digest = None, b""
        if self._choices:
            with contain() as looking:
                choice = self._choice_of(exchange)
                digest = b"" if choice is None else digest_call(exchange, self._key)
            if looking.error is not None:
                choice = None
                report_failure(RULE, looking.error, self._metrics.failed)
        if choice is None:
            return await self._upstream.answer(exchange, client)
        if self._policies.is_active:
            self._policies.check(exchange, exchange.route)
        found, how = choice.replies.find(digest), "hit"
        if found is None and choice.settings.join and (waiting := choice.replies.under_way(digest)) is not None:
            # Once: were the replies no examples, those that wait would be made one after the other.
            found, how = await self._wait(waiting, exchange, client), "joined"
        if found is not None:
            return self._give(found, how, exchange, client, choice.replies)
        return await self._ask(exchange, client, choice.replies, digest)

    def _choice_of(self, exchange: Exchange) -> _Choice | None:
        """None: the call is made, and nothing of it is kept."""
        owner, names = exchange.about.owner, (exchange.facts.model, exchange.route.model)
        choice = next((one for one in self._choices if one.settings.is_about(owner, *names)), None)
        if choice is None or exchange.listeners or not is_repeatable(exchange):
            return None
        return None if goes_without(exchange, RULE, choice.settings.hold_out, self._draw) else choice

    @staticmethod
    async def _wait(
        waiting: "asyncio.Future[StoredReply | None]", exchange: Exchange, client: Client
    ) -> StoredReply | None:
        """The reply to the same call, when it is there.

        Raises:
            ClientGone: the caller left; the others go on waiting.
        """
        left = asyncio.Event()
        exchange.on_leave = left.set
        leaving = asyncio.ensure_future(left.wait())
        try:
            if client.exchange is None:
                client.watch(exchange)
            await asyncio.wait((waiting, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            exchange.on_leave = None
            leaving.cancel()
        if exchange.client_gone:
            raise ClientGone
        return waiting.result()

    def _give(self, found: StoredReply, how: str, exchange: Exchange, client: Client, stored: StoredReplies) -> bytes:
        exchange.edits += (PendingEdit(RULE, f"the same call as {found.call_id}", exchange.edited),)
        exchange.tags = {**exchange.tags, RULE: how, f"{RULE}.of": found.call_id}
        self._metrics.reply_from_memory(how)
        mark = HEADER, b"%b; age=%d" % (how.encode(), stored.age_s(found))
        return replies.own(exchange, OwnReply(OK, found.content_type, found.body, headers=(mark,)), client)

    async def _ask(self, exchange: Exchange, client: Client, stored: StoredReplies, digest: bytes) -> bytes | None:
        """Asks upstream, and keeps what came where it may answer others."""
        self._metrics.reply_from_memory("miss")
        leads = stored.under_way(digest) is None
        if leads:
            stored.begin(digest)
        client.copy = copy = PassedCopy(stored.largest_bytes)
        reply = None
        try:
            end = await self._upstream.answer(exchange, client)
            if end is not None:
                copy.add(end)
                reply = example_of(exchange, client, copy.body, self._clock())
            return end
        finally:
            client.copy = None
            if leads:
                stored.end(digest, reply)


def goes_without(exchange: Exchange, rule: str, share: float, draw: Draw) -> bool:
    """Whether every call of this task is made, so that the effect can be seen; then its tag says so."""
    task = exchange.about.task
    if not task or share <= 0:
        return False
    held_out = is_held_out(rule, task, share, draw)
    exchange.tags = arm_tags(exchange.tags, {rule} if held_out else (), () if held_out else {rule})
    return held_out


def example_of(exchange: Exchange, client: Client, body: bytes | None, now_s: float) -> StoredReply | None:
    """The reply that a caller got, if it may answer others: whole, and without a fault. `body`: all of it."""
    facts, answer = exchange.reply, exchange.answer
    is_whole = exchange.status is CallStatus.OK and not client.gone and answer is not None and answer.status == OK
    if not is_whole or facts is None or not facts.complete or facts.error_kind or exchange.downgraded_to:
        return None
    if body is None:
        return None
    number = call_id(exchange.number, facts.reply_id)
    key_name = "" if exchange.caller.own_key is not None else exchange.about.owner.key
    return StoredReply(body, client.content_type, number, key_name, now_s)


class PassedCopy:
    """What is passed on to a caller, as far as it may be kept.

    Args:
        most_bytes: a reply that is longer is not kept.
    """

    def __init__(self, most_bytes: int) -> None:
        self._left_bytes = most_bytes
        self._pieces: list[bytes] | None = []

    def add(self, piece: bytes) -> None:
        self._left_bytes -= len(piece)
        if self._left_bytes < 0:
            self._pieces = None
        elif self._pieces is not None:
            self._pieces.append(piece)

    @property
    def body(self) -> bytes | None:
        """None: it was too long."""
        return None if self._pieces is None else b"".join(self._pieces)
