"""More of it, with whole exchanges, in test_server.py and tests/gateway/http."""

import socket

import pytest

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
