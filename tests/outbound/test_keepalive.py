import asyncio
from contextlib import asynccontextmanager

import pytest

from modicum.outbound.hosts import Origin
from modicum.outbound.keepalive import MOST_CHUNK_BYTES, MOST_WAITING_BYTES, Connections
from modicum.outbound.phases import PhaseTimedOut, PhaseTimeouts
from modicum.outbound.request_heads import request_head
from modicum.outbound.unreachable import TooSlow, Unreachable

WHOLE = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@asynccontextmanager
async def server(*replies):
    """Sends one of the replies for each request it gets; None closes the connection."""
    told = list(replies)
    seen = []

    async def serve(reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                seen.append(id(writer))
                if b"content-length: 0" not in head:
                    await reader.readexactly(4)
                reply = told.pop(0)
                if reply is None:
                    break
                for piece in reply if isinstance(reply, list) else [reply]:
                    writer.write(piece)
                    await writer.drain()
                if b"close" in (reply if isinstance(reply, bytes) else b"".join(reply)):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    origin = Origin("127.0.0.1", listening.sockets[0].getsockname()[1], tls=False)
    connections = Connections(silence_s=5)
    try:
        yield connections, origin, seen
    finally:
        await connections.close()
        listening.close()


async def ask(connections, origin, body=b"body"):
    return await connections.send(origin, request_head(b"POST", b"/v1", origin, [], len(body)), body)


def run(test):
    return asyncio.run(test())


def test_a_connection_is_kept_for_the_next_request():
    async def two():
        async with server(WHOLE, WHOLE) as (connections, origin, seen):
            said = [await (await ask(connections, origin)).rest(100) for _ in range(2)]
            return said, len(set(seen))

    assert run(two) == ([b"ok", b"ok"], 1)


@pytest.mark.parametrize(
    "reply",
    [
        [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\no\r\n", b"1\r\nk\r\n0\r\n\r\n"],
        [b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n", b"ok"],
        [b"HTTP/1.1 100 Continue\r\n\r\n", WHOLE],
        [WHOLE[:20], WHOLE[20:]],
    ],
)
def test_bodies_of_every_framing(reply):
    async def one():
        async with server(reply) as (connections, origin, _):
            answer = await ask(connections, origin)
            return answer.status, await answer.rest(100)

    assert run(one) == (200, b"ok")


@pytest.mark.parametrize("reply", [None, b"220 smtp\r\n", b"HTTP/1.1 200 OK\r\nx: " + b"a" * 200_000 + b"\r\n\r\n"])
def test_what_is_no_answer_is_unreachable(reply):
    async def one():
        async with server(reply) as (connections, origin, _):
            with pytest.raises(Unreachable):
                await ask(connections, origin)

    run(one)


def test_nobody_listening_is_unreachable():
    async def one():
        connections = Connections(connect_s=1)
        with pytest.raises(Unreachable, match="no connection"):
            await ask(connections, Origin("127.0.0.1", 9, tls=False))
        await connections.close()

    run(one)


def test_a_body_that_breaks_off_is_no_whole_body():
    async def one():
        async with server([b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\nx: close\r\n\r\n", b"ok"]) as (
            connections,
            origin,
            _,
        ):
            answer = await ask(connections, origin)
            with pytest.raises(ConnectionError):
                await answer.rest(100)

    run(one)


def test_a_body_larger_than_is_read_is_an_error():
    async def one():
        reply = [b"HTTP/1.1 200 OK\r\ncontent-length: 300000\r\n\r\n", b"a" * 150_000, b"a" * 150_000]
        async with server(reply) as (connections, origin, _):
            with pytest.raises(ConnectionError, match="larger"):
                await (await ask(connections, origin)).rest(200_000)

    run(one)


def test_a_request_is_not_sent_twice_when_the_server_hangs_up_on_it():
    async def two():
        async with server(WHOLE, None, WHOLE) as (connections, origin, seen):
            await (await ask(connections, origin)).rest(100)
            with pytest.raises(Unreachable):
                await ask(connections, origin)
            return len(seen)

    assert run(two) == 2


def test_a_stale_connection_is_replaced(monkeypatch):
    monkeypatch.setattr("modicum.outbound.keepalive.STALE_IDLE_S", -1.0)  # every kept one counts as idle

    async def two():
        async with server(WHOLE, None, WHOLE) as (connections, origin, _):
            await (await ask(connections, origin)).rest(100)
            return await (await ask(connections, origin)).rest(100)

    assert run(two) == b"ok"


def test_a_reader_that_is_slow_stops_the_sender():
    async def one():
        big = b"a" * 8_000_000
        head = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(big)
        async with server([head, big]) as (connections, origin, _):
            answer = await ask(connections, origin)
            await asyncio.sleep(0)
            while not answer._waiting_bytes:  # noqa: ASYNC110 - let what is on the wire arrive
                await asyncio.sleep(0)
            for _ in range(200):
                await asyncio.sleep(0)
            held = answer._waiting_bytes
            return held < len(big), len(await answer.rest(10_000_000))

    assert run(one) == (True, 8_000_000)


def test_authorities_that_could_not_be_read_for_want_of_files_are_read_again(monkeypatch):
    origin = Origin("127.0.0.1", 1, tls=True)
    monkeypatch.setattr("modicum.outbound.hosts._of_machine", [])
    with monkeypatch.context() as short:
        short.setattr("modicum.outbound.hosts.no_file_left", lambda: True)
        poor = origin.trust

    assert origin.trust is not poor
    assert origin.trust is origin.trust


HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n"


@pytest.mark.parametrize(
    ("reply", "timeouts", "reason"),
    [
        ([b""], PhaseTimeouts(first_byte_s=0.05), "no first byte within 0.05 s"),
        ([HEAD], PhaseTimeouts(first_byte_s=0.05), "no first byte within 0.05 s"),
        ([HEAD, b"some"], PhaseTimeouts(first_byte_s=60, whole_s=0.05), "not complete within 0.05 s"),
    ],
)
def test_each_phase_of_a_reply_has_its_time(reply, timeouts, reason):
    async def one():
        async with server(reply) as (connections, origin, _):
            head = request_head(b"POST", b"/v1", origin, [], 0)
            with pytest.raises((TooSlow, PhaseTimedOut), match=reason):
                await (await connections.send(origin, head, b"", timeouts=timeouts)).rest(1000)

    run(one)


def test_a_reply_that_is_in_time_stops_its_timers_and_the_next_on_its_connection_has_none():
    async def one():
        async with server(WHOLE, WHOLE) as (connections, origin, seen):
            head = request_head(b"POST", b"/v1", origin, [], 0)
            timed = await connections.send(origin, head, b"", timeouts=PhaseTimeouts(1, 60, 60, 60))
            assert await timed.rest(1000) == b"ok"
            assert timed._whole.cancelled()
            plain = await connections.send(origin, head, b"")
            assert await plain.rest(1000) == b"ok"
            assert seen[0] == seen[1]
            (connection,) = connections._open
            assert connection._silence_s == 0

    run(one)


def test_waiting_for_a_body_takes_nothing_away():
    async def one():
        async with server(WHOLE) as (connections, origin, _):
            answer = await connections.send(origin, request_head(b"POST", b"/v1", origin, [], 0), b"")
            assert await answer.wait_for_body() == b"ok"
            assert await answer.rest(1000) == b"ok"

    run(one)


def test_small_pieces_that_have_come_together_are_given_in_chunks_that_hold_nobody_up():
    async def one():
        piece = b"%x\r\n%b\r\n" % (5_000, b"a" * 5_000)
        head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
        async with server([head + piece * 60 + b"0\r\n\r\n"]) as (connections, origin, _):
            answer = await ask(connections, origin)
            while answer._waiting_bytes <= MOST_WAITING_BYTES:  # noqa: ASYNC110 - until it reads no more
                await asyncio.sleep(0)
            sizes = []
            while chunk := await answer.chunk():
                sizes.append(len(chunk))
            return sizes, answer._waiting_bytes, answer.complete

    sizes, waiting_bytes, is_complete = run(one)
    assert max(sizes) < MOST_CHUNK_BYTES + 5_000
    assert (sum(sizes), waiting_bytes, is_complete) == (300_000, 0, True)
