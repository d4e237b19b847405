import asyncio

import pytest

from energy.fake_server import FakeServer
from modicum.calls import UserError
from modicum.outbound import AllowedHosts, Outbound, Unreachable


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
