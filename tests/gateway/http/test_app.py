"""Bad input: an error in the caller's dialect, nothing of the request in it or in a log, and the next call unharmed."""

import gzip
import json
import socket
import time

import httpx2 as httpx
import msgspec
import pytest
from backports import zstd
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.rig import CHAT, running, usual

SECRET = "my-very-secret-prompt"


@pytest.fixture
def web(rig):
    with httpx.Client(base_url=rig.url, headers=rig.headers(), timeout=10) as web:
        yield web
        assert web.post("/v1/chat/completions", json=CHAT).status_code == 200  # the next call is unharmed


def raw(rig, data, *, seconds=5.0):
    """Bytes in, bytes out, until the gateway closes or says nothing more."""
    with socket.create_connection(("127.0.0.1", rig.gateway.server.port), timeout=seconds) as line:
        line.sendall(data)
        said = b""
        try:
            while piece := line.recv(65536):
                said += piece
                if b"\r\n\r\n" in said and said.rstrip().endswith(b"}"):
                    break
        except (TimeoutError, ConnectionResetError):
            pass
        return said


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b'"' + b"[" * 100_000, 400),
        (b"[" * 100_000, 400),
        (b'{"model":5,"messages":[]}', 400),
        (b'{"messages":[{"role":"user","content":"' + SECRET.encode() + b'"}]}', 400),
        (b'{"model":"nobody-serves-this","messages":[]}', 404),
        (b'{"model":"gpt-4o\\nx-evil: 1","messages":[]}', 400),
        (b"\xff\xfe\x00", 400),
    ],
)
def test_a_broken_request_is_refused_in_openais_words(rig, web, body, status):
    seen = len(rig.provider.asked)

    reply = web.post("/v1/chat/completions", content=body)

    assert reply.status_code == status
    assert set(reply.json()["error"]) >= {"message", "type", "code"}
    assert SECRET not in reply.text
    assert len(rig.provider.asked) == seen


def test_anthropic_and_gemini_get_their_own_words(web):
    assert web.post("/v1/messages", content=b"{").json()["type"] == "error"
    assert web.post("/v1beta/models/gemini-2.5-flash:generateContent", content=b"{").json()["error"]["code"] == 400


@pytest.mark.parametrize("key", ["", "mk_000000000000_nothing", "mk_", "mk_\xe9", "mk_' OR 1=1; --_x"])
def test_a_key_that_is_none_is_a_401_and_says_nothing_more(rig, key):
    headers = {"authorization": f"Bearer {key}".encode("latin-1")} if key else {}

    reply = httpx.post(f"{rig.url}/v1/chat/completions", json=CHAT, headers=headers)

    assert reply.status_code == 401
    assert key not in reply.text or not key


def test_a_revoked_key_is_refused_within_a_second(rig):
    from datetime import UTC, datetime

    from modicum.governance.keys import KeyEvent
    from modicum.ledger.events import EventFile

    key = rig.issue_key("leaver")
    wait_for(lambda: status_with(rig, key) == 200)
    events = EventFile(rig.folder / "events.sqlite")
    key_id = events.read("key", KeyEvent)[-1].key_id
    events.append("key", KeyEvent(what="revoked", key_id=key_id, at=datetime.now(UTC), by="test"))
    events.close()

    wait_for(lambda: status_with(rig, key) == 401)


def status_with(rig, key, **told):
    headers = {"authorization": f"Bearer {key}"}
    return httpx.post(f"{rig.url}/v1/chat/completions", json=CHAT | told, headers=headers).status_code


def wait_for(condition, seconds=5.0):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.05)


def test_a_key_for_some_models_opens_no_others(rig):
    key = rig.issue_key("narrow", models=("gpt-4o-mini",))
    wait_for(lambda: status_with(rig, key) == 200)

    assert status_with(rig, key, model="gpt-5") == 403
    assert status_with(rig, key, model="fast") == 403  # an alias is a name of its own


@pytest.mark.parametrize("other", ['"model":"gpt-5"', '"Model":"gpt-5"', r'"\u006dodel":"gpt-5"'])
def test_of_several_models_the_one_that_was_checked_goes_upstream(rig, other):
    key = rig.issue_key("bound", models=("gpt-4o-mini",))
    wait_for(lambda: status_with(rig, key) == 200)
    told = json.dumps(CHAT)
    for body in (f"{{{other},{told[1:]}", f"{told[:-1]},{other}}}"):
        seen = len(rig.provider.asked)
        reply = httpx.post(f"{rig.url}/v1/chat/completions", content=body, headers={"authorization": f"Bearer {key}"})

        assert reply.status_code in {200, 403}
        sent = [json.loads(body, object_pairs_hook=list) for _, _, body in rig.provider.asked[seen:]]
        assert all([name.lower() for name, _ in fields].count("model") == 1 for fields in sent)
        assert all(dict(fields)["model"] == "gpt-4o-mini" for fields in sent)


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/v1/chat/completions", CHAT | {"models": ["gpt-5"]}),
        ("/v1/chat/completions", CHAT | {"fallbacks": [{"model": "gpt-5"}]}),
        ("/v1/chat/completions", CHAT | {"plugins": [{"id": "fusion", "analysis_models": ["gpt-5"]}]}),
        ("/v1/responses", {"model": "gpt-4o-mini", "input": "", "tools": [{"type": "x", "model": "gpt-5"}]}),
        (
            "/v1/messages",
            {"model": "claude-a", "max_tokens": 5, "messages": [], "tools": [{"type": "advisor", "model": "claude-b"}]},
        ),
        (
            "/v1/messages/count_tokens",
            {"model": "claude-a", "messages": [], "tools": [{"type": "advisor", "model": "claude-b"}]},
        ),
        ("/v1beta/models/gemini-a:generateContent", {"contents": [], "fallbackModel": "gemini-b"}),
    ],
)
def test_a_key_for_some_models_may_name_no_other_in_its_body(rig, path, told):
    key = rig.issue_key("limited", models=("gpt-4o-mini", "claude-a", "gemini-a"))
    wait_for(lambda: status_with(rig, key) == 200)
    seen = len(rig.provider.asked)

    reply = httpx.post(rig.url + path, json=told, headers={"authorization": f"Bearer {key}"})

    assert reply.status_code == 403
    assert "this key may not use a model that the body names in" in reply.text
    assert len(rig.provider.asked) == seen
    assert httpx.post(rig.url + path, json=told, headers=rig.headers()).status_code == 200  # a key for all models


def test_of_several_lists_of_models_the_one_that_was_checked_goes_upstream(rig):
    key = rig.issue_key("listed", models=("gpt-4o-mini", "gemini-a"))
    wait_for(lambda: status_with(rig, key) == 200)
    lists = '"models":["gpt-5"],"models":["gpt-4o-mini"]'
    for path, body in (
        ("/v1/chat/completions", f'{{{lists},"\\u006dodel":"gpt-4o-mini","messages":[]}}'),
        ("/v1beta/models/gemini-a:generateContent", f'{{{lists},"contents":[]}}'),
    ):
        reply = httpx.post(rig.url + path, content=body, headers={"authorization": f"Bearer {key}"})

        assert reply.status_code == 200
        assert b"gpt-5" not in rig.provider.asked[-1][2]


def test_a_callers_own_key_goes_to_the_provider_and_into_no_record(rig):
    reply = httpx.post(f"{rig.url}/v1/chat/completions", json=CHAT, headers={"authorization": "Bearer sk-own-secret"})

    assert reply.status_code == 200
    assert rig.provider.asked[-1][1]["authorization"] == "Bearer sk-own-secret"
    assert b"own-secret" not in (rig.folder / "journal" / "gateway.sqlite-wal").read_bytes()


@pytest.mark.parametrize(
    "path",
    [
        "/v1/chat/completions/",
        "/v1/chat/../chat/completions",
        "/v1//chat/completions",
        "/v1/chat/completions%00",
        "/v1/%2e%2e/admin",
        "/v1beta/models/a%2fb:generateContent",
        "/v1/models/m:generateContent/",
        "/",
        "/files",
        "/v2/files",
    ],
)
def test_path_tricks_reach_nobody(rig, web, path):
    seen = len(rig.provider.asked)
    host = f"host: 127.0.0.1\r\nauthorization: Bearer {rig.key}\r\n"
    data = json.dumps(CHAT)

    said = raw(rig, f"POST {path} HTTP/1.1\r\n{host}content-length: {len(data)}\r\n\r\n{data}".encode())

    assert said.split(b" ")[1] in {b"404", b"400"}
    assert len(rig.provider.asked) == seen


def test_a_decoded_path_is_what_is_checked_and_served(rig, web):
    data = json.dumps(CHAT)
    head = f"POST /v1/chat%2Fcompletions HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {len(data)}\r\n\r\n"

    assert b" 401 " in raw(rig, (head + data).encode())  # the same door, and the same lock


@pytest.mark.parametrize(
    "header",
    [
        "x-portkey-custom-host: http://evil",
        "x-modicum-upstream: http://evil",
        "x-forwarded-host: evil",
        "api-base: evil",
    ],
)
def test_a_caller_cannot_choose_the_host(rig, web, header):
    name, _, value = header.partition(": ")

    assert web.post("/v1/chat/completions", json=CHAT | {"api_base": "http://evil"}, headers={name: value}).is_success
    assert rig.provider.asked[-1][1]["host"] == f"127.0.0.1:{rig.provider.port}"


def test_a_name_that_was_rebound_to_this_machine_is_refused(rig, web):
    assert web.post("/v1/chat/completions", json=CHAT, headers={"host": "evil.example"}).status_code == 421


def test_a_host_that_holds_a_path_opens_no_other_door(rig, web):
    data = json.dumps(CHAT)
    for host in ("localhost/healthz?", "localhost#", "localhost@evil", "user@localhost/metrics"):
        head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: {host}\r\ncontent-length: {len(data)}\r\n\r\n"
        assert raw(rig, (head + data).encode()).split(b" ")[1] in {b"401", b"421"}


def test_a_page_in_a_browser_is_given_no_leave(rig, web):
    asks = {"origin": "http://evil.example", "access-control-request-method": "POST"}

    for path in ("/v1/chat/completions", "/v1/models", "/outcomes", "/metrics"):
        reply = httpx.options(f"{rig.url}{path}", headers=asks)
        assert reply.status_code in {401, 404, 405}
        assert not any(name.startswith("access-control") for name in reply.headers)


def test_a_form_with_an_endless_boundary_is_refused_at_once(web):
    headers = {"content-type": "multipart/form-data; boundary=" + "-" * 5_000}

    assert web.post("/v1/chat/completions", content=b"--" * 500_000, headers=headers).status_code == 400


@pytest.mark.parametrize("path", ["/v1/models", "/outcomes", "/v1/traces", "/v1/messages/count_tokens"])
def test_no_door_is_open_without_a_key(rig, path):
    asked = httpx.get if path == "/v1/models" else httpx.post

    reply = asked(f"{rig.url}{path}", headers={"content-type": "application/json"})

    assert reply.status_code == 401


@pytest.mark.parametrize("body", [rb"\ud800", rb"\ude00", rb"a\u0000b"])
def test_odd_characters_in_a_prompt_are_served_or_refused_and_kept_nowhere(rig, web, body):
    told = json.dumps(CHAT).replace("France", f"France{body.decode()}")

    assert web.post("/v1/chat/completions", content=told).status_code in {200, 400}


def test_requests_in_one_packet_are_each_answered(rig, web):
    data = json.dumps(CHAT)
    head = f"host: localhost\r\nauthorization: Bearer {rig.key}\r\ncontent-length: {len(data)}"
    one = f"POST /v1/chat/completions HTTP/1.1\r\n{head}"
    nothing = "GET /nothing HTTP/1.1\r\nhost: localhost\r\n\r\n"
    with socket.create_connection(("127.0.0.1", rig.gateway.server.port), timeout=5) as line:
        line.sendall(f"{one}\r\n\r\n{data}{nothing}{one}\r\nconnection: close\r\n\r\n{data}".encode())
        said = b"".join(iter(lambda: line.recv(65536), b""))

    assert [part[:3] for part in said.split(b"HTTP/1.1 ")[1:]] == [b"200", b"404", b"200"]


@pytest.mark.parametrize(
    "head",
    [
        "authorization: Bearer {key}\r\nauthorization: Bearer other\r\ncontent-length: {size}",
        "authorization: Bearer {key}\r\ncontent-length: {size}\r\ncontent-length: 5",
        "authorization: Bearer {key}\r\ncontent-length: {size}\r\ntransfer-encoding: chunked",
        "authorization: Bearer {key}\r\ncontent-length: -1",
        "authorization: Bearer {key}\r\ncontent-length: 99999999999",
        "authorization: Bearer {key}\r\ncontent-encoding: gzip\r\ncontent-length: {size}",
        "authorization: Bearer {key}\r\nx-a: b\r\n c: folded\x00\r\ncontent-length: {size}",
    ],
)
def test_headers_that_could_be_read_in_two_ways_are_refused(rig, web, head):
    seen = len(rig.provider.asked)
    data = json.dumps(CHAT)
    told = head.format(key=rig.key, size=len(data))

    said = raw(rig, f"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n{told}\r\n\r\n{data}".encode())

    assert said.split(b" ")[1] in {b"400", b"413", b"415"}
    assert len(rig.provider.asked) == seen


def test_what_follows_a_body_is_no_header(rig, web):
    data = json.dumps(CHAT)
    head = f"host: localhost\r\nauthorization: Bearer {rig.key}\r\ntransfer-encoding: chunked"
    after = "x-modicum-task: smuggled\r\nhost: evil\r\n" + "x-a: b\r\n" * 300
    body = f"{len(data):x}\r\n{data}\r\n0\r\n{after}\r\n"

    said = raw(rig, f"POST /v1/chat/completions HTTP/1.1\r\n{head}\r\n\r\n{body}".encode())

    assert b" 200 " in said.partition(b"\r\n")[0]
    assert rig.records()[-1].task != "smuggled"


def test_what_a_model_is_named_stays_within_the_path(rig, web):
    body = {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}

    reply = web.post("/v1beta/models/gemini-%23%20%C3%A4:generateContent", json=body)

    assert reply.is_success, reply.text
    assert rig.provider.asked[-1][0] == "POST /v1beta/models/gemini-%23%20%C3%A4:generateContent HTTP/1.1"


def test_huge_headers_and_bodies_are_refused(tmp_path):
    with running(tmp_path, usual(most_body_mb=1)) as rig:
        huge = raw(rig, b"POST /v1/messages HTTP/1.1\r\nhost: localhost\r\n" + b"x-a: " + b"a" * 200_000 + b"\r\n\r\n")
        body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "a" * 2_000_000}]}
        chunked = httpx.post(
            f"{rig.url}/v1/chat/completions", content=iter([json.dumps(body).encode()]), headers=rig.headers()
        )
        plain = httpx.post(f"{rig.url}/v1/chat/completions", json=body, headers=rig.headers())

    assert huge == b"" or huge.startswith(b"HTTP/1.1 400")  # the answer is lost if the line is reset first
    assert (chunked.status_code, plain.status_code) == (413, 413)


def test_a_caller_that_sends_too_slowly_is_let_go(tmp_path):
    with running(tmp_path, usual(slow_client_s=0.3)) as rig:
        head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {rig.key}\r\n"
        said = raw(rig, f"{head}content-length: 500\r\n\r\n{{".encode())

    assert b" 408 " in said.partition(b"\r\n")[0]


def test_health_readiness_and_metrics(rig, web):
    web.post("/v1/chat/completions", json=CHAT)

    assert web.get("/healthz").text == "ok\n"
    assert web.get("/readyz").text == "ready\n"
    metrics = web.get("/metrics").text
    assert 'modicum_tokens_total{bucket="cache_read"' in metrics
    assert rig.key not in metrics


def test_no_prompt_and_no_key_in_the_files_of_the_gateway(rig, web):
    told = CHAT | {"messages": [{"role": "user", "content": SECRET}]}
    web.post("/v1/chat/completions", json=told)
    web.post("/v1/chat/completions", json=told, headers={"x-fault": "hang_up"})
    web.post("/v1/chat/completions", json=told, headers={"x-fixture": "openai-chat/garbage.json"})

    written = b"".join(path.read_bytes() for path in rig.folder.rglob("*") if path.is_file())
    assert SECRET.encode() not in written
    assert rig.key.rpartition("_")[2].encode() not in written


REAL = json.dumps(
    CHAT | {"stream": True, "tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}], "user": "u"}
).encode()


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(
        ["/v1/chat/completions", "/v1/messages", "/v1/responses", "/v1beta/models/gemini-x:generateContent"]
    ),
    st.lists(st.tuples(st.integers(0, len(REAL) - 1), st.binary(max_size=4)), min_size=1, max_size=4),
)
def test_a_mutated_request_is_served_or_refused_but_never_a_fault_of_ours(rig, path, changes):
    body = bytearray(REAL)
    for place, data in changes:
        body[place : place + len(data)] = data

    reply = httpx.post(
        f"{rig.url}{path}", content=bytes(body), headers=rig.headers(x_fixture="openai-chat/cached.json")
    )

    assert reply.status_code < 500
    assert rig.gateway.parts.journal.healthy


@pytest.mark.parametrize(
    ("coding", "data", "status", "said"),
    [
        ("br", b"x", 415, "gzip, deflate or zstd"),
        ("gzip, zstd", b"x", 415, "gzip, deflate or zstd"),
        ("gzip", b"not packed", 400, "content-encoding"),
        ("gzip", gzip.compress(json.dumps(CHAT).encode(), mtime=0)[:-4], 400, "too early"),
        ("zstd", b"", 400, "JSON"),
        ("gzip", gzip.compress(bytes(65 * 1024 * 1024), 1, mtime=0), 413, "at most"),
        ("zstd", zstd.compress(bytes(65 * 1024 * 1024)), 413, "at most"),
    ],
)
def test_what_is_packed_otherwise_or_unpacks_to_too_much_is_refused(rig, web, coding, data, status, said):
    reply = web.post("/v1/chat/completions", content=data, headers={"content-encoding": coding})

    assert reply.status_code == status
    assert said in reply.text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (
            "/v1/chat/completions",
            rb"""{"model":"gpt-5","user":"u\ud83d","metadata":{"team\udc00":"s\ud83d"},"messages":[{"role":"user",
            "content":"cut \ud83d"}],"tools":[{"type":"function","function":{"name":"t\ud83d","parameters":{}}}]}""",
        ),
        ("/v1/responses", rb'{"model":"gpt-5","input":"cut \ud83d","user":"u\ud83d","metadata":{"a\udc00":"\ud83d"}}'),
        (
            "/v1/messages",
            rb"""{"model":"claude-opus-4-5","max_tokens":9,"metadata":{"user_id":"u\ud83d"},"messages":[{"role":"user",
            "content":[{"type":"text","text":"cut \ud83d"}]}]}""",
        ),
        ("/v1beta/models/gemini-2.5-pro:generateContent", rb'{"contents":[{"parts":[{"text":"cut \ud83d"}]}]}'),
    ],
)
def test_half_a_character_in_a_request_is_the_providers_to_judge_and_the_call_is_recorded(rig, path, body):
    """Programs that cut texts in JavaScript send them."""
    before = len(rig.records())

    reply = httpx.post(rig.url + path, content=body, headers=rig.headers(**{"content-type": "application/json"}))

    assert reply.status_code == 200, reply.text
    (call,) = rig.wait_for_records(before + 1)[before:]
    msgspec.json.encode(call)
    assert [entry for entry in rig.shipped() if entry.call.call_id == call.call_id]
