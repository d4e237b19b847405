"""Requests that ask for another protocol on their connection, byte for byte and by the clients that send them."""

import asyncio
import json
import shutil
import socket
import subprocess

import httptools
import pytest
import websockets
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.client import connect

from gateway.rig import CHAT
from modicum.gateway.http.upgrades import PlainParser

BODY = json.dumps(CHAT).encode()
H2C = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAA\r\n"
WEBSOCKET = (
    b"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n"
)


class Line:
    """A connection of bytes, on which replies with a content-length are read one by one."""

    def __init__(self, rig):
        self._socket = socket.create_connection(("127.0.0.1", rig.gateway.server.port), timeout=10)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self._socket.makefile("rb")

    def send(self, *pieces):
        for piece in pieces:
            self._socket.sendall(piece)

    def reply(self):
        status = int(self._file.readline().split()[1])
        headers = {}
        while (line := self._file.readline()) not in {b"\r\n", b""}:
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        return status, headers, self._file.read(int(headers["content-length"]))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._file.close()
        self._socket.close()


def post(rig, more=H2C, framing=None):
    return (
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %b\r\n"
        b"Content-Type: application/json\r\n%b%b\r\n"
        % (rig.key.encode(), more, framing or b"Content-Length: %d\r\n" % len(BODY))
    )


CHUNKED = b"Transfer-Encoding: chunked\r\n"
IN_CHUNKS = b"%x\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (10, BODY[:10], len(BODY) - 10, BODY[10:])


@pytest.mark.parametrize(
    "pieces",
    [
        lambda rig: [post(rig) + BODY],
        lambda rig: [post(rig), BODY],
        lambda rig: [post(rig)[:90], post(rig)[90:] + BODY[:5], BODY[5:]],
        lambda rig: [post(rig, framing=CHUNKED) + IN_CHUNKS],
        lambda rig: [post(rig, framing=CHUNKED), IN_CHUNKS],
        lambda rig: [post(rig, b"Connection: upgrade\r\nUpgrade: websocket\r\n"), BODY],  # a POST is no handshake
        lambda rig: [post(rig, b"Proxy-Connection: upgrade\r\nUpgrade: TLS/1.2, h2c\r\nUpgrade: x/1\r\n"), BODY],
    ],
)
def test_a_call_that_would_rather_be_http2_is_served_as_it_came_and_so_is_the_next(rig, pieces):
    seen = len(rig.provider.asked)
    with Line(rig) as line:
        line.send(*pieces(rig))
        first, headers, body = line.reply()
        line.send(post(rig, more=b"") + BODY)
        second, *_ = line.reply()

    assert (first, second) == (200, 200)
    assert "upgrade" not in headers
    assert json.loads(body)["object"] == "chat.completion"
    sent = rig.provider.asked[seen:]
    assert [json.loads(body)["messages"] for _, _, body in sent] == [CHAT["messages"]] * 2
    assert not {"upgrade", "http2-settings", "connection", "proxy-connection"} & set(sent[0][1])


def test_two_of_them_at_once_are_answered_in_turn(rig):
    with Line(rig) as line:
        line.send((post(rig) + BODY) * 2)

        assert [line.reply()[0] for _ in range(2)] == [200, 200]


def test_what_is_too_large_or_too_wrong_stays_so_with_an_upgrade(rig):
    with Line(rig) as line:
        line.send(post(rig, H2C + b"X: %b\r\n" % (b"x" * 700_000)) + BODY)
        assert line.reply()[0] == 400
    with Line(rig) as line:
        line.send(post(rig, H2C + b"Content-Length: 3\r\n") + BODY)
        assert line.reply()[0] == 400
    with Line(rig) as line:
        line.send(post(rig, H2C.replace(b"Upgrade: h2c", b"Host: evil.example")) + BODY)
        assert line.reply()[0] == 400


def test_a_tunnel_is_refused_and_ends(rig):
    with Line(rig) as line:
        line.send(b"CONNECT 10.0.0.1:443 HTTP/1.1\r\nHost: 10.0.0.1:443\r\n\r\n")

        assert line.reply()[0] == 400


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/live?model=gpt-live", "/v1/messages"])
def test_a_websocket_gets_426_at_once_and_the_connection_goes_on(rig, path):
    with Line(rig) as line:
        # What follows a GET with a length is its body, and no second request.
        smuggled = b"POST /v1/evil HTTP/1.1\r\n\r\n"
        line.send(b"GET %b HTTP/1.1\r\nHost: localhost\r\n%b" % (path.encode(), WEBSOCKET))
        line.send(b"Content-Length: %d\r\n\r\n%b" % (len(smuggled), smuggled))
        status, headers, body = line.reply()
        line.send(post(rig, more=b"") + BODY)

        assert line.reply()[0] == 200
    assert (status, headers["upgrade"]) == (426, "HTTP/1.1")
    assert "over HTTP" in json.loads(body)["error"]["message"]


def test_a_websocket_under_another_name_is_refused_for_its_name(rig):
    with Line(rig) as line:
        line.send(b"GET /v1/live HTTP/1.1\r\nHost: rebound.example\r\n%b\r\n" % WEBSOCKET)

        assert line.reply()[0] == 421


def test_a_websocket_client_is_told_what_to_do(rig):
    async def ask():
        async with connect(f"{rig.url.replace('http', 'ws')}/v1/live"):
            pass

    with pytest.raises(websockets.InvalidStatus) as refusal:
        asyncio.run(ask())

    assert refusal.value.response.status_code == 426


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl here")
@pytest.mark.parametrize("kilobytes", [0, 2000])  # from a megabyte on it waits for `100 Continue` before the body
def test_curl_with_http2_is_served(rig, tmp_path, kilobytes):
    (tmp_path / "body").write_text(json.dumps(CHAT | {"user": "x" * 1000 * kilobytes}))
    told = ["-H", f"authorization: Bearer {rig.key}", "-H", "content-type: application/json"]
    told += ["--data-binary", f"@{tmp_path / 'body'}"]
    url = f"{rig.url}/v1/chat/completions"
    shown = ["--silent", "--max-time", "20", "--write-out", "\n%{http_code} %{http_version}"]
    said = subprocess.run(
        ["curl", "--http2", *shown, *told, url],
        capture_output=True,
        text=True,
        check=True,
    )

    body, _, end = said.stdout.rpartition("\n")
    assert end == "200 1.1"
    assert json.loads(body)["object"] == "chat.completion"


class Requests:
    """What a parser read: per request its line, headers and body."""

    def __init__(self, parser):
        self.read = []
        self.parser = parser(self)

    def on_message_begin(self):
        self.url, self.headers, self.body = b"", [], b""

    def on_url(self, url):
        self.url += url

    def on_header(self, name, value):
        self.headers.append((name.lower(), value))

    def on_body(self, body):
        self.body += body

    def on_message_complete(self):
        if self.parser.should_upgrade():
            return
        upgrades = self.parser.take_left_out() if isinstance(self.parser, PlainParser) else []
        self.read.append((self.parser.get_method(), self.url, sorted(self.headers + upgrades), self.body))


TOKENS = st.text("abcxyz-", min_size=1, max_size=8).map(str.encode)
BODIES = st.binary(max_size=40)


@given(st.lists(st.tuples(st.booleans(), TOKENS, BODIES), min_size=1, max_size=4), st.integers(1, 200))
def test_it_reads_what_it_would_have_read_without_the_upgrades(requests, cut):
    def written(*, upgrades):
        return b"".join(
            b"POST /%b HTTP/1.1\r\n%bX: %b\r\nContent-Length: %d\r\n\r\n%b"
            % (word, b"Connection: upgrade\r\nUpgrade: h2c\r\n" if asks and upgrades else b"", word, len(body), body)
            for asks, word, body in requests
        )

    plain, asking = Requests(httptools.HttpRequestParser), Requests(PlainParser)
    plain.parser.feed_data(written(upgrades=False))
    data = written(upgrades=True)
    for at in range(0, len(data), cut):
        asking.parser.feed_data(data[at : at + cut])

    upgrades = {b"connection", b"upgrade"}
    told = [(*line, [one for one in headers if one[0] not in upgrades], body) for *line, headers, body in asking.read]
    assert told == [tuple(one) for one in plain.read]
    assert [dict(headers).get(b"upgrade") for _, _, headers, _ in asking.read] == [
        b"h2c" if asks else None for asks, *_ in requests
    ]
