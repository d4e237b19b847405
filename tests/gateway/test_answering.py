"""Who answers calls in the upstream's place, and what happens when they cannot."""

import httpx2 as httpx
import pytest

from gateway.rig import CHAT
from modicum.calls import CallStatus, Usage
from modicum.gateway import replies
from modicum.gateway.exchange import OwnReply
from modicum.gateway.http.refusal import Refused


def post(rig, **headers):
    return httpx.post(f"{rig.url}/v1/chat/completions", json=CHAT, headers=rig.headers(**headers), timeout=10)


class Answers:
    """Answers the calls of one task."""

    def __init__(self, name, give):
        self.name, self._give = name, give

    async def answer(self, exchange, client):
        return self._give(exchange, client) if exchange.about.task == self.name else None


def own(exchange, client):
    return replies.own(exchange, OwnReply(200, b"application/json", b'{"own": true}'), client)


def refuse(exchange, client):
    raise Refused(429, "not now", "too_many")


def fail(exchange, client):
    raise RuntimeError("a bug")


@pytest.fixture
def answering(fresh_rig):
    pipeline = fresh_rig.gateway.pipeline
    answerers = (Answers("own", own), Answers("refused", refuse), Answers("broken", fail))
    pipeline.take_over(pipeline.in_force._replace(answerers=answerers))
    return fresh_rig


def test_the_first_that_gives_a_reply_stands_and_no_upstream_is_asked(answering):
    assert post(answering, x_modicum_task="own").json() == {"own": True}

    (call,) = answering.wait_for_records(1)
    assert (call.provider, call.calls_count, call.usage, call.status) == ("modicum", 0, Usage(), CallStatus.OK)
    assert answering.provider.asked == []


def test_calls_of_nobody_else_go_upstream(answering):
    assert post(answering).json()["object"] == "chat.completion"
    assert answering.wait_for_records(1)[0].calls_count == 1


def test_one_that_refuses_is_heard_in_the_callers_dialect(answering):
    reply = post(answering, x_modicum_task="refused")

    assert (reply.status_code, reply.json()["error"]["code"]) == (429, "too_many")
    assert answering.wait_for_records(1)[0].status is CallStatus.ERROR
    assert answering.provider.asked == []


def test_one_that_fails_is_passed_over_and_counted(answering):
    assert post(answering, x_modicum_task="broken").json()["object"] == "chat.completion"

    assert answering.wait_for_records(1)[0].status is CallStatus.OK
    assert 'stage="broken"} 1.0' in answering.gateway.parts.metrics.text().decode()
