"""A gateway in a thread, and a provider behind it that serves the fixtures of the dialects and misbehaves on demand.

The provider is told by headers, which the settings let pass: `x-fixture` names a file of tests/providers/fixtures,
`x-status` its status, `x-fault` what goes wrong.
"""

import asyncio
import gzip
import json
import sqlite3
import threading
import time
import zlib
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx2 as httpx
import msgspec
import uvloop
from backports import zstd

from modicum.calls import Call, Outcome, Owner
from modicum.context.conversations import ContextPart
from modicum.gateway.process.server import Gateway
from modicum.governance.keys import issue
from modicum.ledger.events import EventFile
from modicum.ledger.opening import open_store
from modicum.ledger.shipper import Shipper
from modicum.metering.prices import PriceBook
from modicum.settings import GatewaySettings, Settings, UpstreamSettings

FIXTURES = Path(__file__).parent.parent / "providers" / "fixtures"
DIGEST_KEY = b"d" * 32
CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "What is the capital of France?"}]}


class Provider:
    """Speaks HTTP/1.1 by hand, so that it can break it."""

    def __init__(self):
        self.asked = []  # (request line, headers, body)
        self.usual_fixture = "openai-chat/cached.json"
        self.repeat = 1
        self.raw = b""  # what `x-fault: raw` answers, byte for byte, before it hangs up
        self.hold = asyncio.Event()
        self.left = threading.Event()  # a connection was closed by the gateway while a reply was under way

    async def start(self):
        self.server = await asyncio.start_server(self.serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]

    async def serve(self, reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                line, *rest = head.decode("latin-1").split("\r\n")
                headers = dict(part.split(": ", 1) for part in rest if part)
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                self.asked.append((line, headers, body))
                if not await self.reply(headers, reader, writer):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def reply(self, headers, reader, writer):
        fault = headers.get("x-fault", "")
        if fault == "hang_up":
            return False
        if fault in {"raw", "no_http"}:
            writer.write(self.raw if fault == "raw" else b"220 smtp ready\r\n")
            return False
        name = headers.get("x-fixture", self.usual_fixture)
        data = (FIXTURES / name).read_bytes()
        status = headers.get("x-status", "200")
        data, coding = packed(data, headers.get("x-coding", ""))
        if fault == "hold":
            await self.gone_or_released(reader)
        if name.endswith(".json"):
            if fault == "broken_off":
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(data) + data[: len(data) // 2])
                return False
            kind = b"content-type: application/json\r\n" + coding
            writer.write(b"HTTP/1.1 %s X\r\n%bcontent-length: %d\r\n\r\n" % (status.encode(), kind, len(data)) + data)
            await writer.drain()
            return True
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nset-cookie: a=b\r\n%b"
            b"transfer-encoding: chunked\r\n\r\n" % coding
        )
        cut = int(headers.get("x-cut", "100"))
        data *= self.repeat
        cut *= self.repeat
        pieces = [data[at : at + cut] for at in range(0, len(data), cut)]
        for number, piece in enumerate(pieces):
            if fault == "broken_off" and number == len(pieces) // 2:
                await writer.drain()
                return False
            if fault == "stall" and number == len(pieces) // 2:
                await writer.drain()
                await self.gone_or_released(reader)
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return True

    async def gone_or_released(self, reader):
        while not self.hold.is_set():
            if reader.at_eof():
                self.left.set()
                raise ConnectionError
            await asyncio.sleep(0.01)


def packed(data, coding):
    """A body as those send it who compress, and the header that says so."""
    if not coding:
        return data, b""
    pack = {"gzip": gzip.compress, "deflate": zlib.compress, "zstd": zstd.compress, "br": lambda data: data[::-1]}
    return pack[coding](data), f"content-encoding: {coding}\r\n".encode()


class Rig:
    """What a test sees of the two."""

    def __init__(self, folder, settings):
        self.folder = folder
        self.settings = settings
        self.provider = Provider()
        self.gateway = None
        self.failure = None
        self.releases = True
        """Whether what the provider holds is released at the end, before the gateway drains."""
        self.key = self.issue_key("ci", team="platform")

    def issue_key(self, name, models=(), **owner):
        events = EventFile(self.folder / "events.sqlite")
        key, event = issue(Owner(key=name, **owner), models, datetime.now(UTC), "test", DIGEST_KEY)
        events.append("key", event)
        events.close()
        return key

    @property
    def url(self):
        return f"http://127.0.0.1:{self.gateway.server.port}"

    def headers(self, **more):
        return {"authorization": f"Bearer {self.key}"} | {name.replace("_", "-"): value for name, value in more.items()}

    def release(self):
        self.loop.call_soon_threadsafe(self.provider.hold.set)

    def records(self, kind="call"):
        """What the journal holds."""
        types = {"call": Call, "context": list[ContextPart], "outcome": Outcome}
        base = sqlite3.connect(self.folder / "journal" / "gateway.sqlite")
        rows = base.execute("SELECT body FROM records WHERE kind = ? ORDER BY seq", (kind,)).fetchall()
        base.close()
        return [msgspec.msgpack.decode(body, type=types[kind]) for (body,) in rows]

    def shipped(self):
        """What a ledger would have of it, in order of time."""
        store = open_store(":memory:")
        shipper = Shipper(self.folder / "journal", store, PriceBook())
        shipper.ship()
        shipper.close()
        entries = [entry for batch in store.entries() for entry in batch]
        store.close()
        return sorted(entries, key=lambda entry: entry.call.started)

    def wait_for_records(self, count, kind="call", seconds=5.0):
        until = time.monotonic() + seconds
        while len(found := self.records(kind)) < count and time.monotonic() < until:
            time.sleep(0.01)
        assert len(found) == count
        return found

    def start(self):
        ready = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(ready,))
        self.thread.start()
        assert ready.wait(20)
        if self.failure is not None:
            raise self.failure

    def stop(self):
        self.loop.call_soon_threadsafe(self.gateway.server.drain)
        self.thread.join(20)
        assert not self.thread.is_alive()

    def _run(self, ready):
        try:
            uvloop.run(self._serve(ready))
        except BaseException as error:  # noqa: BLE001 - handed to the test
            self.failure = error
            ready.set()

    async def _serve(self, ready):
        self.loop = asyncio.get_running_loop()
        self.provider.hold.clear()
        await self.provider.start()
        settings = self.settings(self.provider.port)
        try:
            await self._until_told(settings, ready)
        finally:
            self.provider.server.close()

    async def _until_told(self, settings, ready):
        self.gateway = Gateway(settings, self.folder, DIGEST_KEY, lambda: self.settings(self.provider.port))
        serving = asyncio.ensure_future(self.gateway.serve())
        while not serving.done() and not (self.gateway.server and self.gateway.server.started):  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        if not serving.done():
            ready.set()
        await serving


def usual(**gateway):
    """Settings with one upstream of each kind, all of them the fake provider."""

    def settings(port):
        base = f"http://127.0.0.1:{port}"
        more = {"own_keys": True, "pass_headers": ("x-fixture", "x-status", "x-fault", "x-coding", "x-cut")}
        return Settings(
            gateway=GatewaySettings(listen="127.0.0.1:0", **{"most_calls": 64, "slow_client_s": 5.0} | gateway),
            upstreams={
                "openai": UpstreamSettings(url=f"{base}/v1", speaks="openai", models=("gpt-*", "text-*"), **more),
                "anthropic": UpstreamSettings(url=f"{base}/v1", speaks="anthropic", models=("claude-*",), **more),
                "gemini": UpstreamSettings(url=f"{base}/v1beta", speaks="gemini", models=("gemini-*",), **more),
            },
            models={"fast": "openai/gpt-4o-mini"},
        )

    return settings


@contextmanager
def running(folder, settings=None):
    rig = Rig(folder, settings or usual())
    rig.start()
    try:
        yield rig
    finally:
        if rig.releases:
            rig.release()
        rig.stop()


def facts_of(fixture):
    return json.loads((FIXTURES / f"{fixture}.facts.json").read_text())


def wait_until(condition, seconds=5.0):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def swallow(url, told, headers):
    try:
        httpx.post(url, json=told, headers=headers, timeout=10)
    except httpx.HTTPError:
        return
