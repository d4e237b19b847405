"""The responses API over a WebSocket, through the whole gateway."""

import json

import httpx2 as httpx
import openai
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from gateway.scripted import all_upstreams, events, scripted, whole
from modicum.calls import Basis, CallStatus

USAGE = {"input_tokens": 100, "output_tokens": 20, "total_tokens": 120}


@pytest.fixture(scope="module")
def upstream(tmp_path_factory):
    with scripted(tmp_path_factory.mktemp("sockets"), all_upstreams) as upstream:
        yield upstream


def reply(number):
    head = {"id": f"resp_{number:048d}", "object": "response", "model": "gpt-5", "status": "completed", "usage": USAGE}
    output = [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "hi"}]}]
    begun = {"type": "response.created", "response": head | {"status": "in_progress", "usage": None}}
    return events(begun, {"type": "response.completed", "response": head | {"output": output}}, cut=9)


def opened(upstream, path="/v1/responses", **headers):
    address = upstream.url.replace("http", "ws") + path
    return connect(address, additional_headers=upstream.headers(**headers), max_size=None, compression=None)


def turn(socket, **fields):
    socket.send(json.dumps({"type": "response.create", "model": "gpt-5", "input": "hi"} | fields))
    found = []
    while not found or found[-1]["type"] not in {"response.completed", "error"}:
        found.append(json.loads(socket.recv(timeout=10)))
    return found


def test_each_turn_is_a_call_metered_once(upstream):
    before = len(upstream.records())
    with opened(upstream, x_modicum_task="agent") as socket:
        for number in (1, 2):
            upstream.answers = reply(number)
            got = turn(socket)
            assert [event["type"] for event in got] == ["response.created", "response.completed"]
    calls = upstream.wait_for_records(before + 2)[before:]
    assert [call.call_id for call in calls] == [f"resp_{number:048d}" for number in (1, 2)]
    assert {(call.task, call.usage.total_tokens, call.usage_basis) for call in calls} == {("agent", 120, Basis.EXACT)}
    assert upstream.asked[-1] == {"model": "gpt-5", "input": "hi", "stream": True}


def test_a_chain_that_is_stored_nowhere_is_repeated_upstream(upstream):
    with opened(upstream) as socket:
        upstream.answers = reply(3)
        first = turn(socket, store=False)[-1]["response"]["id"]
        upstream.answers = reply(4)
        turn(socket, store=False, previous_response_id=first, input=[{"role": "user", "content": "more"}])

    assert [item["role"] for item in upstream.asked[-1]["input"]] == ["user", "assistant", "user"]
    assert "previous_response_id" not in upstream.asked[-1]


@pytest.mark.filterwarnings("ignore:connect.. must be used as a context manager")
def test_openais_client_speaks_it(upstream):
    upstream.answers = reply(5)
    with (
        openai.OpenAI(base_url=f"{upstream.url}/v1", api_key=upstream.key, max_retries=0) as client,
        client.responses.connect() as connection,
    ):
        connection.response.create(model="gpt-5", input="hi")
        kinds = []
        for event in connection:
            kinds.append(event.type)
            if event.type == "response.completed":
                break
    assert kinds == ["response.created", "response.completed"]


def test_what_goes_wrong_is_an_event_and_the_socket_stays_open(upstream):
    with opened(upstream) as socket:
        socket.send('{"type":"response.steer"}')
        assert json.loads(socket.recv(timeout=10))["error"]["code"] == "unknown_event"
        upstream.answers = whole({"error": {"message": "no", "type": "rate_limit_error"}}, 429)
        (error,) = turn(socket)
        assert (error["status"], error["error"]["message"]) == (429, "no")
        (error,) = turn(socket, model="nobody-serves-this")
        assert (error["status"], error["error"]["code"]) == (404, "unknown_model")
        upstream.answers = reply(6)
        assert turn(socket)[-1]["type"] == "response.completed"
    metrics = httpx.get(f"{upstream.url}/metrics", headers=upstream.headers()).text
    assert 'modicum_refused_total{kind="unknown_event"}' in metrics


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/v1/responses", {"authorization": ""}, 401),
        ("/v1/responses", {"origin": "https://evil.example"}, 403),
        ("/v1/realtime", {}, 400),
        ("/v1/chat/completions", {}, 426),
    ],
)
def test_who_may_not_open_one_is_told_so_over_http(upstream, path, headers, status):
    with pytest.raises(InvalidStatus) as refused, opened(upstream, path, **headers):
        pass
    assert refused.value.response.status_code == status


def test_a_caller_that_leaves_in_a_turn_is_on_record(upstream):
    before = len(upstream.records())

    async def hangs(_headers, reader, writer):
        writer.write(b"HTTP/1.1 200 X\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        body = b'data: {"type":"response.created","response":{"id":"resp_x"}}\n\n'
        writer.write(b"%x\r\n%b\r\n" % (len(body), body))
        await upstream.provider.gone_or_released(reader)
        return False

    upstream.provider.reply, former = hangs, upstream.provider.reply
    with opened(upstream) as socket:
        socket.send(json.dumps({"type": "response.create", "model": "gpt-5", "input": "hi"}))
        assert json.loads(socket.recv(timeout=10))["type"] == "response.created"
    call = upstream.wait_for_records(before + 1)[-1]
    upstream.provider.reply = former
    assert call.status is CallStatus.ABORTED
    assert upstream.provider.left.wait(5)


def test_a_socket_that_says_nothing_is_closed(upstream):
    sockets = upstream.gateway._app.sockets
    sockets.idle_s, former = 0.05, sockets.idle_s
    try:
        with opened(upstream) as socket, pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=10)
    finally:
        sockets.idle_s = former
    assert closed.value.rcvd.code == 1001
