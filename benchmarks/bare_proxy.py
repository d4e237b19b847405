"""A proxy that only copies bytes: what any hop through a Python process costs. bare_proxy.py PORT UPSTREAM_PORT"""

import asyncio
import sys

import uvloop


class Side(asyncio.Protocol):
    other = None

    def __init__(self):
        self.waiting = []

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        if self.other is None:
            self.waiting.append(data)
        else:
            self.other.transport.write(data)

    def connection_lost(self, exc):  # noqa: ARG002 - asyncio's interface
        if self.other is not None:
            self.other.transport.close()


class Front(Side):
    def connection_made(self, transport):
        super().connection_made(transport)
        self.connecting = asyncio.ensure_future(self.connect())

    async def connect(self):
        _, back = await asyncio.get_running_loop().create_connection(Side, "127.0.0.1", int(sys.argv[2]))
        back.other, self.other = self, back
        for data in self.waiting:
            back.transport.write(data)


async def main():
    server = await asyncio.get_running_loop().create_server(Front, "127.0.0.1", int(sys.argv[1]), backlog=2048)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
