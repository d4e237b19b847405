"""The caller's side: it leaves, it stops reading, or it gets its reply."""

import asyncio
import json
import socket

import httpx2 as httpx
import pytest

from gateway.rig import CHAT, running, usual, wait_until
from modicum.calls import Basis, CallStatus
from modicum.gateway.http.client import Client, retry_header
from modicum.gateway.http.refusal import ClientGone
from modicum.providers.dialects import DIALECTS

OPENAI = DIALECTS["openai-chat"]


@pytest.mark.parametrize("stream", [True, False])
def test_a_caller_that_leaves_stops_the_upstream_and_is_on_record(rig, stream):
    before = len(rig.records())
    rig.provider.left.clear()
    told = CHAT | {"stream": stream}
    headers = (
        rig.headers(x_fixture="openai-chat/reasoning.sse", x_fault="stall") if stream else rig.headers(x_fault="hold")
    )

    with httpx.Client(timeout=0.5) as impatient, pytest.raises(httpx.ReadTimeout):
        impatient.post(f"{rig.url}/v1/chat/completions", json=told, headers=headers)

    assert rig.provider.left.wait(5)
    call = rig.wait_for_records(before + 1)[-1]
    assert call.status is CallStatus.ABORTED
    assert (call.usage_basis is Basis.ESTIMATED) == stream  # before any reply nobody knows what was billed


def test_a_caller_that_stops_reading_is_let_go_and_on_record(tmp_path):
    with running(tmp_path, usual(slow_client_s=0.5)) as rig:
        rig.provider.repeat = 50_000  # far more than any buffer holds
        data = json.dumps(CHAT | {"stream": True})
        head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {rig.key}\r\n"
        head += f"x-fixture: openai-chat/broken_off.sse\r\ncontent-length: {len(data)}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", rig.gateway.server.port)) as line:
            line.sendall((head + data).encode())
            (call,) = rig.wait_for_records(1, seconds=15)
            wait_until(lambda: not rig.gateway.server.connections)  # what waited for it is held no longer

    assert call.status.value == "aborted"
    assert call.usage.prompt_tokens > 0


def written(use, slow_s=5.0, send=None):
    """What the server is given when a client is used so."""
    messages = []

    async def collect(message):
        messages.append(message)

    asyncio.run(use(Client(None, send or collect, slow_s)))
    return messages


def test_a_refusal_that_passes_says_when_to_try_again():
    start, body = written(lambda client: client.refuse(OPENAI, 503, "busy", "overloaded"))

    assert (start["status"], body["more_body"]) == (503, False)
    assert dict(start["headers"])[b"retry-after"] == b"1"
    assert json.loads(body["body"])["error"]["message"] == "busy"
    assert retry_header("unknown_key") == []


def test_a_status_that_http_does_not_know_is_a_502():
    async def use(client):
        client.prepare(999, [])
        await client.finish(b"x")

    assert written(use)[0]["status"] == 502


def test_of_a_reply_that_was_not_recorded_nothing_goes_out():
    start, body = written(lambda client: client.break_off(OPENAI))

    assert start["status"] == 503
    assert b"could not be recorded" in body["body"]


def test_a_stream_that_was_not_recorded_is_not_finished():
    async def use(client):
        await client.start(200, [])
        await client.break_off(OPENAI)

    start, body = written(use)
    assert (start["status"], body["more_body"]) == (200, True)  # the server cuts what is not finished
    assert b"could not be recorded" in body["body"]


def test_who_reads_too_slowly_is_gone():
    async def never(_):
        await asyncio.Event().wait()

    async def use(client):
        with pytest.raises(ClientGone):
            await client.pass_on(b"x")
        assert client.gone
        with pytest.raises(ClientGone):  # and is waited for no more
            await client.pass_on(b"x")

    written(use, 0.01, never)
