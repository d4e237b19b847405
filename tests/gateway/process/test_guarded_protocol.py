"""More of it, with whole exchanges, in test_server.py and tests/gateway/http."""

import socket
from contextlib import ExitStack

import httpx2 as httpx
import pytest

from modicum.gateway.process import guarded_protocol
from modicum.gateway.process.guarded_protocol import MOST_HEADER_BYTES


@pytest.mark.parametrize(("size", "status"), [(1_000, b"401"), (MOST_HEADER_BYTES + 10, b"400")])
def test_headers_have_a_bound(rig, size, status):
    port = rig.gateway.server.port
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        many = b"".join(b"x-%d: %s\r\n" % (at, b"a" * 990) for at in range(0, size, 1_000))
        connection.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1:%d\r\n" % port + many)
        if status == b"401":
            connection.sendall(b"content-length: 0\r\n\r\n")
        assert connection.recv(20).split(b" ")[1] == status


@pytest.mark.parametrize("begun", [b"", b"POST /v1/chat/completions HTTP/1.1\r\nhos"])
def test_who_sends_no_head_in_time_is_let_go_and_calls_beside_it_go_on(rig, monkeypatch, begun):
    monkeypatch.setattr(guarded_protocol, "HEADERS_WITHIN_S", 0.2)
    with ExitStack() as opened:
        crowd = [
            opened.enter_context(socket.create_connection(("127.0.0.1", rig.gateway.server.port), timeout=20))
            for _ in range(200)
        ]
        for one in crowd:
            one.sendall(begun)
        body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "x"}]}
        assert httpx.post(f"{rig.url}/v1/chat/completions", json=body, headers=rig.headers()).status_code == 200
        assert {one.recv(10) for one in crowd} == {b""}
