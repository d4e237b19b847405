"""How a gateway process gives up its connections: at its end, and when others take over."""

import asyncio
import http.client
import threading

import httpx2 as httpx
import uvicorn
from uvicorn.lifespan.off import LifespanOff

from gateway.rig import CHAT, Rig, usual, wait_until
from modicum.gateway.process.call_server import CallServer


class Connection:
    """A connection as a server knows it, which closes when told to, unless a reply is under way on it."""

    def __init__(self, server, *, busy=False):
        self.server, self.busy, self.told = server, busy, asyncio.Event()
        server.server_state.connections.add(self)

    def shutdown(self):
        self.told.set()
        if not self.busy:
            self.server.server_state.connections.discard(self)


def test_a_connection_that_is_made_after_the_end_began_does_not_hold_it_up():
    async def scenario():
        server = CallServer(uvicorn.Config(None, lifespan="off", timeout_graceful_shutdown=60), None, None, None)
        server.servers, server.lifespan = [], LifespanOff(server.config)
        busy = Connection(server, busy=True)
        ending = asyncio.ensure_future(server.shutdown())
        await busy.told.wait()

        late = Connection(server)
        await late.told.wait()
        assert not ending.done()

        busy.busy = False
        await ending

    asyncio.run(asyncio.wait_for(scenario(), 30))


def started(tmp_path, **gateway):
    rig = Rig(tmp_path, usual(**gateway))
    rig.start()
    return rig


def leave(rig, within_s=30.0):
    rig.loop.call_soon_threadsafe(rig.gateway.server.leave, within_s)
    wait_until(lambda: rig.gateway.server._leaving is not None)


def post(connection, rig, **headers):
    import json

    connection.request("POST", "/v1/chat/completions", json.dumps(CHAT), rig.headers(**headers))
    reply = connection.getresponse()
    return reply.status, reply.getheader("connection"), reply.read()


def test_who_leaves_serves_what_is_connected_and_closes_it_with_the_next_reply(tmp_path):
    rig = started(tmp_path)
    port = rig.gateway.server.port
    kept, other = (http.client.HTTPConnection("127.0.0.1", port, timeout=10) for _ in range(2))
    assert post(kept, rig)[:2] == (200, None)
    assert post(other, rig)[:2] == (200, None)
    leave(rig)

    status, connection, body = post(kept, rig)
    assert (status, connection) == (200, "close")
    assert b"choices" in body
    assert rig.thread.is_alive()  # the other one is still connected
    assert post(other, rig)[:2] == (200, "close")
    rig.thread.join(10)
    assert not rig.thread.is_alive()
    assert len(rig.records()) == 4


def test_who_leaves_takes_nobody_new_and_ends_with_a_stream_under_way(tmp_path):
    rig = started(tmp_path)
    url, got = rig.url, []
    held = rig.headers(x_fixture="openai-chat/usage_in_its_own_chunk.sse", x_fault="stall")

    def read():
        with httpx.stream("POST", f"{url}/v1/chat/completions", json=CHAT | {"stream": True}, headers=held) as reply:
            got.extend(reply.iter_lines())

    reading = threading.Thread(target=read)
    reading.start()
    wait_until(lambda: rig.gateway.parts.journal.calls_under_way == 1)
    leave(rig)
    try:
        httpx.get(f"{url}/healthz")
        refused = False
    except httpx.HTTPError:
        refused = True
    assert refused  # in this test nobody else listens
    assert rig.thread.is_alive()
    rig.release()
    reading.join(10)
    rig.thread.join(10)

    assert got[-2:] == ["data: [DONE]", ""]
    assert not rig.thread.is_alive()


def test_an_idle_connection_keeps_who_leaves_no_longer_than_it_may(tmp_path):
    rig = started(tmp_path)
    idle = http.client.HTTPConnection("127.0.0.1", rig.gateway.server.port, timeout=10)
    assert post(idle, rig)[0] == 200
    leave(rig, 0.1)
    leave(rig, 0.1)  # once more does no harm
    rig.thread.join(10)

    assert not rig.thread.is_alive()
    idle.close()


def test_figures_of_who_has_left_are_none_of_the_sums(tmp_path):
    rig = started(tmp_path)
    metrics = rig.gateway.parts.metrics
    metrics.upstream_gauges("openai", 3, 100)
    metrics.circuit_changed("openai", is_open=True)
    rig.stop()

    text = metrics.text().decode()
    assert 'modicum_upstream_calls_limit{upstream="openai"} 0.0' in text
    assert 'modicum_circuit_open{upstream="openai"} 0.0' in text
    assert "modicum_journal_healthy 1.0" in text
