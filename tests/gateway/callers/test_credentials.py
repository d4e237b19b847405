"""A modicum key that is not written as keys are is refused, and no provider sees a byte of the request."""

import base64
import json
import socket
from datetime import UTC, datetime

import httpx2 as httpx
import pytest

from gateway.http.test_app import raw
from gateway.rig import CHAT
from modicum.calls import Owner
from modicum.gateway.callers.credentials import check_places, modicum_key, query_key
from modicum.gateway.http.refusal import Refused
from modicum.governance.keys import issue

KEY = issue(Owner(key="ci"), (), datetime(2026, 1, 1, tzinfo=UTC), "t", b"d" * 32)[0]
OWN = "Bearer sk-proj-0123456789abcdef"


def b64(text):
    return base64.b64encode(text.encode()).decode()


def percent(text):
    return "".join(f"%{ord(letter):02x}" for letter in text)


MISPLACED = {
    "two blanks": {"authorization": "Bearer  {key}"},
    "a tab": {"authorization": "Bearer\t{key}"},
    "twice Bearer": {"authorization": "Bearer Bearer {key}"},
    "Token": {"authorization": "Token {key}"},
    "no Bearer": {"authorization": "{key}"},
    "quoted": {"authorization": 'Bearer "{key}"'},
    "quoted once": {"authorization": "Bearer '{key}"},
    "named": {"authorization": "Bearer key={key}"},
    "with a comma": {"authorization": "Bearer {key}, Bearer sk-proj-0123456789abcdef"},
    "behind an own key": {"authorization": "Bearer sk-proj-0123456789abcdef {key}"},
    "upper case": {"authorization": "Bearer {upper}"},
    "Bearer where it does not belong": {"x-api-key": "Bearer {key}"},
    "quoted in x-api-key": {"x-api-key": '"{key}"'},
    "named in x-goog-api-key": {"x-goog-api-key": "key={key}"},
    "Basic, as the password": {"authorization": "Basic {password}"},
    "Basic, as the user": {"authorization": "Basic {user}"},
    "base64": {"x-api-key": "{packed}"},
    "base64 as a bearer": {"authorization": "Bearer {packed}"},
    "percent-encoded": {"authorization": "Bearer {encoded}"},
    "percent-encoded twice": {"authorization": "Bearer {encoded_twice}"},
    "another header": {"x-my-key": "{key}"},
    "another header, beside an own key": {"authorization": OWN, "openai-beta": "{key}"},
    "another header, in the middle": {"authorization": OWN, "user-agent": "agent/1 (key={key})"},
    "another header, in base64": {"authorization": OWN, "anthropic-beta": "a,{user}"},
    "another header, with its Bearer": {"authorization": OWN, "proxy-authorization": "Bearer {key}"},
    "a cookie": {"authorization": OWN, "cookie": "a=b; session={key}"},
    "a cookie, percent-encoded": {"authorization": OWN, "cookie": "session={encoded}"},
    "what would be recorded": {"authorization": OWN, "x-modicum-task": "{key}"},
    "the name of a header": {"authorization": OWN, "x-{key}": "1"},
    "beside itself, elsewhere": {"authorization": "Bearer {key}", "x-request-id": "{key}"},
}


def forms(key):
    return {
        "key": key,
        "upper": key.upper(),
        "password": b64(f"someone:{key}"),
        "user": b64(f"{key}:"),
        "packed": b64(key),
        "encoded": percent(key),
        "encoded_twice": percent(percent(key)),
    }


@pytest.mark.parametrize("how", MISPLACED)
def test_a_key_in_an_unusual_place_is_refused_and_goes_nowhere(rig, how):
    written = forms(rig.key)
    headers = {name.format(**written): value.format(**written) for name, value in MISPLACED[how].items()}
    before = len(rig.provider.asked)

    reply = httpx.post(f"{rig.url}/v1/chat/completions", json=CHAT, headers=headers)

    assert reply.status_code == 401
    assert reply.json()["error"]["code"] == "misplaced_key"
    assert "authorization: Bearer KEY" in reply.json()["error"]["message"]
    assert rig.key not in reply.text
    assert len(rig.provider.asked) == before


@pytest.mark.parametrize(
    "query",
    [
        "alt={key}",
        "beta=true&x={key}",
        "key={encoded}",
        "key=%22{key}%22",
        "key={packed}",
        "key=sk-proj-0123456789abcdef&key={key}",
        "key={key}&key={key}",
        "key={key}&alt={key}",
        "alt=sse;key={key}",
        "{key}",
        "a%3d{encoded}",
        "KEY={key}",
    ],
)
def test_a_key_elsewhere_in_the_query_is_refused_and_goes_nowhere(rig, query):
    before = len(rig.provider.asked)
    asked = f"{rig.url}/v1beta/models/gemini-2.5-flash:generateContent?{query.format(**forms(rig.key))}"

    reply = httpx.post(asked, json={"contents": []}, headers={"x-goog-api-key": "AIza0123456789abcdef"})

    assert (reply.status_code, len(rig.provider.asked)) == (401, before)


def test_a_key_in_the_path_is_refused_and_goes_nowhere(rig):
    before = len(rig.provider.asked)

    reply = httpx.get(f"{rig.url}/v1/models/{rig.key}", headers=rig.headers())

    assert (reply.status_code, len(rig.provider.asked)) == (401, before)


def test_two_different_keys_are_refused_and_one_key_twice_is_not(rig):
    other = rig.issue_key("other")
    both = rig.headers() | {"x-api-key": other}

    assert httpx.post(f"{rig.url}/v1/chat/completions", json=CHAT, headers=both).status_code == 401
    both["x-api-key"] = rig.key
    assert httpx.post(f"{rig.url}/v1/chat/completions", json=CHAT, headers=both).status_code == 200


@pytest.mark.parametrize("door", ["/outcomes", "/v1/traces", "/v1/models", "/metrics"])
def test_every_door_looks_at_every_header(rig, door):
    reply = httpx.get(rig.url + door, headers=rig.headers() | {"x-another": rig.key})

    assert reply.status_code == 401


def test_what_only_looks_like_a_key_passes(rig):
    headers = rig.headers() | {
        "x-modicum-team": "mk_emea",
        "user-agent": "bookmk_1/2 %41",
        "x-request-id": "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=",
    }

    assert httpx.post(f"{rig.url}/v1/chat/completions", json=CHAT, headers=headers).status_code == 200
    assert rig.provider.asked[-1][1]["user-agent"] == "bookmk_1/2 %41"


def test_a_foreign_key_may_hold_our_three_letters():
    own = b"Bearer sk-ant-api03-Q1mk_0aB2-xmk_1"

    check_places([(b"authorization", own)], b"", "/v1/messages")
    assert modicum_key(b"authorization", own) == b""


def test_blanks_around_a_header_are_no_part_of_it(rig):
    data = json.dumps(CHAT)
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization:   Bearer {rig.key}  \r\n"
        f"content-length: {len(data)}\r\n\r\n"
    )

    assert b" 200 " in raw(rig, (head + data).encode())


def test_a_key_at_any_place_of_a_base64_text_is_found():
    for before in ("", "a", "ab", "abc"):
        for value in (b64(before + KEY), "x" * len(before) + b64(KEY)):
            with pytest.raises(Refused):
                check_places([(b"x-any", value.encode())], b"", "/")


def test_the_query_holds_one_key():
    assert query_key(b"alt=sse&key=abc") == b"abc"
    assert query_key(b"monkey=1") == b""
    with pytest.raises(Refused):
        query_key(b"key=a&key=b")


def test_a_long_header_is_looked_through_in_time():
    line = base64.b64encode(b"A1b2C3d4" * 6000)

    check_places([(b"x-long", line)], b"", "/")  # returns


def test_get_with_a_body_sends_nothing_of_it_upstream(rig):
    body = b'{"model": "gpt-4o-mini", "messages": ["secret"]}'
    before = len(rig.provider.asked)
    for path in ("/v1/models", "/v1/models/gpt-4o-mini", "/v1beta/models/gemini-2.5-flash"):
        reply = httpx.request("GET", rig.url + path, content=body, headers=rig.headers())
        assert reply.status_code == 200

    asked = rig.provider.asked[before:]
    assert {line.split(" ")[0] for line, _, _ in asked} == {"GET"}
    assert [body for _, _, body in asked] == [b""] * len(asked)
    assert all("content-length" not in headers or headers["content-length"] == "0" for _, headers, _ in asked)


def test_a_connection_lives_on_after_a_get_with_a_body(rig):
    with socket.create_connection(("127.0.0.1", rig.gateway.server.port), timeout=5) as line:
        for _ in range(2):
            line.sendall(
                f"GET /v1/models HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {rig.key}\r\n"
                "content-length: 3\r\n\r\n{ }".encode()
            )
            said = b""
            while not said.rstrip().endswith(b"}"):
                piece = line.recv(65536)
                assert piece
                said += piece
            assert b" 200 " in said


def test_a_count_without_a_body_is_an_error_and_asks_nobody(rig):
    before = len(rig.provider.asked)

    assert httpx.post(f"{rig.url}/v1/messages/count_tokens", headers=rig.headers()).status_code == 400
    assert len(rig.provider.asked) == before
