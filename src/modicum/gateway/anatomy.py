"""Contexts of live calls, off the reply's path: digests while the upstream works; in another thread each new text's
tokens are counted, and what it holds of secrets and personal data. The texts are kept nowhere.

Which conversation a context continues is found out later, where the ledger is written (`context/conversations.py`).
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from modicum.context.conversations import ContextPart
from modicum.context.segmenter import ToolCalls, prints
from modicum.gateway.exchange import Exchange
from modicum.metering.digests import Digester
from modicum.metering.tokens import count_tokens, encoding_for
from modicum.providers.blocks import Block
from modicum.redaction import finding

MOST_WAITING = 2_000
"""Calls whose new parts wait to be counted. Beyond it parts are estimated by their length and not looked at, as
everything waits in memory."""
MOST_COUNTS = 200_000
CHARACTERS_PER_TOKEN = 4

Uncounted = list[tuple[ContextPart, str]]


class Counts(NamedTuple):
    """What is known of one text."""

    tokens: int
    seen: dict[str, int]


UNCOUNTABLE = Counts(0, {})
"""Of what has no text."""


class Anatomist:
    """Used from the event loop; `late` is called there when a context has been counted after its call was recorded."""

    def __init__(self, digester: Digester, late: Callable[[Exchange], None]) -> None:
        self._digester, self._late = digester, late
        self._thread = ThreadPoolExecutor(1, "tokens")
        self._waiting = 0
        self._counts: OrderedDict[tuple[bytes, str], Counts] = OrderedDict()
        self._thread.submit(count_tokens, "warm", "gpt-4o")

    @property
    def thread(self) -> ThreadPoolExecutor:
        """Where anything else that counts tokens belongs, too."""
        return self._thread

    def take(self, exchange: Exchange) -> None:
        """Digests the context and starts the counting of what is new in it."""
        model = exchange.facts.model
        context, uncounted = self._digested(exchange.request.served.dialect.segments(exchange.edited), model)
        exchange.context = context
        if not uncounted:
            return
        if self._waiting >= MOST_WAITING:
            for part, text in uncounted:
                part.tokens = len(text) // CHARACTERS_PER_TOKEN + 1
            return
        self._waiting += 1
        loop = asyncio.get_running_loop()
        self._thread.submit(lambda: loop.call_soon_threadsafe(self._counted, exchange, _count_all(uncounted, model)))

    def close(self) -> None:
        self._thread.shutdown(cancel_futures=True)

    def _digested(self, blocks: Sequence[Block], model: str) -> tuple[list[ContextPart], Uncounted]:
        """The parts, and those of them that nobody has counted yet, with their texts."""
        encoding = encoding_for(model)[0]
        parts: list[ContextPart] = []
        uncounted: Uncounted = []
        for found in prints(self._digester, blocks, ToolCalls()):
            known = self._counts.get((found.digest, encoding)) if found.text else UNCOUNTABLE
            tokens, seen = known or (None, None)
            part = ContextPart(
                found.kind, found.tool, found.digest, found.detail, found.is_error, tokens, seen, found.basis
            )
            parts.append(part)
            if known is None:
                uncounted.append((part, found.text))
        return parts, uncounted

    def _counted(self, exchange: Exchange, counts: list[tuple[ContextPart, Counts]]) -> None:
        self._waiting -= 1
        encoding = encoding_for(exchange.facts.model)[0]
        for part, known in counts:
            part.tokens, part.seen = known
            self._counts[part.digest, encoding] = known
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
    return [(part, Counts(count_tokens(text, model), finding.seen(text))) for part, text in parts]
