"""Connections are shared fairly among workers, and each caller that cannot be served is told so."""

import asyncio
import socket
from contextlib import asynccontextmanager

import pytest

from gateway.rig import CHAT
from gateway.short_rig import head_of, logged, short
from modicum.gateway.process.fair_accept import MOST_UNSENT_BYTES, Accepting
from modicum.gateway.process.metrics import Metrics
from modicum.gateway.process.open_files import RESERVED, OpenFiles, Shortage
from modicum.gateway.process.workers import Board, State, Worker

SIDES = ("callers", "upstreams")


def test_of_too_many_streams_none_is_closed_without_a_word(tmp_path):
    async def check():
        async with short(tmp_path) as gateway:
            request = gateway.request(
                CHAT | {"stream": True}, x_fault="stall", x_fixture="openai-chat/usage_in_its_own_chunk.sse"
            )

            async def call():
                reader, writer = await gateway.caller()
                writer.write(request)
                head = await head_of(reader)
                if "connection: close" in head:
                    writer.close()
                return head, reader, writer

            callers = await asyncio.gather(*(call() for _ in range(200)))
            gateway.provider.hold.set()
            served = [reader for head, reader, _ in callers if head.startswith("http/1.1 200")]
            ends = [await asyncio.wait_for(reader.readuntil(b"[DONE]"), 20) for reader in served]
            for *_, writer in callers:
                writer.close()
            return [head for head, *_ in callers], ends, await gateway.metrics()

    heads, ends, (metrics, turned_away) = asyncio.run(check())

    refused = [head for head in heads if head.startswith("http/1.1 503")]
    assert len(heads) == len(refused) + len(ends) == 200
    most = (160 - RESERVED) // 2  # what the hard limit allows; a file of the start may still be closing
    assert most - 8 <= len(ends) <= most
    assert all("retry-after: 1\r\n" in head for head in refused)
    assert f'modicum_out_of_files_total{{side="callers"}} {len(refused) + turned_away:.1f}' in metrics
    (said,) = logged(tmp_path, "open_files_short")
    assert "160 open files are enough for 48 calls at once in one process, not for 4,000" in said["problem"]
    lines = logged(tmp_path, "out_of_files")
    assert 1 <= len(lines) < 10  # not a line each
    assert lines[0] == {"at": lines[0]["at"], "event": "out_of_files", "side": "callers", "times": 1, "limit": 160}


@pytest.mark.parametrize("model", ["gpt-4o-mini", "gpt-named"])
def test_when_no_file_is_left_at_all_callers_are_told_and_it_recovers(tmp_path, model):
    async def check():
        async with short(tmp_path) as gateway:
            request = gateway.request(CHAT | {"model": model})
            reader, writer = await gateway.caller()
            writer.write(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
            assert "200" in await head_of(reader)
            await reader.readexactly(3)
            await asyncio.to_thread(gateway.tell, "eat")

            writer.write(request)  # it is connected; the connection to the upstream fails
            known = await head_of(reader)
            await asyncio.wait_for(reader.readuntil(b"}}"), 20)
            strangers = []
            for _ in range(3):
                other = await gateway.caller()
                other[1].write(gateway.request(CHAT | {"model": model}, connection="close"))
                strangers.append(await head_of(other[0]) + (await other[0].read()).decode())
                other[1].close()

            await asyncio.to_thread(gateway.tell, "free")
            writer.write(request)
            again = await head_of(reader)
            writer.close()
            return known, strangers, again, await gateway.metrics()

    known, strangers, again, (metrics, _) = asyncio.run(check())

    assert known.startswith("http/1.1 503")
    assert "retry-after: 1\r\n" in known
    assert [said.partition("\r\n")[0] for said in strangers] == ["http/1.1 503 service unavailable"] * 3
    assert '"type":"out_of_files"' in strangers[0]
    assert again.startswith("http/1.1 200")
    counted = {side: int(float(metrics.partition(f'{{side="{side}"}} ')[2].split()[0])) for side in SIDES}
    assert counted["upstreams"] >= 1
    assert counted["callers"] >= 1
    assert sum(counted.values()) == 4
    assert logged(tmp_path, "out_of_files")


class Greeting(asyncio.Protocol):
    def connection_made(self, transport):
        transport.write(b"hello")
        transport.close()


@asynccontextmanager
async def accepting(board, limit=1000):
    """A socket that greets all whom it takes."""
    bound = socket.create_server(("127.0.0.1", 0))
    taken = Accepting(bound, Greeting, board, lambda: 1, Shortage(Metrics(), OpenFiles(limit, 1)))
    try:
        yield bound.getsockname()[1]
    finally:
        taken.close()
        await taken.wait_closed()


async def answer_of(port):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    data = await asyncio.wait_for(reader.read(), 20)
    writer.close()
    return data


@pytest.fixture
def boards(tmp_path):
    made = [Board(tmp_path / "workers", Worker(index, 2)) for index in range(2)]
    yield made
    for board in made:
        board.close()


def test_a_connection_that_no_emptier_worker_takes_is_taken_after_a_moment(boards):
    boards[1].tell(State.READY)
    boards[1].tell_connections(0)

    async def check():
        async with accepting(boards[0]) as port:
            return await answer_of(port)

    assert asyncio.run(check()) == b"hello"


def test_every_connection_is_offered_to_an_emptier_worker_once(boards, monkeypatch):
    offers = []
    monkeypatch.setattr(boards[0], "others_have_fewer", lambda count: offers.append(count) or True)

    async def check():
        async with accepting(boards[0]) as port:
            return [await answer_of(port) for _ in range(3)]

    assert asyncio.run(check()) == [b"hello"] * 3
    assert len(offers) == 3


def test_one_worker_takes_all_who_wait_and_lets_no_reply_pile_up_for_them(tmp_path):
    lone, limits = Board(tmp_path / "lone", Worker(0, 1)), []

    class Unread(asyncio.Protocol):
        def connection_made(self, transport):
            line = transport.get_extra_info("socket")
            limits.append(line.getsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT))

    async def check():
        bound = socket.create_server(("127.0.0.1", 0))
        callers = [socket.create_connection(bound.getsockname()) for _ in range(10)]
        taken = Accepting(bound, Unread, lone, lambda: 1, Shortage(Metrics(), OpenFiles(1000, 1)))
        taken._take()  # one round of the loop
        connecting = len(taken._connecting)
        await taken.wait_closed()
        taken.close()
        for caller in callers:
            caller.close()
        return connecting

    assert asyncio.run(check()) == 10
    assert limits == [MOST_UNSENT_BYTES] * 10
    lone.close()


def test_a_worker_that_is_full_turns_away_in_words(boards):
    async def check():
        async with accepting(boards[0], limit=RESERVED + 1) as port:
            return await answer_of(port)

    assert asyncio.run(check()).startswith(b"HTTP/1.1 503 Service Unavailable\r\n")
