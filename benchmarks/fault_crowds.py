"""A crowd at the gateway's door: idle connections, callers that send a byte at a time, and callers that stop reading.

Run by `scripts/bench faults --idle 5000`. Meanwhile ordinary callers make calls; what they get is compared with what
they got before the crowd came.
"""

import asyncio
import json
import os
import socket
import sys
import tempfile
import time
from pathlib import Path

import load
from fault_lives import Modicum

CALLERS = 8
SLOW = 100
"""Callers that send slowly, of each kind."""
LET_GO_S = 3.0
"""The setting `slow_client_s` of this run."""
WATCHED_S = 24.0
"""Longer than the gateway waits for the head of a request."""
EVENT = (
    b"data: %b\n\n"
    % json.dumps(
        {"id": "chatcmpl-crowd0000000000000000", "object": "chat.completion.chunk", "model": "gpt-4o-mini"}
        | {"choices": [{"index": 0, "delta": {"content": "word " * 1000}, "finish_reason": None}]}
    ).encode()
)
EVENTS = 4_000
"""Of a stream that nobody reads: 20 MB."""
REPLY = json.dumps(
    {"id": "chatcmpl-crowd0000000000000001", "object": "chat.completion", "model": "gpt-4o-mini", "created": 1}
    | {"choices": [{"index": 0, "message": {"role": "assistant", "content": "Paris"}, "finish_reason": "stop"}]}
    | {"usage": {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}}
).encode()


async def upstream(reader, writer):
    """A reply to each request; to one that streams a long one, as fast as it is read. Says when one was given up."""
    streams = False
    try:
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            if b'"stream"' not in await reader.readexactly(length):
                kind = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
                writer.write(kind % len(REPLY) + REPLY)
                continue
            streams = True
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
            for _ in range(EVENTS):
                writer.write(b"%x\r\n%b\r\n" % (len(EVENT), EVENT))
                await writer.drain()
            writer.write(b"0\r\n\r\n")
            streams = False
    except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
        if streams:
            print(time.monotonic(), flush=True)
    writer.close()


async def serve_upstream():
    """In a process of its own, so that callers are not measured beside its work. Says its port first."""
    server = await asyncio.start_server(upstream, "127.0.0.1", 0, backlog=1000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def moments(lines, given_up):
    """Collects when the gateway gave up a stream that nobody read."""
    async for line in lines:
        given_up.append(float(line))


class Idle(asyncio.Protocol):
    """A connection, and when it was closed."""

    def __init__(self):
        self.closed_s = None

    def connection_made(self, transport):
        self.transport = transport

    def connection_lost(self, exc):  # noqa: ARG002 - asyncio's interface
        self.closed_s = time.monotonic()


async def connect(port, *, reads=True):
    """One that does not read has as much room for what it is sent as the system gives it: some megabytes."""
    loop = asyncio.get_running_loop()
    own = socket.socket()
    own.settimeout(0)
    await loop.sock_connect(own, ("127.0.0.1", port))
    transport, idle = await loop.create_connection(Idle, sock=own)
    if not reads:
        transport.pause_reading()
    return idle


async def called(port, request, seconds):
    """What ordinary callers get: calls, those that went well, and how long they waited."""
    figures = await load.closed_loop(port, CALLERS, seconds, lambda _: request)
    taken = sorted(figures["latencies_s"])
    return {
        "calls": figures["calls"],
        "faults": figures["faults"],
        "p50_ms": taken[len(taken) // 2] * 1e3,
        "p99_ms": taken[int(len(taken) * 0.99)] * 1e3,
        "longest_ms": taken[-1] * 1e3,
    }


async def drip(idle, data):
    """A byte every quarter of a second, until the gateway has enough."""
    for place in range(len(data)):
        if idle.closed_s is not None:
            return
        idle.transport.write(data[place : place + 1])
        await asyncio.sleep(0.25)


def let_go(ends_s, started_s):
    """How many were closed, and after how many seconds the last of them."""
    closed = [end_s - started_s for end_s in ends_s if end_s is not None]
    return {"of": len(ends_s), "let_go": len(closed), "last_after_s": round(max(closed, default=0.0), 1)}


def resident_mb(pid):
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


async def crowd(modicum, key, count, readers, given_up):
    port = modicum.gateway
    body = b'{"model":"gpt-4o-mini","messages":[{"role":"user","content":"capital?"}],"max_tokens":9}'
    request = load.request_bytes(port, body, key=key)
    (worker,) = modicum.parts("worker")
    figures = {"before": await called(port, request, 4.0), "resident_mb_before": resident_mb(worker)}
    opened_s = time.monotonic()
    idle = [await connect(port) for _ in range(count)]
    figures |= {"resident_mb_idle": resident_mb(worker), "with_idle": await called(port, request, 4.0)}
    started_s = time.monotonic()
    head, _, rest = request.partition(b"\r\n\r\n")
    slow = {"heads": [await connect(port) for _ in range(SLOW)], "bodies": [await connect(port) for _ in range(SLOW)]}
    slow["readers"] = [await connect(port, reads=False) for _ in range(readers)]
    for one in slow["bodies"]:
        one.transport.write(head + b"\r\n\r\n")
    streamed = load.request_bytes(port, body.replace(b'"max_tokens":9', b'"stream":true'), key=key)
    for one in slow["readers"]:
        one.transport.write(streamed)
    dripping = [asyncio.ensure_future(drip(one, head)) for one in slow["heads"]]
    dripping += [asyncio.ensure_future(drip(one, rest)) for one in slow["bodies"]]
    figures |= {"with_all": await called(port, request, WATCHED_S), "resident_mb_all": resident_mb(worker)}
    figures["idle"] = let_go([one.closed_s for one in idle], opened_s)
    for kind in ("heads", "bodies"):
        figures[f"slow_{kind}"] = let_go([one.closed_s for one in slow[kind]], started_s)
    # A caller that does not read does not see its end either: its upstream does.
    figures["slow_readers"] = let_go([*given_up, *[None] * (readers - len(given_up))], started_s)
    for one in dripping:
        one.cancel()
    for one in [*idle, *slow["heads"], *slow["bodies"], *slow["readers"]]:
        one.transport.abort()
    figures["after"] = await called(port, request, 4.0)
    return figures


async def measure_crowd(count, readers):
    """The figures of one gateway process with a crowd of so many idle connections, and of callers that do not read."""
    with tempfile.TemporaryDirectory() as name:
        server = await asyncio.create_subprocess_exec(sys.executable, __file__, stdout=asyncio.subprocess.PIPE)
        modicum, given_up = Modicum(Path(name), 1, int(await server.stdout.readline())), []
        watching = asyncio.ensure_future(moments(server.stdout, given_up))
        settings = modicum.folder / "modicum.toml"
        settings.write_text(settings.read_text().replace("[gateway]\n", f"[gateway]\nslow_client_s = {LET_GO_S}\n"))
        key = modicum.key()
        modicum.start()
        try:
            if not await modicum.serves():
                raise SystemExit("it does not start:\n" + (modicum.folder / "up.log").read_text())
            return await crowd(modicum, key, count, readers, given_up)
        finally:
            modicum.up.terminate()
            await asyncio.to_thread(modicum.up.wait, 60)
            watching.cancel()
            server.terminate()
            await server.wait()


if __name__ == "__main__":
    asyncio.run(serve_upstream())
