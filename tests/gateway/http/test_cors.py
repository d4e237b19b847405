"""Pages that call from a browser. What a browser does with the headers: https://fetch.spec.whatwg.org/#http-cors-protocol"""

import httpx2 as httpx
import pytest

from gateway.rig import CHAT, running, usual

PAGE = "https://app.example.com"
ASKED = "authorization,content-type,x-stainless-lang,x-modicum-task"


@pytest.fixture(scope="module")
def open_rig(tmp_path_factory):
    settings = usual(cors_origins=(PAGE, "http://localhost:5173"))
    with running(tmp_path_factory.mktemp("cors"), settings) as rig:
        yield rig


def of_cors(reply):
    return {name: value for name, value in reply.headers.items() if name.startswith("access-control-")}


def preflight(rig, origin=PAGE, path="/v1/chat/completions", **more):
    headers = {"origin": origin, "access-control-request-method": "POST", "access-control-request-headers": ASKED}
    return httpx.request("OPTIONS", f"{rig.url}{path}", headers=headers | more)


def call(rig, origin, body=CHAT, **more):
    headers = rig.headers() | ({"origin": origin} if origin else {}) | more
    return httpx.post(f"{rig.url}/v1/chat/completions", json=body, headers=headers)


def test_a_browser_is_told_what_a_listed_page_may_send(open_rig):
    reply = preflight(open_rig)

    assert reply.status_code == 200
    assert reply.headers["access-control-allow-origin"] == PAGE
    assert {"GET", "POST"} == set(reply.headers["access-control-allow-methods"].split(", "))
    assert reply.headers["access-control-allow-headers"] == ASKED
    assert int(reply.headers["access-control-max-age"]) > 0
    assert "Origin" in reply.headers["vary"]
    assert "access-control-allow-credentials" not in reply.headers
    assert "*" not in str(of_cors(reply))
    assert reply.content == b""


def test_a_page_that_calls_into_a_private_network_is_told_so_only_if_it_asks(open_rig):
    asking = preflight(open_rig, **{"access-control-request-private-network": "true"})

    assert asking.headers["access-control-allow-private-network"] == "true"
    assert "access-control-allow-private-network" not in preflight(open_rig).headers


@pytest.mark.parametrize("stream", [False, True])
def test_a_listed_page_may_read_the_reply_and_its_headers(open_rig, stream):
    fixture = {"x-fixture": "openai-chat/usage_in_its_own_chunk.sse"} if stream else {}
    reply = call(open_rig, PAGE, CHAT | {"stream": stream}, **fixture)

    assert reply.status_code == 200
    assert reply.headers["access-control-allow-origin"] == PAGE
    assert {"x-modicum-call", "content-type"} <= set(reply.headers["access-control-expose-headers"].split(", "))
    assert reply.headers["vary"] == "Origin"
    sent = open_rig.provider.asked[-1][1]
    assert not {"origin", "referer"} & set(sent)  # a provider would take the gateway for the page


def test_it_may_read_errors_too_whoever_makes_them(open_rig):
    ours = httpx.post(f"{open_rig.url}/v1/chat/completions", json=CHAT, headers={"origin": PAGE})
    upstreams = call(open_rig, PAGE, **{"x-status": "429"})
    nowhere = httpx.get(f"{open_rig.url}/nothing", headers={"origin": PAGE})
    broken = call(open_rig, PAGE, **{"x-fault": "hang_up"})

    assert [reply.status_code for reply in (ours, upstreams, nowhere, broken)] == [401, 429, 404, 502]
    assert {reply.headers["access-control-allow-origin"] for reply in (ours, upstreams, nowhere, broken)} == {PAGE}


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "https://app.example.com.evil.example", f"{PAGE}:8443", f"{PAGE}/", "*"]
)
def test_a_foreign_page_gets_nothing(open_rig, origin):
    refused, served = preflight(open_rig, origin), call(open_rig, origin)

    assert refused.status_code == 403
    assert (of_cors(refused), of_cors(served)) == ({}, {})
    assert served.headers["vary"] == "Origin"  # no cache may hand out one page's reply for another's


def test_who_is_no_page_is_served_as_before(open_rig):
    reply = call(open_rig, "")

    assert (reply.status_code, of_cors(reply)) == (200, {})
    assert httpx.request("OPTIONS", f"{open_rig.url}/v1/chat/completions").status_code == 405


def test_under_another_name_a_listed_page_gets_nothing_done(open_rig):
    reply = preflight(open_rig, host="rebound.example")

    assert reply.status_code == 421


def test_what_is_asked_for_is_a_list_of_headers(open_rig):
    assert preflight(open_rig, **{"access-control-request-headers": "x-a, (evil)"}).status_code == 400
    assert "access-control-allow-headers" not in preflight(open_rig, **{"access-control-request-headers": ""}).headers


def test_without_listed_origins_there_is_no_word_of_cors_not_even_an_upstreams(rig):
    rig.provider.raw = (
        b"HTTP/1.1 200 OK\r\naccess-control-allow-origin: *\r\naccess-control-allow-credentials: true\r\n"
        b"content-length: 2\r\nx-request-id: 7\r\n\r\n{}"
    )
    reply = call(rig, PAGE, **{"x-fault": "raw"})

    assert preflight(rig).status_code == 405
    assert of_cors(preflight(rig)) == {}
    assert (reply.headers["x-request-id"], of_cors(reply)) == ("7", {})
    assert "vary" not in reply.headers
