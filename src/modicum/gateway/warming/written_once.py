"""Many conversations that begin alike, at once: one call writes their beginning to the provider's cache, and the others
wait until the reply to it begins, for as long as their owner chose; then they read it.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import blake2b
from time import monotonic
from typing import TYPE_CHECKING

import msgspec

from modicum.gateway.answering import OK, Answerer
from modicum.gateway.exchange import Exchange
from modicum.gateway.failures import Failed, contain_stage
from modicum.gateway.http.client import Client
from modicum.gateway.http.refusal import ClientGone
from modicum.metering.beginning_writers import BeginningTurn, BeginningWriters
from modicum.optimizers.rule_choice import Draw
from modicum.providers.body_parsing import UNREADABLE
from modicum.settings.optimize import OptimizeSettings, draw_none

if TYPE_CHECKING:
    from modicum.metering.prompt_cache import CacheRules

STAGE = "beginnings"
TAG = "cache.beginning"
"""Calls that waited carry what came of it in this tag: `read`, or `late` where they went on without."""
SHORT_S, LONG_S = 300.0, 3600.0
_MARK, _ONE_HOUR = b'"cache_control"', b'"1h"'
_STABLE = "tools", "system"
"""Fields that stand before all messages, where a caller marks what is to be cached."""

_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


class WrittenOnce:
    """Asks `upstream` for every reply; first calls of conversations that begin alike one after the other.

    Args:
        upstream: answers every call.
        failed: counts the failures of what is optional.
        clock: in seconds, and only goes forward.
        draw: of tasks that are held out.
    """

    name = STAGE

    def __init__(
        self, upstream: Answerer, failed: Failed, clock: Callable[[], float] = monotonic, *, draw: Draw = draw_none
    ) -> None:
        self._upstream, self._failed, self._clock, self._draw = upstream, failed, clock, draw
        self._settings: OptimizeSettings | None = None
        """None: nobody's calls wait."""
        self._writers = BeginningWriters()
        self._begun: dict[bytes, asyncio.Event] = {}

    def take_over(self, settings: OptimizeSettings) -> None:
        """How long first calls of owners wait from now on."""
        self._settings = settings if settings.shares_beginnings else None

    @property
    def passes_all_to(self) -> Answerer | None:
        """Who answers every call, while none waits."""
        return None if self._settings is not None else self._upstream

    async def answer(self, exchange: Exchange, client: Client) -> bytes | None:
        """As every answerer."""
        if self._settings is None:
            return await self._upstream.answer(exchange, client)
        key, wait_s = b"", 0.0
        with contain_stage(STAGE, self._failed):
            wait_s = self._settings.beginnings_wait_for(exchange.about.owner, exchange.about.task, self._draw)
            key = beginning_of(exchange) if wait_s > 0 else b""
        if not key:
            return await self._upstream.answer(exchange, client)
        turn = await self._wait(key, wait_s, exchange, client)
        exchange.on_reply = lambda: self._record(key, exchange)
        try:
            return await self._upstream.answer(exchange, client)
        finally:
            exchange.on_reply = None
            if turn is BeginningTurn.WRITES:
                self._writers.failed(key, exchange.number)
                self._wake(key)

    async def _wait(self, key: bytes, wait_s: float, exchange: Exchange, client: Client) -> BeginningTurn:
        """What the call does about its beginning; where it waits for another, when that is over."""
        until, waits = self._clock() + wait_s, False
        exchange.on_leave = lambda: self._wake(key)  # all wake, and the others go on waiting
        try:
            while (turn := self._writers.turn(key, exchange.number, self._clock())) is BeginningTurn.WAITS:
                left_s = until - self._clock()
                if left_s <= 0:
                    break
                if client.exchange is None:
                    client.watch(exchange)
                if exchange.client_gone:
                    raise ClientGone
                waits = True
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._begun.setdefault(key, asyncio.Event()).wait(), left_s)
                if exchange.client_gone:
                    raise ClientGone
        finally:
            exchange.on_leave = None
        if waits and turn is not BeginningTurn.WRITES:
            exchange.tags = {**exchange.tags, TAG: "read" if turn is BeginningTurn.READS else "late"}
        return turn

    def _record(self, key: bytes, exchange: Exchange) -> None:
        """The reply begins: who waits need not any longer."""
        if exchange.answer is not None and exchange.answer.status == OK:
            ttl_s = LONG_S if _ONE_HOUR in exchange.edited else SHORT_S
            self._writers.reply_begun(key, self._clock(), ttl_s)
            self._wake(key)

    def _wake(self, key: bytes) -> None:
        begun = self._begun.pop(key, None)
        if begun is not None:
            begun.set()


def beginning_of(exchange: Exchange) -> bytes:
    """A digest of what stands before all messages, with whose cache it is in; empty where the call is not the first of
    its conversation, or where nothing of that is cached.
    """
    rules = _rules_of(exchange)
    if rules is None or not (rules.is_implicit or _is_marked(exchange.edited)):
        return b""
    prompt = exchange.prompt
    if not prompt.is_known or any(unit.is_by_model for unit in prompt.units):
        return b""
    stable = [unit for unit in prompt.units if not unit.is_message]
    if sum(unit.tokens for unit in stable) < rules.minimum:
        return b""
    owner, route = exchange.about.owner, exchange.route
    own_key = exchange.caller.own_key
    digest = blake2b(digest_size=16)
    for part in (
        *(name.encode() for name in (owner.team, owner.app, owner.user, owner.key, route.upstream.name, route.model)),
        b"" if own_key is None else own_key[1],
        *(b"%b %b %b" % (unit.kind.encode(), unit.tool.encode(), unit.digest) for unit in stable),
    ):
        digest.update(b"%d:" % len(part) + part)
    return digest.digest()


def _rules_of(exchange: Exchange) -> "CacheRules | None":
    from modicum.metering.prompt_cache import find_rules  # it loads numpy

    day = datetime.fromtimestamp(exchange.timing.started_s, UTC).date()
    return find_rules(exchange.route.model, day)


def _is_marked(body: bytes) -> bool:
    """Whether its caller, or a rule, marks something that stands before the messages."""
    if _MARK not in body:
        return False
    try:
        fields = _fields.decode(body)
    except UNREADABLE:  # its provider will say so
        return False
    return any(_MARK in bytes(fields.get(name, b"")) for name in _STABLE)
