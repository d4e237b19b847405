"""Contexts of live calls, off the reply's path: digests while the upstream works; in another thread each new text's
tokens are counted, and what it holds of secrets and personal data. The texts are kept nowhere.

Which conversation a context continues is found out later, where the ledger is written (`ledger/conversations.py`).
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from modicum.calls import SegmentKind
from modicum.gateway.exchange import Exchange
from modicum.ledger.conversations import ContextPart
from modicum.metering.digests import Digester
from modicum.metering.tokens import count_tokens
from modicum.privacy.detection import count_sensitive_values
from modicum.providers.blocks import Block

MOST_WAITING = 2_000
"""Calls whose new parts wait to be counted. Beyond it parts are estimated by their length and not looked at, as
everything waits in memory."""
MOST_COUNTS = 200_000
CHARACTERS_PER_TOKEN = 4
_ABOUT = (SegmentKind.TOOL_CALL, SegmentKind.TOOL_RESULT)

Uncounted = list[tuple[ContextPart, str]]


class Counts(NamedTuple):
    """What is known of one text."""

    tokens: int
    seen: dict[str, int]


class Anatomist:
    """Used from the event loop; `late` is called there when a context has been counted after its call was recorded."""

    def __init__(self, digester: Digester, late: Callable[[Exchange], None]) -> None:
        self._digester, self._late = digester, late
        self._thread = ThreadPoolExecutor(1, "tokens")
        self._waiting = 0
        self._counts: OrderedDict[bytes, Counts] = OrderedDict()
        self._thread.submit(count_tokens, "warm", "gpt-4o")

    @property
    def thread(self) -> ThreadPoolExecutor:
        """Where anything else that counts tokens belongs, too."""
        return self._thread

    def take(self, exchange: Exchange) -> None:
        """Digests the context and starts the counting of what is new in it."""
        context, uncounted = self._digested(exchange.request.served.dialect.segments(exchange.edited))
        exchange.context = context
        if not uncounted:
            return
        if self._waiting >= MOST_WAITING:
            for part, text in uncounted:
                part.tokens = len(text) // CHARACTERS_PER_TOKEN + 1
            return
        self._waiting += 1
        loop, model = asyncio.get_running_loop(), exchange.facts.model
        self._thread.submit(lambda: loop.call_soon_threadsafe(self._counted, exchange, _count_all(uncounted, model)))

    def close(self) -> None:
        self._thread.shutdown(cancel_futures=True)

    def _digested(self, blocks: Sequence[Block]) -> tuple[list[ContextPart], Uncounted]:
        """The parts, and those of them that nobody has counted yet, with their texts."""
        digest, counts = self._digester.digest, self._counts
        arguments = {
            block.call: digest(block.text) for block in blocks if block.kind is SegmentKind.TOOL_CALL and block.call
        }
        parts: list[ContextPart] = []
        uncounted: Uncounted = []
        for block in blocks:
            own = digest(block.text)
            detail = arguments.get(block.call, b"") if block.kind in _ABOUT else b""
            known = counts.get(own)
            part = ContextPart(block.kind, block.tool, own, detail, block.is_error, *(known or (None, None)))
            parts.append(part)
            if known is None:
                uncounted.append((part, block.text))
        return parts, uncounted

    def _counted(self, exchange: Exchange, counts: list[tuple[ContextPart, Counts]]) -> None:
        self._waiting -= 1
        for part, known in counts:
            part.tokens, part.seen = known
            self._counts[part.digest] = known
        while len(self._counts) > MOST_COUNTS:
            self._counts.popitem(last=False)
        if exchange.late_context:
            exchange.late_context = False
            self._late(exchange)


def counted(context: list[ContextPart] | None) -> list[ContextPart] | None:
    """The context, if there is one and all of it is counted."""
    if context is None or any(part.tokens is None for part in context):
        return None
    return context


def _count_all(parts: Uncounted, model: str) -> list[tuple[ContextPart, Counts]]:
    return [(part, Counts(count_tokens(text, model), count_sensitive_values(text))) for part, text in parts]
