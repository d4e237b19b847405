import asyncio
import json

import pytest

from modicum.gateway.websocket.turns import Chain, TurnReply, read_turn
from modicum.providers.facts import DialectError


def message(**fields):
    return json.dumps({"type": "response.create", "model": "m", **fields}).encode()


def test_a_message_is_the_request_that_it_would_be_over_http():
    turn = read_turn(message(input="hi", background=True, generate=True), None)
    assert (json.loads(turn.body), turn.items) == ({"model": "m", "input": "hi", "stream": True}, None)
    wrapped = json.dumps({"type": "response.create", "response": {"model": "m", "input": "hi"}}).encode()
    assert json.loads(read_turn(wrapped, None).body) == json.loads(turn.body)


def test_a_turn_goes_on_from_a_response_that_is_stored_nowhere():
    chain = Chain("resp_1", [{"role": "user", "content": "a"}, {"type": "message", "content": "b"}])
    turn = read_turn(
        message(input=[{"role": "user", "content": "c"}], store=False, previous_response_id="resp_1"), chain
    )
    body = json.loads(turn.body)
    assert ("previous_response_id" in body, len(body["input"]), turn.items) == (False, 3, body["input"])
    for more in ({"store": False, "previous_response_id": "resp_0"}, {"previous_response_id": "resp_1"}):
        body = json.loads(read_turn(message(input="c", **more), chain).body)
        assert (body["previous_response_id"], body["input"]) == (more["previous_response_id"], "c")


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        (b"", "invalid_request"),
        (b"[]", "invalid_request"),
        (b"[" * 100_000, "invalid_request"),
        (b'{"type":"response.steer"}', "unknown_event"),
        (b"{}", "unknown_event"),
        (message(stream_id="s"), "unsupported_parameter"),
        (message(generate=False), "unsupported_parameter"),
        (b'{"type":"response.create","response":7}', "invalid_request"),
    ],
)
def test_what_is_no_turn_is_refused(sent, kind):
    with pytest.raises(DialectError) as refused:
        read_turn(sent, None)
    assert refused.value.kind == kind


def replied(*messages, items=None):
    async def run():
        sent = []

        async def send_text(data):
            sent.append(data)

        reply = TurnReply(send_text)
        for one in messages:
            await reply.send(one)
        return [json.loads(one) for one in sent], reply.chain(items)

    return asyncio.run(run())


def start(status=200, kind=b"text/event-stream"):
    return {"type": "http.response.start", "status": status, "headers": [(b"content-type", kind)]}


def body(data, more=False):
    return {"type": "http.response.body", "body": data, "more_body": more}


DONE = {"type": "response.completed", "response": {"id": "resp_2", "output": [{"type": "message"}]}}


def test_events_become_messages_wherever_they_are_cut():
    raw = b"event: x\ndata: " + json.dumps(DONE).encode() + b"\n\ndata: [DONE]\n\n"
    sent, chain = replied(start(), body(raw[:20], more=True), body(raw[20:]), items=["a"])
    assert (sent, chain) == ([DONE], Chain("resp_2", ["a", {"type": "message"}]))


def test_errors_and_whole_replies_become_one_event():
    error = {"message": "no", "code": "x"}
    sent, chain = replied(start(429, b"application/json"), body(json.dumps({"error": error}).encode()), items=[])
    assert (sent, chain) == ([{"type": "error", "status": 429, "error": error}], None)
    whole, chain = replied(start(kind=b"application/json"), body(json.dumps(DONE["response"]).encode()), items=[])
    assert (whole[0]["type"], whole[0]["response"], chain.response_id) == (
        "response.completed",
        DONE["response"],
        "resp_2",
    )
    assert replied(start(kind=b"text/html"), body(b"<"))[0][0]["error"]["type"] == "server_error"
