"""The least that a metering gateway does, with nothing around it: floor_proxy.py PORT UPSTREAM_PORT STEPS FOLDER

STEPS says how far it goes, each step with those before it: `http` parses both sides and keeps its connections; `json`
decodes the request and the reply; `key` checks a hashed key; `journal` writes a row of the call into SQLite, in groups
from a thread, and sends the reply only when the row is safe from a killed process. It checks nothing that may go wrong,
prices nothing and knows one upstream: it is no gateway, but what one in Python cannot go below.
"""

import asyncio
import hashlib
import queue
import sqlite3
import sys
import threading

import httptools
import msgspec
import uvloop

STEPS = ("http", "json", "key", "journal")
far = STEPS.index(sys.argv[3])
keys = {hashlib.sha256(b"sk-own-test-key").digest(): "bench"}
idle: list["Back"] = []
rows: queue.SimpleQueue = queue.SimpleQueue()


class Side(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport
        self.parser = self.make(self)
        self.data, self.body, self.headers = [], [], {}

    def data_received(self, data):
        self.data.append(data)
        self.parser.feed_data(data)

    def on_header(self, name, value):
        self.headers[name.lower()] = value

    def on_body(self, body):
        self.body.append(body)

    def take(self):
        """The bytes and the body of the message that has ended."""
        data, body = b"".join(self.data), b"".join(self.body)
        self.data, self.body = [], []
        return data, body


class Back(Side):
    make = httptools.HttpResponseParser

    def on_message_complete(self):
        data, body = self.take()
        self.parser = self.make(self)
        idle.append(self)
        front = self.front
        if far >= 1:
            reply = msgspec.json.decode(body)
            front.facts = front.model, reply["usage"]["prompt_tokens"], reply["usage"]["completion_tokens"]
        if far >= 3:
            rows.put((front, data, msgspec.json.encode(front.facts)))
        else:
            front.transport.write(data)


class Front(Side):
    make = httptools.HttpRequestParser

    def on_message_complete(self):
        data, body = self.take()
        self.parser = self.make(self)
        if far >= 1:
            self.model = msgspec.json.decode(body)["model"]
        if far >= 2:
            keys[hashlib.sha256(self.headers[b"authorization"][7:]).digest()]
        if idle:
            self.send(idle.pop(), data)
        else:
            self.opening = asyncio.ensure_future(self.open(data))

    async def open(self, data):
        _, back = await asyncio.get_running_loop().create_connection(Back, "127.0.0.1", int(sys.argv[2]))
        self.send(back, data)

    def send(self, back, data):
        back.front = self
        back.transport.write(data)


def write_rows(loop):
    """Writes waiting rows, a commit for all that have come together, and lets their replies go."""
    base = sqlite3.connect(f"{sys.argv[4]}/floor.sqlite", isolation_level=None)
    base.execute("pragma journal_mode = wal")
    base.execute("pragma synchronous = normal")
    base.execute("create table if not exists rows (body blob)")
    while True:
        group = [rows.get()]
        while not rows.empty():
            group.append(rows.get())
        base.execute("begin immediate")
        base.executemany("insert into rows values (?)", [(row,) for _, _, row in group])
        base.execute("commit")
        loop.call_soon_threadsafe(finish, group)


def finish(group):
    for front, data, _ in group:
        front.transport.write(data)


async def main():
    loop = asyncio.get_running_loop()
    threading.Thread(target=write_rows, args=(loop,), daemon=True).start()
    server = await loop.create_server(Front, "127.0.0.1", int(sys.argv[1]), backlog=2048)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
