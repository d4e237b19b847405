import socket
import ssl
import threading

import pytest

from gateway.certificates import Authority
from modicum.outbound.blocking import ask
from modicum.outbound.hosts import Origin, trust_in
from modicum.outbound.unreachable import OtherProtocol, Unreachable, Untrusted

HELLO = b"HTTP/1.1 201 Made\r\ncontent-length: 5\r\n\r\nhello"


class OneReply:
    """A server that answers one connection with these bytes. `asked` is what it was sent."""

    def __init__(self, reply, tls=None):
        self.reply, self.tls, self.asked = reply, tls, b""
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.thread = threading.Thread(target=self.run)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.thread.join(10)
        self.listening.close()

    def run(self):
        connection, _ = self.listening.accept()
        with connection:
            try:
                spoken = self.tls.wrap_socket(connection, server_side=True) if self.tls else connection
                self.asked = spoken.recv(65536)
                spoken.sendall(self.reply)
                spoken.close()
            except OSError:
                return


def test_a_reply_comes_in_full_with_its_status():
    with OneReply(HELLO) as server:
        reply = ask(
            Origin("127.0.0.1", server.port, tls=False), "POST", "/api/ask", b"body", {"x-key": "k"}, timeout_s=5
        )

    assert (reply.status, reply.body) == (201, b"hello")
    assert server.asked.startswith(b"POST /api/ask HTTP/1.1\r\n")
    assert b"x-key: k" in server.asked


def test_who_does_not_answer_and_who_speaks_something_else_are_told_apart():
    with OneReply(b"220 mail.example.org\r\n") as server, pytest.raises(OtherProtocol):
        ask(Origin("127.0.0.1", server.port, tls=False), "GET", "/", timeout_s=5)
    with pytest.raises(Unreachable, match="refused") as silent:
        ask(Origin("127.0.0.1", server.port, tls=False), "GET", "/", timeout_s=5)
    assert type(silent.value) is Unreachable


def test_a_certificate_is_checked_with_what_the_origin_trusts(tmp_path):
    ours, others = Authority(tmp_path / "ours"), Authority(tmp_path / "others")
    shown = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    shown.load_cert_chain(*ours.issue("127.0.0.1"))

    def status(authority):
        with OneReply(HELLO, shown) as server:
            origin = Origin("127.0.0.1", server.port, tls=True, trust=trust_in(authority.file.read_text()))
            return ask(origin, "GET", "/", timeout_s=5).status

    assert status(ours) == 201
    with pytest.raises(Untrusted, match="issuer certificate"):
        status(others)
