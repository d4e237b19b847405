"""A provider of files: takes and gives large bodies piece by piece, so that whoever holds one shows."""

import asyncio
import hashlib
import json

from gateway.rig import Provider

PIECE = bytes(range(256)) * 256


class FileProvider(Provider):
    """Counts and digests what is sent to it; `GET /v1/bytes/N` answers with N bytes. `on_piece` is called as pieces
    come; a path with `early` is answered before its body has come, one with `deaf` is never read.
    """

    def __init__(self):
        super().__init__()
        self.on_piece = lambda count: None  # noqa: ARG005 - nobody wants to know
        self.digests = []
        self.lengths = []

    async def serve(self, reader, writer):
        try:
            while await self.exchange(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            self.left.set()
        finally:
            writer.close()

    async def exchange(self, reader, writer):
        head = await reader.readuntil(b"\r\n\r\n")
        line, *rest = head.decode("latin-1").split("\r\n")
        headers = dict(part.split(": ", 1) for part in rest if part)
        self.asked.append((line, headers, b""))
        path = line.split(" ")[1]
        if "early" in path:
            writer.write(b"HTTP/1.1 413 X\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
            await writer.drain()
            return False
        if "deaf" in path:
            await self.hold.wait()
            return False
        digest, count = hashlib.sha256(), 0
        async for piece in self.body(reader, headers):
            digest.update(piece)
            count += len(piece)
            self.on_piece(count)
        self.digests.append(digest.hexdigest())
        self.lengths.append(count)
        if "/bytes/" in path:
            await self.give(writer, int(path.rpartition("/")[2].partition("?")[0]))
        else:
            told = json.dumps({"id": "file-1", "bytes": count}).encode()
            writer.write(b"HTTP/1.1 200 X\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(told))
            writer.write(told)
            await writer.drain()
        return True

    async def body(self, reader, headers):
        if headers.get("transfer-encoding") == "chunked":
            while size := int(await reader.readline(), 16):
                yield await reader.readexactly(size)
                await reader.readline()
            await reader.readline()
            return
        left = int(headers.get("content-length", 0))
        while left:
            piece = await reader.read(min(left, len(PIECE)))
            if not piece:
                raise ConnectionError
            left -= len(piece)
            yield piece

    async def give(self, writer, count):
        writer.write(b"HTTP/1.1 200 X\r\ncontent-type: application/octet-stream\r\ncontent-length: %d\r\n\r\n" % count)
        for at in range(0, count, len(PIECE)):
            writer.write(PIECE[: count - at])
            await writer.drain()
