"""A gateway that keeps caches warm, in front of the mock provider; time is what the test says it is."""

import asyncio
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial

import httpx2 as httpx

from gateway.budgets.budget_rig import with_budgets
from gateway.rig import running, wait_until
from gateway.team_rig import mock_provider
from modicum.gateway.warming.sending_pings import send_ping
from modicum.settings import GatewaySettings, OptimizeSettings, Settings, UpstreamSettings

MODEL = "claude-sonnet-4-6"
LONG = "All work and no play makes Jack a dull boy. " * 400
USE_KEY = "a-key-of-the-mock"


def message_body(*turns, **fields):
    """A request whose instructions are long enough to be cached."""
    system = [{"type": "text", "text": LONG, "cache_control": {"type": "ephemeral"}}]
    messages = [{"role": ("user", "assistant")[place % 2], "content": turn} for place, turn in enumerate(turns)]
    return {"model": MODEL, "max_tokens": 100, "system": system, "messages": messages} | fields


class WarmRig:
    def __init__(self, rig, mock):
        self.rig, self.mock = rig, mock

    @property
    def keeper(self):
        return self.rig.gateway.parts.keeper

    def call(self, *turns, key=USE_KEY, headers=None, **fields):
        """A call of a caller with a key of its own; waits until it is settled."""
        before = len(self.rig.records())
        sent = {"x-api-key": key} | (headers or {})
        reply = httpx.post(f"{self.rig.url}/v1/messages", json=message_body(*turns, **fields), headers=sent)
        assert reply.status_code == 200, reply.text
        record = self.rig.wait_for_records(before + 1)[-1]
        self.on_loop(asyncio.sleep(0))
        return record

    def ping(self, after_s, call):
        """What the gateway's own watch does, as if so many seconds had passed since a call."""
        at = call.finished.timestamp() + after_s
        return self.on_loop(self.keeper.ping_due(at, partial(send_ping, self.rig.gateway.pipeline)))

    def on_loop(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.rig.loop).result(10)


@contextmanager
def warm_rig(folder, *, budget=(), **optimize):
    with mock_provider() as mock:

        def settings(port):
            upstream = UpstreamSettings(url=f"{mock.url}/v1", speaks="anthropic", models=("claude-*",), own_keys=True)
            return Settings(
                gateway=GatewaySettings(listen="127.0.0.1:0", most_calls=16, own_keys=True),
                upstreams={"anthropic": upstream},
                optimize=OptimizeSettings(**{"keep_warm": True} | optimize),
            )

        folder.mkdir(exist_ok=True)
        with with_budgets(folder, *budget, settings=settings) if budget else running(folder, settings) as rig:
            warm = WarmRig(rig, mock)
            find = rig.gateway.parts.rates.find
            wait_until(lambda: find("anthropic", datetime.now(UTC), 5000, MODEL) is not None)
            yield warm
