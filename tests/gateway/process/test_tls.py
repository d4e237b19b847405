"""TLS with callers and with upstreams, agreed on by real clients and servers over certificates made up here."""

import shutil
import socket
import ssl
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx2 as httpx
import msgspec
import openai
import pytest

from gateway.certificates import Authority
from gateway.process.test_server import wait_until
from gateway.rig import CHAT, FIXTURES, running, usual
from modicum.calls import UserError
from modicum.gateway.process.from_settings import upstreams_of
from modicum.gateway.process.tls import caller_context, listener_of, shown, trust_of
from modicum.settings import Settings, UpstreamSettings, read_settings


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


def encrypted(certificate, key, **gateway):
    return usual(tls_certificate_file=str(certificate), tls_key_file=str(key), **gateway)


def trusting(authority):
    return ssl.create_default_context(cafile=str(authority.file))


@pytest.fixture(scope="module")
def tls_rig(tmp_path_factory, authority):
    with running(tmp_path_factory.mktemp("tls"), encrypted(*authority.issue("localhost", "127.0.0.1"))) as rig:
        yield rig


def address(rig):
    return "127.0.0.1", rig.gateway.server.port


@pytest.mark.parametrize("stream", [False, True])
def test_an_official_client_calls_over_tls(tls_rig, authority, stream):
    url = f"https://localhost:{tls_rig.gateway.server.port}/v1"
    web = httpx.Client(verify=trusting(authority))
    with openai.OpenAI(base_url=url, api_key=tls_rig.key, max_retries=0, http_client=web) as client:
        headers = {"x-fixture": "openai-chat/usage_in_its_own_chunk.sse"} if stream else {}
        reply = client.chat.completions.create(**CHAT, stream=stream, extra_headers=headers)
        got = list(reply) if stream else [reply]

    assert got[0].model


def test_who_speaks_no_tls_or_an_old_one_is_not_served_and_the_next_one_is(tls_rig, authority):
    with socket.create_connection(address(tls_rig), timeout=10) as line:
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert b"HTTP/1.1" not in received(line)
    old = trusting(authority)
    old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with (
        socket.create_connection(address(tls_rig), timeout=10) as line,
        pytest.raises((ssl.SSLError, ConnectionResetError)),
    ):
        old.wrap_socket(line, server_hostname="localhost")

    with agreed(tls_rig, authority, alpn=["h2", "http/1.1"]) as line:
        assert (line.version(), line.selected_alpn_protocol()) == ("TLSv1.3", "http/1.1")
        line.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert line.recv(1000).startswith(b"HTTP/1.1 200")


def received(line):
    got = b""
    try:
        while piece := line.recv(1000):
            got += piece
    except ConnectionResetError:
        pass
    return got


@contextmanager
def agreed(rig, authority, alpn=("http/1.1",), name="localhost"):
    context = trusting(authority)
    context.set_alpn_protocols(list(alpn))
    with (
        socket.create_connection(address(rig), timeout=10) as line,
        context.wrap_socket(line, server_hostname=name) as wrapped,
    ):
        yield wrapped


def serial(rig, authority, name="localhost"):
    with agreed(rig, authority, name=name) as line:
        return line.getpeercert()["serialNumber"]


def test_a_renewed_certificate_is_shown_without_a_restart_and_calls_go_on(tmp_path, authority, capfd):
    files = tmp_path / "shown.pem", tmp_path / "shown.key"

    def put(*names):
        for made, file in zip(authority.issue(*names, to=tmp_path.name), files, strict=True):
            shutil.copy(made, tmp_path / "next")
            (tmp_path / "next").replace(file)

    put("localhost")
    with running(tmp_path / "state", encrypted(*files)) as rig:
        before = serial(rig, authority)
        with agreed(rig, authority) as line:
            put("localhost", "new.example.com")
            wait_until(lambda: serial(rig, authority) != before)
            assert serial(rig, authority, "new.example.com")
            line.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert line.recv(1000).startswith(b"HTTP/1.1 200")
        renewed = serial(rig, authority)
        files[1].write_text("half a key")
        wait_until(lambda: "certificate_kept" in capfd.readouterr().err)
        assert serial(rig, authority) == renewed
        put("localhost")
        wait_until(lambda: serial(rig, authority) != renewed)


def test_who_does_not_agree_on_keys_in_time_is_closed(tmp_path, authority, monkeypatch):
    monkeypatch.setattr("modicum.gateway.process.fair_accept.HANDSHAKE_WITHIN_S", 0.1)
    with (
        running(tmp_path, encrypted(*authority.issue("localhost", to="silent"))) as rig,
        socket.create_connection(address(rig), timeout=10) as silent,
    ):
        assert received(silent) == b""
        assert serial(rig, authority)


def test_draining_does_not_wait_for_who_has_not_yet_agreed_on_keys(tmp_path, authority, monkeypatch):
    monkeypatch.setattr("modicum.gateway.process.fair_accept.HANDSHAKE_WITHIN_S", 600.0)
    with running(tmp_path, encrypted(*authority.issue("localhost", to="drained"))) as rig:
        silent = socket.create_connection(address(rig), timeout=10)
        wait_until(lambda: rig.gateway.server.servers[0]._connecting)
    silent.close()  # `running` has seen the gateway end within 20 s


@pytest.fixture
def written(tmp_path):
    """Settings from a file, where the faults of certificates are named by their line."""

    def write(text):
        (tmp_path / "modicum.toml").write_text(text)
        return read_settings({"MODICUM_CONFIG": str(tmp_path / "modicum.toml")})

    return write


FILES = '[gateway]\nown_keys = true\ntls_certificate_file = "{0}"\ntls_key_file = "{1}"\n'


def test_faults_of_certificate_and_key_are_told_with_file_and_line(tmp_path, authority, written):
    certificate, key = authority.issue("localhost", to="fine")
    _, other = authority.issue("localhost", to="other")
    _, locked = authority.issue("localhost", to="locked", passphrase=b"secret")
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n-----BEGIN PRIVATE KEY-----\n")
    for files, reason in {
        (
            certificate,
            tmp_path / "none.key",
        ): r"modicum\.toml:4: gateway\.tls_key_file: .*none\.key cannot be read: No such",
        (tmp_path, key): r"modicum\.toml:3: gateway\.tls_certificate_file: .* cannot be read: Is a directory",
        (key, key): r":3: gateway\.tls_certificate_file: .*fine\.key holds no certificate as PEM",
        (certificate, certificate): r":4: gateway\.tls_key_file: .*fine\.pem holds no private key as PEM",
        (
            certificate,
            other,
        ): r":4: gateway\.tls_key_file: the key in .*other\.key is not the one of the certificate in",
        (certificate, locked): r":4: gateway\.tls_key_file: .*locked\.key has a passphrase; write the key without",
        (garbage, key): r":3: gateway\.tls_certificate_file: .*garbage\.pem with .* cannot be used",
    }.items():
        with pytest.raises(UserError, match=reason):
            listener_of(written(FILES.format(*files)))
    with pytest.raises(UserError, match=r":2: gateway\.tls_key_file is of no use without tls_certificate_file"):
        written('[gateway]\ntls_key_file = "x"\n')
    assert listener_of(written("")) is None
    assert listener_of(written(FILES.format(certificate, key))).context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_paths_count_from_the_settings_and_one_file_may_hold_both(tmp_path, authority, written):
    certificate, key = authority.issue("a.example.com", "b.example.com", to="both")
    (tmp_path / "both.pem").write_bytes(certificate.read_bytes() + key.read_bytes())
    settings = written('[gateway]\ntls_certificate_file = "both.pem"\n')

    assert listener_of(settings)
    assert shown(settings).names == ["a.example.com", "b.example.com"]
    assert shown(settings).until.timestamp() > 0


def test_one_whose_time_is_over_is_named(authority, written):
    with pytest.raises(UserError, match=r":3: gateway\.tls_certificate_file: callers will not believe it: .*expired"):
        shown(written(FILES.format(*authority.issue("localhost", to="over", days=-1))))
    with pytest.raises(UserError, match="holds no certificate"):
        caller_context(written(FILES.format(*reversed(authority.issue("localhost", to="swapped")))))


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        body = (FIXTURES / "openai-chat/cached.json").read_bytes()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@contextmanager
def upstream(certificate, key):
    """A provider behind TLS."""
    server = HTTPServer(("127.0.0.1", 0), Answering)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


def served_by(port, ca_file):
    def settings(_):
        one = UpstreamSettings(url=f"https://localhost:{port}/v1", speaks="openai", ca_file=str(ca_file))
        return msgspec.structs.replace(usual()(port), upstreams={"own": one}, models={})

    return settings


def called(rig):
    return httpx.post(f"{rig.url}/v1/chat/completions", json=CHAT, headers=rig.headers())


def test_an_authority_of_ones_own_is_believed_at_its_upstream(tmp_path, authority):
    issued = authority.issue("localhost", to="upstream")
    with upstream(*issued) as port, running(tmp_path, served_by(port, authority.file)) as rig:
        assert called(rig).status_code == 200


@pytest.mark.parametrize("fault", ["another authority", "no authority", "another host", "over"])
def test_what_it_did_not_issue_for_this_host_is_not_believed(tmp_path, authority, fault, capfd):
    issued = authority.issue(
        "elsewhere" if fault == "another host" else "localhost", to="upstream", days=-1 if fault == "over" else 30
    )
    believed = {"another authority": Authority(tmp_path / "another").file, "no authority": ""}
    with upstream(*issued) as port, running(tmp_path, served_by(port, believed.get(fault, authority.file))) as rig:
        reply = called(rig)
        aside = httpx.get(f"{rig.url}/v1/files", headers=rig.headers())

    assert (reply.status_code, reply.json()["error"]["code"]) == (502, "upstream_unreachable")
    assert "certificate is not trusted" in reply.json()["error"]["message"]
    assert aside.status_code == 502
    logged = capfd.readouterr().err
    assert "upstream_not_trusted" in logged
    assert "ca_file" in logged


def test_faults_of_an_upstreams_authority_are_told_with_file_and_line(tmp_path, authority, written):
    text = (
        '[upstreams.a]\nurl = "https://a.example/v1"\nspeaks = "openai"\nca_file = "{0}"\n'
        '[upstreams."b"]\nurl = "{1}://b.example/v1"\nspeaks = "openai"\nca_file = "{2}"\n'
    )
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("no certificate")
    fine = authority.file
    for facts, reason in {
        ("none.pem", "https", fine): r"modicum\.toml:4: upstreams\.a\.ca_file: .*none\.pem cannot be read: No such",
        (
            fine,
            "https",
            garbage,
        ): r"modicum\.toml:8: upstreams\.b\.ca_file: .*garbage\.pem holds no certificates as PEM",
        (fine, "http", fine): r"modicum\.toml:8: upstreams\.b\.ca_file is of no use: http://b\.example/v1 is",
    }.items():
        with pytest.raises(UserError, match=reason):
            upstreams_of(written(text.format(*facts)))
    first, second = upstreams_of(written(text.format(fine, "https", fine)))
    assert first.origin.trust.verify_mode is second.origin.trust.verify_mode is ssl.CERT_REQUIRED
    assert first.origin.trust.check_hostname
    assert trust_of(Settings(), "openai") is None


def test_who_is_turned_away_for_want_of_open_files_is_told_over_tls(tmp_path, authority):
    with running(tmp_path, encrypted(*authority.issue("localhost", "127.0.0.1"))) as rig:
        rig.gateway.server.servers[0]._most = 0
        reply = httpx.get(f"https://localhost:{rig.gateway.server.port}/healthz", verify=trusting(authority))
        rig.gateway.server.servers[0]._most = 10
        again = httpx.get(f"https://localhost:{rig.gateway.server.port}/healthz", verify=trusting(authority))

    assert (reply.status_code, reply.json()["error"]["code"], again.status_code) == (503, "out_of_files", 200)


def test_a_stranger_with_a_large_body_is_told_over_tls(tls_rig, authority):
    url = f"https://localhost:{tls_rig.gateway.server.port}/v1/chat/completions"

    for headers in ({}, {"connection": "close"}):
        reply = httpx.post(url, content=bytes(12_000_000), headers=headers, verify=trusting(authority))
        assert reply.status_code == 401
