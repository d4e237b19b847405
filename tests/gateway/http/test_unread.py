"""A stranger is told so before its body is read, and the body is kept nowhere."""

import json
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import httpx2 as httpx
import pytest

from gateway.rig import CHAT
from modicum.gateway.http.unread import MOST_BYTES

LARGE_BYTES = 59_000_000
DOORS = [
    "/v1/chat/completions",
    "/v1/responses",
    "/v1/embeddings",
    "/v1/messages",
    "/v1/messages/count_tokens",
    "/v1beta/models/gemini-x:generateContent",
    "/v1beta/models/gemini-x:countTokens",
    "/outcomes",
    "/v1/traces",
]


def connected(port):
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def head(path="/v1/chat/completions", length=LARGE_BYTES, more=""):
    return f"POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-length: {length}\r\n{more}\r\n".encode()


def read_reply(line):
    """One whole reply."""
    said = b""
    while b"\r\n\r\n" not in said:
        piece = line.recv(65536)
        if not piece:
            return said
        said += piece
    top, _, body = said.partition(b"\r\n\r\n")
    length = int(next(part for part in top.lower().split(b"\r\n") if part.startswith(b"content-length")).split(b":")[1])
    while len(body) < length:
        body += line.recv(65536)
    return top + b"\r\n\r\n" + body


@pytest.mark.parametrize("path", DOORS)
@pytest.mark.parametrize("more", ["", "expect: 100-continue\r\n", "authorization: Bearer mk_000000000000_no\r\n"])
def test_every_door_answers_a_stranger_before_its_body_comes(rig, path, more):
    with connected(rig.gateway.server.port) as line:
        line.sendall(head(path, more=more))
        said = read_reply(line)

    assert said.startswith(b"HTTP/1.1 401 ")  # and no 100 before it
    assert rig.gateway.parts.bodies.held_bytes == 0


def test_a_key_with_a_body_that_is_announced_as_too_large_is_refused_before_it_comes(rig):
    with connected(rig.gateway.server.port) as line:
        line.sendall(head(length=10**12, more=f"authorization: Bearer {rig.key}\r\n"))
        assert read_reply(line).startswith(b"HTTP/1.1 413 ")


def test_the_connection_of_a_stranger_with_a_small_body_serves_on(rig):
    data = json.dumps(CHAT).encode()
    with connected(rig.gateway.server.port) as line:
        line.sendall(head(length=len(data)))
        assert read_reply(line).startswith(b"HTTP/1.1 401 ")
        line.sendall(data + head(length=len(data), more=f"authorization: Bearer {rig.key}\r\n") + data)
        assert read_reply(line).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("more", ["", "connection: close\r\n"])
def test_who_sends_all_before_it_reads_is_told_all_the_same(rig, more):
    length = MOST_BYTES - 1_000_000
    with connected(rig.gateway.server.port) as line:
        line.sendall(head(length=length, more=more) + bytes(length))
        assert read_reply(line).startswith(b"HTTP/1.1 401 ")


def test_a_client_library_with_a_large_body_and_no_key_gets_the_401(rig):
    reply = httpx.post(f"{rig.url}/v1/chat/completions", content=bytes(LARGE_BYTES), timeout=20)

    assert reply.status_code == 401


@pytest.mark.parametrize(
    "more", ["transfer-encoding: chunked\r\n", "transfer-encoding: chunked\r\nconnection: close\r\n"]
)
def test_who_sends_without_end_is_cut_off(rig, more):
    piece = b"%x\r\n%b\r\n" % (1_000_000, bytes(1_000_000))
    with connected(rig.gateway.server.port) as line:
        line.sendall(f"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n{more}\r\n".encode())
        assert read_reply(line).startswith(b"HTTP/1.1 401 ")
        with pytest.raises(ConnectionError):
            line.sendall(piece * 200)


CHILD = """
import sys, threading
sys.path.insert(0, {tests!r})
from pathlib import Path
from gateway.rig import Rig, usual
rig = Rig(Path({folder!r}), usual())
rig.start()
print(rig.gateway.server.port, rig.key, flush=True)
sys.stdin.readline()
rig.release()
rig.stop()
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_fifteen_strangers_with_large_bodies_take_no_memory(tmp_path):
    code = CHILD.format(tests=str(Path(__file__).parents[2]), folder=str(tmp_path))
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ
    ) as child:
        port, key = child.stdout.readline().split()
        url = f"http://127.0.0.1:{port}/v1/chat/completions"
        assert httpx.post(url, json=CHAT, headers={"authorization": f"Bearer {key}"}).status_code == 200
        before, said = peak_mb(child.pid), []

        def call():
            reply = httpx.post(url, content=(bytes(1_000_000) for _ in range(59)), timeout=30)
            said.append(reply.status_code)

        calling = [threading.Thread(target=call) for _ in range(15)]
        for thread in calling:
            thread.start()
        for thread in calling:
            thread.join()
        grown = peak_mb(child.pid) - before
        child.stdin.write("\n")
        child.stdin.flush()

    assert said == [401] * 15
    assert grown < 60  # of 885


def peak_mb(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024
