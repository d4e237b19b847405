"""A gateway with budgets, an upstream that answers by script, and a ledger that takes what the journal holds."""

import asyncio
import threading
from contextlib import contextmanager
from decimal import Decimal

import httpx2 as httpx
import msgspec

from gateway.rig import DIGEST_KEY
from gateway.scripted import PATHS, Upstream, all_upstreams, whole
from modicum.gateway.process.server import Gateway
from modicum.ledger.opening import open_store
from modicum.ledger.shipper import Shipper
from modicum.metering.prices import PriceBook
from modicum.settings import BudgetSettings, StateSettings

LEFT = "x-modicum-budget-left"
MESSAGES = [{"role": "user", "content": "What is the capital of France?"}]


def chat_reply(completion_tokens=10, prompt_tokens=10, model="gpt-4o-mini", number=[0]):  # noqa: B006 - counts calls
    number[0] += 1
    usage = {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens}
    message = {"index": 0, "message": {"role": "assistant", "content": "Paris"}, "finish_reason": "stop"}
    usage["total_tokens"] = prompt_tokens + completion_tokens
    head = {"id": f"chatcmpl-AbCdEfGhIjKlMnOp{number[0]:08d}", "object": "chat.completion", "model": model}
    return whole(head | {"choices": [message], "usage": usage})


def gpt_4o_mini_usd(prompt_tokens, completion_tokens):
    return prompt_tokens * Decimal("0.15e-6") + completion_tokens * Decimal("0.6e-6")


class Ledger:
    """The ledger process in small: ships what the journals hold whenever it is asked."""

    def __init__(self, folder):
        self.path = folder / "ledger.duckdb"
        self.journals = folder / "journal"
        self.lock = threading.Lock()

    def ship(self):
        with self.lock:
            store = open_store(str(self.path))
            shipper = Shipper(self.journals, store, PriceBook())
            shipper.ship()
            shipper.close()
            store.close()

    @contextmanager
    def open(self):
        with self.lock:
            store = open_store(str(self.path))
            try:
                yield store
            finally:
                store.close()

    def entries(self):
        self.ship()
        with self.open() as store:
            return [entry for batch in store.entries() for entry in batch]


class BudgetRig(Upstream):
    def __init__(self, folder, budgets, settings=all_upstreams, rules=(), state=None):
        self.budgets = budgets
        self.state = state or StateSettings()
        self.base = settings
        super().__init__(folder, self.make_settings)
        self.ledger = Ledger(folder)
        self.answers = chat_reply()
        self.rules = rules

    def make_settings(self, port):
        return msgspec.structs.replace(self.base(port), budget=tuple(self.budgets), state=self.state)

    async def _until_told(self, settings, ready):
        more = {"rules": self.rules, "open_ledger": self.ledger.open}
        self.gateway = Gateway(settings, self.folder, DIGEST_KEY, lambda: self.settings(self.provider.port), **more)
        serving = asyncio.ensure_future(self.gateway.serve())
        while not serving.done() and not (self.gateway.server and self.gateway.server.started):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        if not serving.done():
            ready.set()
        await serving

    def chat(self, max_tokens=10, model="gpt-4o-mini", headers=None, **body):
        sent = {"model": model, "messages": MESSAGES} | ({"max_tokens": max_tokens} if max_tokens else {}) | body
        return httpx.post(
            f"{self.url}{PATHS['openai-chat']}", json=sent, headers=self.headers() | (headers or {}), timeout=20
        )

    def restart(self):
        """The gateway again, from what it left on the disk."""
        self.stop()
        self.ledger.ship()
        self.start()

    def levels(self):
        """Spent and reserved of every counter."""
        counters = self.gateway.parts.budgets._counters
        return {name: (count.spent, count.reserved) for name, count in counters._counts.items()}

    def spent(self):
        return sum(spent for spent, _ in self.levels().values())

    def reserved(self):
        return sum(reserved for _, reserved in self.levels().values())


@contextmanager
def with_budgets(folder, *budgets, **more):
    rig = BudgetRig(folder, [BudgetSettings(**{"name": "all", "per": "day"} | one) for one in budgets], **more)
    rig.start()
    try:
        yield rig
    finally:
        rig.release()
        rig.stop()
