"""A bare upstream for benchmarks: canned replies from asyncio and httptools, as cheap as Python gets.

python benchmarks/upstream_stub.py PORT [LATENCY_MS]
"""

import asyncio
import itertools
import json
import sys

import httptools
import uvloop

IDS = itertools.count(1)


def chat() -> bytes:
    return json.dumps(
        {
            "id": f"chatcmpl-{next(IDS):029d}",
            "object": "chat.completion",
            "created": 1700000000,
            "model": "gpt-4o-mini-2024-07-18",
            "choices": [
                {"index": 0, "message": {"role": "assistant", "content": "Paris. " * 20}, "finish_reason": "stop"}
            ],
            "usage": {
                "prompt_tokens": 250,
                "completion_tokens": 41,
                "total_tokens": 291,
                "prompt_tokens_details": {"cached_tokens": 128},
            },
        }
    ).encode()


def chunks(usage: bool) -> list[bytes]:
    head = {"id": f"chatcmpl-{next(IDS):029d}", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o-mini"}
    made = [head | {"choices": [{"index": 0, "delta": {"content": "word "}, "finish_reason": None}]} for _ in range(20)]
    made.append(head | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    if usage:
        made.append(
            head | {"choices": [], "usage": {"prompt_tokens": 250, "completion_tokens": 20, "total_tokens": 270}}
        )
    return [b"data: " + json.dumps(one).encode() + b"\n\n" for one in made] + [b"data: [DONE]\n\n"]


class Stub(asyncio.Protocol):
    latency_s = 0.0
    gap_s = 0.0

    def connection_made(self, transport):
        self.transport = transport
        self.parser = httptools.HttpRequestParser(self)
        self.body = b""

    def data_received(self, data):
        self.parser.feed_data(data)

    def on_message_begin(self):
        self.body = b""

    def on_body(self, data):
        self.body += data

    def on_message_complete(self):
        if b'"stream":true' in self.body.replace(b": ", b":"):
            self.streaming = asyncio.ensure_future(self.stream())
        elif self.latency_s:
            asyncio.get_running_loop().call_later(self.latency_s, self.whole)
        else:
            self.whole()

    def whole(self):
        body = chat()
        self.transport.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body
        )

    async def stream(self):
        if self.latency_s:
            await asyncio.sleep(self.latency_s)
        self.transport.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n"
        )
        for chunk in chunks(usage=b"include_usage" in self.body):
            self.transport.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            await asyncio.sleep(self.gap_s)
        self.transport.write(b"0\r\n\r\n")


async def main() -> None:
    Stub.latency_s = float(sys.argv[2]) / 1000 if len(sys.argv) > 2 else 0.0
    Stub.gap_s = float(sys.argv[3]) / 1000 if len(sys.argv) > 3 else 0.0
    server = await asyncio.get_running_loop().create_server(Stub, "127.0.0.1", int(sys.argv[1]), backlog=2048)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
