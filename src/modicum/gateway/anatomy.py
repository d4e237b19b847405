"""Contexts of live calls, off the reply's path: digests while the upstream works; in another thread each new text's
tokens are counted, and what it holds of secrets and personal data. The texts are kept nowhere.

Which conversation a context continues is found out later, where the ledger is written (`context/conversations.py`).
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from modicum.context.conversations import ContextPart
from modicum.context.live import Counts, LiveContext, LiveContexts, Uncounted
from modicum.gateway.exchange import Exchange
from modicum.metering.digests import Digester
from modicum.metering.tokens import count_tokens
from modicum.privacy.detection import count_sensitive_values

MOST_WAITING = 2_000
"""Calls whose new parts wait to be counted. Beyond it parts are estimated by their length and not looked at, as
everything waits in memory."""
CHARACTERS_PER_TOKEN = 4


class Anatomist:
    """Used from the event loop; `late` is called there when a context has been counted after its call was recorded."""

    def __init__(self, digester: Digester, late: Callable[[Exchange], None]) -> None:
        self._late = late
        self._contexts = LiveContexts(digester)
        self._thread = ThreadPoolExecutor(1, "tokens")
        self._waiting = 0
        self._thread.submit(count_tokens, "warm", "gpt-4o")

    @property
    def thread(self) -> ThreadPoolExecutor:
        """Where anything else that counts tokens belongs, too."""
        return self._thread

    def take(self, exchange: Exchange) -> None:
        """Digests the context and starts the counting of what is new in it."""
        model = exchange.facts.model
        context, uncounted = self._contexts.take(
            exchange.request.served.dialect, exchange.edited, model, exchange.split
        )
        exchange.context = context
        if not uncounted:
            return
        if self._waiting >= MOST_WAITING:
            for part, text in uncounted:
                part.tokens = len(text) // CHARACTERS_PER_TOKEN + 1
            return
        self._waiting += 1
        loop = asyncio.get_running_loop()
        self._thread.submit(
            lambda: loop.call_soon_threadsafe(self._counted, exchange, context, _count_all(uncounted, model))
        )

    def close(self) -> None:
        self._thread.shutdown(cancel_futures=True)

    def _counted(self, exchange: Exchange, context: LiveContext, counts: list[tuple[ContextPart, Counts]]) -> None:
        self._waiting -= 1
        self._contexts.counted(context, counts)
        if exchange.late_context:
            exchange.late_context = False
            self._late(exchange)


def counted(context: LiveContext | None) -> list[ContextPart] | None:
    """The parts of the context, if there is one and all of it is counted or estimated."""
    if context is None or not (context.is_counted or all(part.tokens is not None for part in context.parts)):
        return None
    return context.parts


def _count_all(parts: Uncounted, model: str) -> list[tuple[ContextPart, Counts]]:
    return [(part, Counts(count_tokens(text, model), count_sensitive_values(text))) for part, text in parts]
