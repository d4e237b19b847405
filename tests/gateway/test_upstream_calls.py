"""An upstream that hangs keeps its own places and nobody else's."""

import json
import socket
import time
from contextlib import ExitStack

import httpx2 as httpx
import msgspec
import openai
import pytest

from gateway.rig import CHAT, running, usual
from modicum.calls import CallStatus
from modicum.calls.change import NO_CHANGE, Change
from modicum.calls.rule import Rule
from modicum.gateway import replies
from modicum.gateway.exchange import OwnReply
from modicum.gateway.http.refusal import Refused
from modicum.gateway.process.from_settings import upstreams_of
from modicum.gateway.process.metrics import Metrics
from modicum.gateway.upstream_calls import UpstreamCalls
from modicum.gateway.upstreams import Upstream, Upstreams
from modicum.settings import UpstreamSettings

MESSAGE = {"model": "claude-x", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]}


def upstream(name, most_calls=0):
    return Upstream(name, UpstreamSettings(url="http://127.0.0.1:1/v1", speaks="openai", most_calls=most_calls), "")


@pytest.mark.parametrize(
    ("most", "workers", "own", "found"),
    [(4000, 1, 0, 3000), (4000, 4, 0, 750), (4000, 1, 10, 10), (4000, 4, 10, 3), (2, 1, 0, 1), (1, 1, 0, 1)],
)
def test_without_a_limit_of_its_own_it_is_three_quarters_and_workers_share_it(most, workers, own, found):
    assert UpstreamCalls(Metrics(), most, workers).limit(upstream("a", own)) == found


def test_an_upstream_made_anew_has_the_calls_of_the_former_one():
    metrics = Metrics()
    calls = UpstreamCalls(metrics, 4)
    with calls.at(upstream("a", 1)):
        with pytest.raises(Refused, match=r"upstreams\.a\.most_calls"):
            calls.check(upstream("a", 1))
        calls.check(upstream("b", 1))
        with calls.at(upstream("a", 2)):
            calls.gauge(Upstreams([upstream("b", 1)], {}))
            assert value(metrics, "modicum_upstream_calls_under_way", "a") == 2  # though the settings have it no more
    with pytest.raises(ValueError, match="a fault"), calls.at(upstream("a", 1)):
        raise ValueError("a fault")
    calls.check(upstream("a", 1))
    assert value(metrics, "modicum_upstream_full_total", "a") == 1


def value(metrics, name, upstream):
    return metrics.registry.get_sample_value(name, {"upstream": upstream})


@pytest.fixture
def narrow(tmp_path):
    """Eight calls, of which three quarters may be at one upstream; and two at anthropic."""

    def settings(port):
        told = usual(most_calls=8)(port)
        limited = msgspec.structs.replace(told.upstreams["anthropic"], most_calls=2)
        return msgspec.structs.replace(told, upstreams=told.upstreams | {"anthropic": limited})

    with running(tmp_path, settings) as rig, ExitStack() as rig.lines:
        yield rig


def hold(rig, count, path="/v1/chat/completions", told=CHAT, **headers):
    """So many calls whose upstream says nothing."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in rig.headers(x_fault="hold", **headers).items())
    data = json.dumps(told)
    held = []
    before = len(rig.provider.asked)
    for _ in range(count):
        line = rig.lines.enter_context(socket.create_connection(("127.0.0.1", rig.gateway.server.port), timeout=10))
        line.sendall(
            f"POST {path} HTTP/1.1\r\nhost: localhost\r\n{lines}content-length: {len(data)}\r\n\r\n{data}".encode()
        )
        held.append(line)
    eventually(lambda: len(rig.provider.asked) == before + count)
    return held


def eventually(condition, seconds=10.0):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.01)


def post(rig, path="/v1/chat/completions", told=CHAT, **headers):
    return httpx.post(f"{rig.url}{path}", json=told, headers=rig.headers(**headers), timeout=10)


def test_one_that_hangs_leaves_room_for_the_others_and_is_named(narrow):
    held = hold(narrow, 6)

    refused = post(narrow)
    other = post(narrow, "/v1/messages", MESSAGE, x_fixture="anthropic-messages/cached.json")
    with (
        openai.OpenAI(base_url=f"{narrow.url}/v1", api_key=narrow.key, max_retries=0) as client,
        pytest.raises(openai.InternalServerError, match="the upstream openai has as many calls"),
    ):
        client.chat.completions.create(**CHAT)
    metrics = httpx.get(f"{narrow.url}/metrics").text

    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "upstream_full")
    assert refused.headers["retry-after"] == "1"
    assert other.status_code == 200
    assert 'modicum_upstream_calls_under_way{upstream="openai"} 6.0' in metrics
    assert 'modicum_upstream_calls_limit{upstream="openai"} 6.0' in metrics
    assert 'modicum_upstream_calls_limit{upstream="anthropic"} 2.0' in metrics
    assert 'modicum_upstream_full_total{upstream="openai"} 2.0' in metrics
    assert 'modicum_refused_total{kind="upstream_full"} 2.0' in metrics
    assert len(narrow.records()) == 1  # what was refused was no call
    narrow.release()
    assert [b" 200 " in line.recv(100) for line in held] == [True] * 6
    assert post(narrow).status_code == 200


def test_requests_that_are_no_calls_count_too(narrow):
    hold(narrow, 2, "/v1/messages/count_tokens", MESSAGE)

    refused = post(narrow, "/v1/messages/count_tokens", MESSAGE)
    assert (refused.status_code, "upstream anthropic" in refused.json()["error"]["message"]) == (503, True)
    assert post(narrow, "/v1/messages", MESSAGE).status_code == 503
    assert httpx.get(f"{narrow.url}/v1/models", headers=narrow.headers()).status_code == 200  # of openai
    narrow.release()


@pytest.mark.parametrize("fault", ["hang_up", "no_http", "broken_off", "leaves", "stream", "stream leaves"])
def test_a_place_is_given_back_however_the_call_ends(narrow, fault):
    fixture = {"x_fixture": "openai-chat/reasoning.sse"} if "stream" in fault else {}
    for _ in range(9):  # more than there are places
        if "leaves" in fault:
            (line,) = hold(narrow, 1, told=CHAT | {"stream": True}, **fixture)
            line.close()
            visits = narrow.gateway.parts.upstream_calls._at
            eventually(lambda: not visits["openai"].count)  # noqa: B023 - the same each time
        else:
            post(narrow, told=CHAT | {"stream": "stream" in fault}, x_fault=fault, **fixture)

    assert narrow.gateway.parts.upstream_calls._at["openai"].count == 0
    assert post(narrow).status_code == 200


def test_what_a_rule_sends_elsewhere_or_answers_counts_where_it_goes(narrow):
    def elsewhere(prompt, facts):
        return Change(model="spare-model", why="a test") if facts.task == "elsewhere" else NO_CHANGE

    class OwnAnswers:
        name = "own"

        async def answer(self, exchange, client):
            reply = OwnReply(200, b"application/json", b"{}")
            return replies.own(exchange, reply, client) if exchange.about.task == "own" else None

    settings = usual(most_calls=8)(narrow.provider.port)
    spare = msgspec.structs.replace(settings.upstreams["openai"], models=("spare-model",))
    hold(narrow, 6)
    pipeline = narrow.gateway.pipeline
    pipeline.take_over(
        pipeline.in_force._replace(
            upstreams=upstreams_of(msgspec.structs.replace(settings, upstreams=settings.upstreams | {"spare": spare})),
            rules=(Rule("test", elsewhere),),
            answerers=(OwnAnswers(),),
        )
    )

    said = [post(narrow, x_modicum_task=task).status_code for task in ("elsewhere", "own", "")]

    assert said == [200, 200, 503]
    assert [call.status for call in narrow.wait_for_records(3)] == [CallStatus.OK, CallStatus.OK, CallStatus.ERROR]
    visits = narrow.gateway.parts.upstream_calls._at
    assert {name: one.count for name, one in visits.items()} == {"openai": 6, "spare": 0}
    narrow.release()
