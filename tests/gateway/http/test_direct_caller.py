"""Replies that are written at once are the replies that the server would have written, and calls leave no garbage."""

import asyncio
import gc
import json
import socket
from types import SimpleNamespace

import httpx2 as httpx
import pytest

from modicum.gateway.http.direct_caller import EXTENSION, DirectCaller, direct_caller

CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hello"}]}


class Written(SimpleNamespace):
    """What the server knows of a request, with a transport that keeps what is written."""

    def __init__(self, **changed):
        super().__init__(
            scope={"extensions": {}},
            disconnected=False,
            more_body=False,
            waiting_for_100_continue=False,
            body=bytearray(b"body"),
            keep_alive=True,
            response_complete=False,
            flow=SimpleNamespace(write_paused=False, read_paused=True, resume_reading=lambda: None),
            message_event=SimpleNamespace(set=lambda: None, clear=lambda: None),
            on_response=lambda: None,
            **changed,
        )
        self.bytes, self.closed = b"", False
        self.transport = SimpleNamespace(write=self.write, close=self.close)

    def write(self, data):
        self.bytes += data

    def close(self):
        self.closed = True


def test_a_reply_is_written_whole_or_in_chunks():
    whole, chunked = Written(), Written()
    DirectCaller(whole, None).reply(200, [(b"content-type", b"text/plain")], b"hello")
    caller = DirectCaller(chunked, None)
    caller.begin(200, [(b"content-type", b"text/plain")])
    caller.write(b"hel", is_last=False)
    caller.write(b"", is_last=False)
    caller.write(b"lo", is_last=True)

    assert whole.bytes == b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 5\r\n\r\nhello"
    assert chunked.bytes.partition(b"\r\n\r\n")[2] == b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n"
    assert whole.response_complete
    assert chunked.response_complete
    assert not whole.closed


@pytest.mark.parametrize("is_direct", [True, False])
def test_a_caller_of_http_1_0_gets_no_chunks(is_direct):
    written = Written()
    written.scope["http_version"], written.keep_alive = "1.0", False
    caller, headers = DirectCaller(written, None), [(b"content-type", b"text/plain")]

    async def answer():
        await caller.send({"type": "http.response.start", "status": 200, "headers": headers})
        await caller.send({"type": "http.response.body", "body": b"hel", "more_body": True})
        await caller.send({"type": "http.response.body", "body": b"lo", "more_body": False})

    if is_direct:
        caller.begin(200, headers)
        caller.write(b"hel", is_last=False)
        caller.write(b"lo", is_last=True)
    else:
        asyncio.run(answer())

    assert written.bytes == b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\nhello"
    assert written.closed


def test_a_connection_that_is_not_kept_says_so_and_is_closed():
    written = Written()
    written.keep_alive = False
    DirectCaller(written, None).reply(503, [], b"")

    assert b"connection: close\r\n" in written.bytes
    assert written.closed


@pytest.mark.parametrize("value", [b"a\r\nx: y", b"a\nb", b"a\0b", b"a\x7fb"])
def test_no_header_can_end_the_head(value):
    written = Written()

    with pytest.raises(ValueError, match="control character"):
        DirectCaller(written, None).reply(200, [(b"x-note", value)], b"")
    assert written.bytes == b""


def test_a_body_that_has_to_be_waited_for_is_not_taken():
    ready, waiting, polite = Written(), Written(), Written()
    waiting.more_body, polite.waiting_for_100_continue = True, True

    assert DirectCaller(ready, None).take_body() == b"body"
    assert DirectCaller(waiting, None).take_body() is None
    assert DirectCaller(polite, None).take_body() is None


def test_who_has_left_or_does_not_read_is_not_written_to_directly():
    left, slow = Written(), Written()
    left.disconnected, slow.flow.write_paused = True, True

    assert not DirectCaller(left, None).is_ready
    assert not DirectCaller(slow, None).is_ready
    assert DirectCaller(Written(), None).is_ready


def test_the_end_of_a_caller_is_noticed_once_and_at_any_time():
    noticed, late = [], Written()
    caller = DirectCaller(Written(), None)
    caller.watch(lambda: noticed.append("left"))
    caller.leave()
    caller.leave()
    late.disconnected = True
    DirectCaller(late, None).watch(lambda: noticed.append("gone before"))

    assert noticed == ["left", "gone before"]


def test_only_a_server_of_ours_gives_it():
    caller = DirectCaller(Written(), None)

    assert direct_caller({"extensions": {EXTENSION: caller}}) is caller
    assert direct_caller({}) is None
    assert direct_caller({"extensions": {}}) is None


def test_calls_leave_no_garbage(rig):
    """A reference that goes in a circle would keep each call until the collector comes, a seventh of its CPU."""
    stream = {**CHAT, "stream": True}
    with httpx.Client(base_url=rig.url, headers=rig.headers(), timeout=10) as web:

        def ask(count):
            for _ in range(count):
                for body in (CHAT, stream):
                    assert web.post("/v1/chat/completions", content=json.dumps(body)).status_code == 200

        ask(3)
        gc.collect()
        ask(10)
        gc.set_debug(gc.DEBUG_SAVEALL)
        try:
            gc.collect()
            kinds = {type(one).__name__ for one in gc.garbage}
        finally:
            gc.set_debug(0)
            gc.garbage.clear()

    assert not kinds & {"Exchange", "Client", "DirectCaller", "RequestResponseCycle", "contain_stage"}


def test_a_body_in_chunks_and_pipelined_requests_are_answered_in_order(rig):
    body = json.dumps(CHAT).encode()
    key = rig.headers()["authorization"].encode()
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: %b\r\n" % key
    chunked = head + b"transfer-encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    whole = head + b"content-length: %d\r\n\r\n%b" % (len(body), body)
    last = whole.replace(b"host:", b"connection: close\r\nhost:")
    with socket.create_connection(("127.0.0.1", int(rig.url.rsplit(":", 1)[1])), timeout=10) as connection:
        connection.sendall(chunked + whole + last)
        answered = b""
        while piece := connection.recv(65536):
            answered += piece

    assert answered.count(b"HTTP/1.1 200 OK") == 3
    assert answered.count(b"connection: close") == 1
