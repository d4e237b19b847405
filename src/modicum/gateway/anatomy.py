"""Anatomy of live calls, off the reply's path: digests while the upstream works, token counts in another thread."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from modicum.gateway.conversations import Conversations, Part
from modicum.gateway.exchange import Exchange
from modicum.metering.tokens import count_tokens

MOST_WAITING = 2_000
"""Calls whose new parts wait to be counted. Beyond it parts are estimated by their length, as everything waits in
memory."""
CHARACTERS_PER_TOKEN = 4


class Anatomist:
    """Used from the event loop; `late` is called there when a context has been counted after its call was recorded."""

    def __init__(self, conversations: Conversations, late: Callable[[Exchange], None]) -> None:
        self._conversations = conversations
        self._late = late
        self._thread = ThreadPoolExecutor(1, "tokens")
        self._waiting = 0
        self._thread.submit(count_tokens, "warm", "gpt-4o")

    @property
    def thread(self) -> ThreadPoolExecutor:
        """Where anything else that counts tokens belongs, too."""
        return self._thread

    def place(self, exchange: Exchange) -> None:
        """Digests the context and starts the counting of what is new in it."""
        import asyncio

        facts, about = exchange.facts, exchange.about
        blocks = exchange.request.served.dialect.segments(exchange.edited)
        placed = self._conversations.place(about.owner.key, about.conversation, blocks, exchange.number)
        exchange.placed = placed
        if not placed.uncounted:
            return
        if self._waiting >= MOST_WAITING:
            for part, text in placed.uncounted:
                part.tokens = len(text) // CHARACTERS_PER_TOKEN + 1
            placed.uncounted = []
            return
        self._waiting += 1
        loop = asyncio.get_running_loop()
        todo, placed.uncounted = placed.uncounted, []
        self._thread.submit(lambda: loop.call_soon_threadsafe(self._counted, exchange, _count_all(todo, facts.model)))

    def close(self) -> None:
        self._thread.shutdown(cancel_futures=True)

    def _counted(self, exchange: Exchange, counts: list[tuple[Part, int]]) -> None:
        self._waiting -= 1
        for part, tokens in counts:
            self._conversations.counted(part, tokens)
        if exchange.late_anatomy:
            exchange.late_anatomy = False
            self._late(exchange)


def _count_all(parts: list[tuple[Part, str]], model: str) -> list[tuple[Part, int]]:
    return [(part, count_tokens(text, model)) for part, text in parts]
