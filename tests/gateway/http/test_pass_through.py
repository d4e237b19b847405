"""Lists of models and token counts: checked like calls, not booked."""

import httpx2 as httpx
import pytest

from gateway.rig import running, usual, wait_until

COUNT = {"model": "claude-test", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 5}


@pytest.fixture
def web(rig):
    with httpx.Client(base_url=rig.url, headers=rig.headers(), timeout=10) as web:
        yield web


def test_lists_of_models_and_token_counts_pass_and_are_not_booked(rig, web):
    before = len(rig.records())

    assert web.get("/v1/models").is_success
    asked = {line for line, *_ in rig.provider.asked[-3:]}
    assert asked == {
        "GET /v1/models HTTP/1.1",
        "GET /v1/models?limit=1000 HTTP/1.1",
        "GET /v1beta/models?pageSize=1000 HTTP/1.1",
    }
    assert web.post("/v1/messages/count_tokens", json=COUNT).is_success
    assert rig.provider.asked[-1][0] == "POST /v1/messages/count_tokens HTTP/1.1"
    assert httpx.get(f"{rig.url}/v1/models").status_code == 401
    assert len(rig.records()) == before


def test_a_key_for_some_models_counts_tokens_for_no_others(rig):
    headers = {"authorization": f"Bearer {rig.issue_key('counts', models=('claude-test',))}"}
    url = f"{rig.url}/v1/messages/count_tokens"
    wait_until(lambda: httpx.post(url, json=COUNT, headers=headers).status_code == 200)
    asked = len(rig.provider.asked)

    reply = httpx.post(url, json=COUNT | {"model": "claude-other"}, headers=headers)

    assert reply.status_code == 403
    assert len(rig.provider.asked) == asked
    assert (
        'modicum_refused_total{kind="model_not_allowed"}' in httpx.get(f"{rig.url}/metrics", headers=rig.headers()).text
    )


def test_a_body_that_cannot_be_read_is_refused_in_the_callers_dialect(web):
    reply = web.post("/v1/messages/count_tokens", content=b"{")

    assert (reply.status_code, reply.json()["type"]) == (400, "error")


def test_an_upstream_that_is_not_there_is_a_502(tmp_path):
    with running(tmp_path, lambda _: usual()(1)) as rig:  # nobody listens there
        reply = httpx.get(f"{rig.url}/v1/models", headers=rig.headers())

    assert reply.status_code == 502
    assert reply.json()["error"]["code"] == "upstream_unreachable"
