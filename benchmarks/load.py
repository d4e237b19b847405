"""Load for benchmarks: N connections that each send one request after another, from asyncio and httptools."""

import asyncio
import time
from collections.abc import Callable

import httptools


class Caller(asyncio.Protocol):
    """One connection; `ask` sends a request and returns (status, seconds to first byte, seconds, bytes). Then
    `longest_pause` says for how many seconds its reply stood still at most, after its first byte.
    """

    def connection_made(self, transport):
        self.transport = transport
        self.done = None

    def data_received(self, data):
        now = time.perf_counter()
        if not self.first:
            self.first = now
        else:
            self.longest_pause = max(self.longest_pause, now - self.last)
        self.last = now
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError as error:
            if not self.done.done():
                self.done.set_exception(ConnectionError(str(error)))

    def connection_lost(self, exc):  # noqa: ARG002 - asyncio's interface
        if self.done is not None and not self.done.done():
            self.done.set_exception(ConnectionError("lost"))

    def on_body(self, data):
        self.size += len(data)
        if self.keep is not None:
            self.keep.append(data)

    def on_message_complete(self):
        if not self.done.done():
            self.done.set_result(None)

    async def ask(self, request: bytes, keep: list | None = None) -> tuple[int, float, float, int]:
        self.parser = httptools.HttpResponseParser(self)
        self.done = asyncio.get_running_loop().create_future()
        self.first, self.size, self.keep, self.longest_pause = 0.0, 0, keep, 0.0
        start = time.perf_counter()
        self.transport.write(request)
        await self.done
        return self.parser.get_status_code(), self.first - start, time.perf_counter() - start, self.size


async def connect(port: int) -> Caller:
    _, caller = await asyncio.get_running_loop().create_connection(Caller, "127.0.0.1", port)
    return caller


def request_bytes(port: int, body: bytes, path: str = "/v1/chat/completions", key: str = "sk-own-test-key") -> bytes:
    head = (
        f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nauthorization: Bearer {key}\r\n"
        "accept: application/json\r\ncontent-type: application/json\r\nuser-agent: OpenAI/Python 3.0\r\n"
        "x-stainless-lang: python\r\nx-stainless-runtime: CPython\r\nx-stainless-retry-count: 0\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def closed_loop(port: int, connections: int, seconds: float, request: Callable[[int], bytes]) -> dict:
    """As fast as the server answers, on so many connections."""
    callers = [await connect(port) for _ in range(connections)]
    latencies: list[float] = []
    faults = 0
    end = time.perf_counter() + seconds

    async def work(caller: Caller, number: int) -> None:
        nonlocal faults
        while time.perf_counter() < end:
            status, _, taken, _ = await caller.ask(request(number))
            latencies.append(taken)
            faults += status != 200

    start = time.perf_counter()
    await asyncio.gather(*(work(caller, number) for number, caller in enumerate(callers)))
    taken = time.perf_counter() - start
    for caller in callers:
        caller.transport.close()
    return {"calls": len(latencies), "faults": faults, "per_second": len(latencies) / taken, "latencies_s": latencies}


async def open_loop(port: int, per_second: float, seconds: float, request: bytes) -> dict:
    """So many calls a second, whatever the server does."""
    idle: list[Caller] = []
    latencies: list[float] = []
    faults = 0
    tasks = []

    async def one() -> None:
        nonlocal faults
        caller = idle.pop() if idle else await connect(port)
        status, _, taken, _ = await caller.ask(request)
        latencies.append(taken)
        faults += status != 200
        idle.append(caller)

    start = time.perf_counter()
    for number in range(int(per_second * seconds)):
        wait = start + number / per_second - time.perf_counter()
        if wait > 0:
            await asyncio.sleep(wait)
        tasks.append(asyncio.ensure_future(one()))
    await asyncio.gather(*tasks)
    for caller in idle:
        caller.transport.close()
    return {"calls": len(latencies), "faults": faults, "latencies_s": latencies}
