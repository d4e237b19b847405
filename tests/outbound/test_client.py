import asyncio

import pytest

from energy.fake_server import FakeServer
from modicum.calls import UserError
from modicum.outbound.client import Outbound
from modicum.outbound.hosts import AllowedHosts
from modicum.outbound.unreachable import Unreachable


async def lines(client, url):
    asked = {"prompt": "a b", "max_tokens": 3}
    return [line async for line in client.post_lines(url + "/v1/completions", asked, {"authorization": "Bearer k"})]


def test_a_reply_comes_line_by_line_with_the_headers_that_were_given():
    async def ask(server):
        async with Outbound(AllowedHosts([server.url])) as client:
            return await lines(client, server.url)

    with FakeServer() as server:
        found = asyncio.run(ask(server))

    assert sum(line.startswith(b"data: {") for line in found) == 4
    assert server.asked[0][1]["Authorization"] == "Bearer k"


def test_a_host_that_was_not_named_is_never_asked():
    async def ask(server):
        async with Outbound(AllowedHosts(["http://127.0.0.1:1"])) as client:
            await client.get(server.url + "/metrics")

    with FakeServer() as server, pytest.raises(UserError, match="was not named"):
        asyncio.run(ask(server))


def test_a_status_and_a_closed_port_are_told_apart():
    async def ask(url):
        async with Outbound(AllowedHosts([url])) as client:
            await client.get(url + "/nothing")

    with FakeServer() as server:
        with pytest.raises(Unreachable, match="status 404") as stop:
            asyncio.run(ask(server.url))
        url = server.url
    with pytest.raises(Unreachable, match="no answer"):
        asyncio.run(ask(url))
    assert stop.value.status == 404


def test_a_connection_that_breaks_in_the_middle_is_unreachable():
    async def cut(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
        await writer.drain()
        writer.close()

    async def ask():
        server = await asyncio.start_server(cut, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server, Outbound(AllowedHosts([url])) as client:
            await client.get(url)

    with pytest.raises(Unreachable, match="broke"):
        asyncio.run(ask())


def answered(told):
    """What a posted body is answered with, by a server that says `told` in two pieces, and what it was asked."""
    asked = []

    async def serve(reader, writer):
        asked.append(await reader.readuntil(b"\r\n\r\n") + await reader.readexactly(4))
        half = len(told) - 3
        writer.write(told[:half])
        await writer.drain()
        await asyncio.sleep(0)
        writer.write(told[half:])
        await writer.drain()
        writer.close()

    async def ask():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server, Outbound(AllowedHosts([url])) as client:
            return await client.post(url + "/v1/traces", b"body", {"x-key": "k"}, most_bytes=8)

    return asyncio.run(ask()), asked


def test_a_posted_body_is_answered_in_full_up_to_a_bound():
    answer, asked = answered(b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\nanswer")

    assert (answer, asked[0].endswith(b"body"), b"x-key: k" in asked[0]) == (b"answer", True, True)
    assert answered(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\n0123456789")[0] == b"01234567"


def test_who_is_busy_says_when_to_come_again():
    with pytest.raises(Unreachable, match="status 503") as busy:
        answered(b"HTTP/1.1 503 Busy\r\nretry-after: 7\r\ncontent-length: 0\r\n\r\n")

    assert (busy.value.status, busy.value.retry_after) == (503, "7")


def test_a_user_in_the_address_is_the_authorization_and_is_not_in_messages():
    asked = []

    async def serve(reader, writer):
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n\x1f\x8b")
        await writer.drain()
        writer.close()

    async def ask():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://me:secret@127.0.0.1:{server.sockets[0].getsockname()[1]}/metrics"
        async with server, Outbound(AllowedHosts([url])) as client:
            await client.get(url)

    with pytest.raises(Unreachable, match="compression") as stop:
        asyncio.run(ask())
    assert b"authorization: Basic bWU6c2VjcmV0\r\n" in asked[0]
    assert b"accept-encoding: identity\r\n" in asked[0]
    assert "secret" not in str(stop.value)


def streamed(*pieces):
    """The lines of a reply that comes in these pieces."""

    async def serve(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        writer.close()

    async def ask():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server, Outbound(AllowedHosts([url])) as client:
            return [line async for line in client.post_lines(url, {}, {})]

    return asyncio.run(ask())


def test_lines_are_whole_however_they_came_and_the_last_one_needs_no_end():
    long = b"data: " + b"x" * 300_000 + b"\n"

    assert streamed(b"data: a\nda", b"ta: b\r\n\n", long, b"end") == [b"data: a\n", b"data: b\r\n", b"\n", long, b"end"]


def test_a_line_without_an_end_is_given_up(monkeypatch):
    monkeypatch.setattr("modicum.providers.line_buffer.MOST_LINE", 1000)

    with pytest.raises(Unreachable, match="without an end"):
        streamed(b"x" * 2000, b"y" * 2000)
