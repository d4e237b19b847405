"""Calls on one budget, as their caller and their provider see them: both are played here, so what is true is known.

Prices are whole millionths of a dollar a token, so that all amounts are whole numbers and headers show them exactly.
The provider bills what it has written, a token a word, also where it breaks off, tells no usage, or nobody reads on.
"""

import asyncio
import json
import random
import re
from typing import NamedTuple

MODEL, UNPRICED = "bench-model", "nobody-has-a-price-for-this"
INPUT, OUTPUT = 1, 10
"""Millionths of a dollar a token."""
PRICES = f'[[price]]\nmodel = "{MODEL}"\ninput = {INPUT}\noutput = {OUTPUT}\n'
PROMPT_TOKENS = 5
"""As the provider counts it: less than anybody would bound it by."""
MOST_TOKENS = (20, 100, 300)
FAULTS = ["none"] * 16 + ["500", "broken_off", "hang_up", "no_usage"]
CERTAIN = frozenset({"none", "500"})
"""Faults after which everybody knows what a call has cost."""
NEEDS = re.compile(r"this call may cost \$([0-9.]+)")


class Reply(NamedTuple):
    status: int
    left: int | None
    """What the header says is left, in millionths of a dollar."""
    body: bytes
    is_whole: bool


async def ask(port, key, task, body, *, number="", fault="none", leaves_after_s=None):
    """One call on a connection of its own. Status 0: the connection failed, or the caller left."""
    data = json.dumps(body, separators=(",", ":")).encode()
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {key}\r\n"
        f"x-modicum-task: {task}\r\nx-task: {task}\r\nx-number: {number}\r\nx-fault: {fault}\r\nconnection: close\r\n"
        f"content-length: {len(data)}\r\n\r\n"
    )
    writer = None
    try:
        async with asyncio.timeout(leaves_after_s or 60):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(head.encode() + data)
            text = await reader.read()
    except (OSError, TimeoutError):
        return Reply(0, None, b"", is_whole=False)
    finally:
        if writer is not None:
            writer.transport.abort()
    return _parsed(text, streams=bool(body.get("stream")))


def _parsed(text, *, streams):
    head, _, rest = text.partition(b"\r\n\r\n")
    words = head.split(None, 2)
    if len(words) < 2 or not words[1].isdigit():
        return Reply(0, None, b"", is_whole=False)
    found = re.search(rb"x-modicum-budget-left: [^;]+; usd=([0-9.]+)", head)
    left = round(float(found[1]) * 1e6) if found else None
    whole = rest.endswith(b"0\r\n\r\n") and b"[DONE]" in rest if streams else rest.rstrip().endswith(b"}")
    return Reply(int(words[1]), left, rest, whole)


class Provider(asyncio.Protocol):
    """Answers as the request's `x-fault` says, and remembers what it would send a bill for."""

    billed: dict = {}  # noqa: RUF012 - one for all connections
    """By task and the call's number, in millionths of a dollar."""
    received: set = set()  # noqa: RUF012 - as above
    unpriced = 0
    under_way = 0

    def connection_made(self, transport):
        self.transport, self.data = transport, b""

    def data_received(self, data):
        self.data += data
        head, blank, rest = self.data.partition(b"\r\n\r\n")
        if not blank:
            return
        headers = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
        length = int(headers[b"content-length"])
        if len(rest) >= length:
            self.data = rest[length:]
            words = [headers.get(name, b"").decode() for name in (b"x-task", b"x-number", b"x-fault")]
            self.replying = asyncio.ensure_future(self._counted(words, json.loads(rest[:length])))

    async def _counted(self, words, body):
        Provider.under_way += 1
        try:
            await self._reply(*words, body)
        finally:
            Provider.under_way -= 1

    async def _reply(self, task, number, fault, body):
        Provider.unpriced += body["model"] == UNPRICED
        Provider.received.add((task, number))
        output, key = random.choice([1, body["max_tokens"] // 2, body["max_tokens"]]), (task, number)
        if fault not in {"500", "hang_up"}:
            self._bill(key, PROMPT_TOKENS * INPUT)
        await asyncio.sleep(random.random() * 0.2)
        usage = {"prompt_tokens": PROMPT_TOKENS, "completion_tokens": output, "total_tokens": PROMPT_TOKENS + output}
        head = {"id": f"chatcmpl-{random.getrandbits(116):029x}", "created": 1, "model": MODEL}
        if fault == "500":
            self._write_whole(json.dumps({"error": {"message": "no", "type": "x", "code": "y"}}).encode(), 500)
        elif fault == "hang_up":
            self.transport.close()
        elif body.get("stream"):
            await self._stream(head, usage, fault, key)
        else:
            self._bill(key, output * OUTPUT)
            message = {"role": "assistant", "content": " word" * output}
            told = head | {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
            told |= {} if fault == "no_usage" else {"usage": usage}
            self._write_whole(json.dumps(told).encode(), 200, cut=fault == "broken_off")

    def _write_whole(self, body, status, *, cut=False):
        self.transport.write(f"HTTP/1.1 {status} X\r\ncontent-length: {len(body)}\r\n\r\n".encode())
        self.transport.write(body[: len(body) // 2] if cut else body)
        if cut:
            self.transport.close()

    async def _stream(self, head, usage, fault, key):
        self.transport.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        left = usage["completion_tokens"]
        while left and not self.transport.is_closing():
            words = min(left, 10)
            self._bill(key, words * OUTPUT)
            self._write_event(head | {"choices": [{"index": 0, "delta": {"content": " word" * words}}]})
            left -= words
            if fault == "broken_off":
                self.transport.close()
                return
            await asyncio.sleep(0.005)
        self._write_event(head | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        if fault != "no_usage":
            self._write_event(head | {"choices": [], "usage": usage})
        self.transport.write(b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n")

    def _write_event(self, document):
        event = b"data: %b\n\n" % json.dumps(document).encode()
        self.transport.write(b"%x\r\n%b\r\n" % (len(event), event))

    @staticmethod
    def _bill(key, amount):
        Provider.billed[key] = Provider.billed.get(key, 0) + amount


def request(most_tokens, *, streams=False, model=MODEL):
    messages = [{"role": "user", "content": "What is the capital of France?"}]
    return {"model": model, "messages": messages, "max_tokens": most_tokens, "stream": streams}


class Account:
    """What one budget's calls may have cost at most, moment by moment, and whether a refusal can have been right."""

    def __init__(self, task, limit):
        self.task, self.limit = task, limit
        self.most = self.least = 0
        """What all calls so far count as at most, and at least."""
        self._waiting = {}
        self.refused_wrongly = []

    def begin(self, number, worst):
        for one in self._waiting.values():
            one[1] += worst
            one[2] = max(one[2], one[1])
        self._waiting[number] = [worst, self.most + sum(one[0] for one in self._waiting.values())]
        self._waiting[number].append(self._waiting[number][1])

    def end(self, number, least, most):
        """It counts as so much."""
        worst = self._waiting.pop(number)[0]
        self.least, self.most = self.least + least, self.most + most
        for one in self._waiting.values():
            one[1] += most - worst

    def refuse(self, number, text):
        """A refusal is wrong for certain if the call would have fitted beside all that others may have held at most, at
        every moment from its sending to its refusal.
        """
        worst, _, others = self._waiting[number]
        if others + worst <= self.limit:
            self.refused_wrongly.append((self.task, others, worst, text))
        self.end(number, 0, 0)
