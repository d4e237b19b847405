"""A head that repeats another to the byte is known by its bytes, however they come; any other is read."""

import json
import socket
from contextlib import closing

import pytest

from modicum.gateway.http.repeated_head import MOST_HELD_BYTES, head_bytes

FIRST = b"POST /v1/chat/completions HTTP/1.1\r\n"
HEADERS = [(b"host", b"h"), (b"content-length", b"2"), (b"x-note", b"n")]
HEAD = FIRST + b"host: h\r\nContent-Length: 2\r\nx-note: n\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "length", "body"),
    [
        (HEAD + b"{}", b"2", b"{}"),
        (HEAD.replace(b": 2", b": 12") + b"{}", b"12", b"{}"),
        (HEAD.replace(b": 2", b": 0"), b"0", b""),
    ],
)
def test_the_same_head_is_known_whatever_the_length(data, length, body):
    repeated = head_bytes(HEAD + b"{}", HEADERS).repeated_in(data)

    assert repeated.length == length
    assert data[repeated.body_at :] == body


@pytest.mark.parametrize(
    "data",
    [
        HEAD.replace(b"x-note: n", b"x-note: m"),
        HEAD.replace(b"x-note", b"X-note"),
        HEAD.replace(b": 2", b": -2"),
        HEAD.replace(b": 2", b": +2"),
        HEAD.replace(b": 2", b": 2, 3"),
        HEAD.replace(b": 2", b": "),
        HEAD.replace(b": 2", b": " + b"1" * 30),
        HEAD.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n"),
        HEAD[:-1],
        HEAD[:30],
        b"",
        b"\r\n" + HEAD,
    ],
)
def test_any_other_head_is_read(data):
    assert head_bytes(HEAD + b"{}", HEADERS).repeated_in(data) is None


@pytest.mark.parametrize(
    ("data", "headers"),
    [
        (HEAD, HEADERS[:2]),  # the parser saw other lines
        (HEAD.replace(b"\r\nx-note", b"\nx-note"), HEADERS),
        (HEAD.replace(b"x-note: n", b"x-note: n\r\n content-length: 3"), HEADERS),
        (HEAD.replace(b"x-note: n", b"content-length: 2"), [*HEADERS[:2], HEADERS[1]]),
        (HEAD.replace(b"x-note: n", b"expect: 100-continue"), [*HEADERS[:2], (b"expect", b"100-continue")]),
        (HEAD.replace(b"x-note: n", b"transfer-encoding: chunked"), [*HEADERS[:2], (b"transfer-encoding", b"chunked")]),
        (HEAD[:-2], HEADERS),
        (HEAD.replace(b": n", b": " + b"n" * MOST_HELD_BYTES), HEADERS),
        (b"", HEADERS),
    ],
)
def test_no_other_is_told_by_a_head_whose_bytes_may_be_read_in_two_ways(data, headers):
    assert head_bytes(data, headers) is None


def request(rig, body, key="", path="/v1/chat/completions", **more):
    lines = {"host": "127.0.0.1", **rig.headers(**more), "content-length": f"{len(body)}"}
    if key:
        lines["authorization"] = f"Bearer {key}"
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def told(text):
    return json.dumps({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": text}]}).encode()


class Caller:
    """One connection, on which replies with a length are read."""

    def __init__(self, rig):
        self.socket = socket.create_connection(("127.0.0.1", int(rig.url.rsplit(":", 1)[1])), timeout=10)
        self.file, self.send = self.socket.makefile("rb"), self.socket.sendall

    def close(self):
        self.file.close()
        self.socket.close()

    def status(self):
        status = int(self.file.readline().split()[1])
        lines = iter(lambda: self.file.readline().strip().lower(), b"")
        length = next(int(line.split()[1]) for line in [*lines] if line.startswith(b"content-length"))
        self.file.read(length)
        return status


def test_a_body_behind_a_repeated_head_comes_whole_in_pieces_or_with_the_next_request(rig):
    texts = ["one", "the second, which is longer", "é" * 40_000, "four", "five", ""]
    first, second, third, *others = [request(rig, told(text)) for text in texts]
    before = len(rig.provider.asked)
    with closing(Caller(rig)) as caller:
        caller.send(first)
        assert caller.status() == 200
        caller.send(second)
        assert caller.status() == 200
        caller.send(third[:700])
        for at in range(700, len(third), 20_000):
            caller.send(third[at : at + 20_000])
        assert caller.status() == 200
        caller.send(b"".join(others))
        assert [caller.status() for _ in others] == [200] * 3
        caller.send(b"\r\n" + first)
        assert caller.status() == 200

    assert [body for _, _, body in rig.provider.asked[before:]] == [told(text) for text in [*texts, "one"]]


def test_what_was_refused_between_two_calls_is_refused_again(rig):
    call, stranger = request(rig, told("x")), request(rig, told("x"), key=rig.key[:-4] + "0000")
    elsewhere, broken = request(rig, told("x"), path="/v1/nowhere/"), request(rig, b"[")
    with closing(Caller(rig)) as caller:
        for data, status in [(call, 200), (stranger, 401), (stranger, 401), (call, 200), (elsewhere, 404)] * 2:
            caller.send(data)
            assert caller.status() == status
        caller.send(broken)
        assert caller.status() == 400
        caller.send(call)
        assert caller.status() == 200


def test_a_body_that_is_too_large_is_refused_before_it_has_come(rig):
    call = request(rig, told("x"))
    large = call[: call.index(b"content-length")] + b"content-length: 999999999999\r\n\r\n" + b"x" * 100_000
    with closing(Caller(rig)) as caller:
        caller.send(call)
        assert caller.status() == 200
        caller.send(large)
        assert caller.status() == 413


def test_a_caller_of_http_1_0_gets_a_stream_without_chunks(rig):
    body = json.dumps({**json.loads(told("x")), "stream": True}).encode()
    data = request(rig, body, **{"x-fixture": "openai-chat/reasoning.sse"}).replace(b"HTTP/1.1", b"HTTP/1.0")
    with closing(Caller(rig)) as caller:
        caller.send(data)
        head, _, reply = caller.file.read().partition(b"\r\n\r\n")

    assert b"200 OK" in head
    assert b"transfer-encoding" not in head
    assert reply.startswith(b": OPENROUTER PROCESSING\n\ndata: {")
    assert reply.endswith(b"data: [DONE]\n\n")
