"""The realtime API through the whole gateway, and a server that plays the provider."""

import json
import threading

import httpx2 as httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.sync.server import serve

from gateway.budgets.budget_rig import BudgetRig
from gateway.rig import wait_until
from modicum.calls import Basis, Tier
from modicum.settings import BudgetSettings, GatewaySettings, LimitSettings, Settings, UpstreamSettings

BUDGETS = (
    BudgetSettings(name="strict", limit_usd=5.0, per="month", team="strict"),
    BudgetSettings(name="two", limit_calls=2, per="month", team="counted"),
    BudgetSettings(name="told", limit_usd=0.000001, per="month", team="told", at_limit="alert"),
)
LIMITS = (
    LimitSettings(name="words", tokens_per_minute=50, team="limited"),
    LimitSettings(name="sessions", calls_per_minute=1, team="once"),
    LimitSettings(name="unopened", calls_per_minute=1, team="unopened"),
)
USAGE = {"total_tokens": 30, "input_tokens": 10, "output_tokens": 20}
USAGE |= {"input_token_details": {"text_tokens": 10}, "output_token_details": {"text_tokens": 5, "audio_tokens": 15}}


class Provider:
    """Echoes what it is sent, and answers each `response.create`."""

    def __init__(self):
        self.opened, self.left = [], threading.Event()

    def __call__(self, socket):
        self.opened.append((socket.request.path, dict(socket.request.headers)))
        if "refused" in socket.request.path:
            return
        socket.send(json.dumps({"type": "session.created"}))
        number = 0
        try:
            for message in socket:
                event = message if isinstance(message, bytes) else json.loads(message)
                if isinstance(event, dict) and event["type"] == "hang_up":
                    return
                if isinstance(event, dict) and event["type"] == "response.create":
                    number += 1
                    response = {"id": f"resp_{number:048d}", "status": "completed", "usage": USAGE}
                    socket.send(json.dumps({"type": "response.later", "x": 1}))
                    socket.send(json.dumps({"type": "response.done", "response": response}))
                else:
                    socket.send(message)
        finally:
            self.left.set()


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    provider = Provider()

    def check(connection, request):
        return connection.respond(401, "no key\n") if "unknown" in request.path else None

    with serve(provider, "127.0.0.1", 0, process_request=check) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        port = server.socket.getsockname()[1]
        settings = Settings(
            gateway=GatewaySettings(listen="127.0.0.1:0"),
            limit=LIMITS,
            upstreams={
                "openai": UpstreamSettings(
                    url=f"http://127.0.0.1:{port}/v1", speaks="openai", models=("gpt-*",), provider="openai"
                ),
                "gone": UpstreamSettings(url="http://127.0.0.1:9/v1", speaks="openai", models=("away",)),
            },
        )
        rig = BudgetRig(tmp_path_factory.mktemp("realtime"), BUDGETS, lambda _port: settings)
        rig.start()
        try:
            rig.talker = provider
            rig.strict = rig.issue_key("strict", team="strict")
            rig.of = {
                team: rig.issue_key(team, team=team) for team in ("counted", "told", "limited", "once", "unopened")
            }
            rig.narrow = rig.issue_key("narrow", models=("gpt-4*",))
            models, headers = f"{rig.url}/v1/models", {"authorization": f"Bearer {rig.narrow}"}
            wait_until(lambda: httpx.get(models, headers=headers, timeout=10).status_code != 401)
            yield rig
        finally:
            rig.release()
            rig.stop()
        server.shutdown()
        thread.join(10)


def opened(rig, model="gpt-realtime", key=None):
    headers = {"authorization": f"Bearer {key or rig.key}", "openai-beta": "realtime=v1", "cookie": "a=b"}
    query = f"?model={model}" if model else ""
    address = f"{rig.url.replace('http', 'ws')}/v1/realtime{query}"
    return connect(address, additional_headers=headers, max_size=None, compression=None)


def test_messages_pass_both_ways_and_each_response_is_a_call(rig):
    with opened(rig) as socket:
        assert json.loads(socket.recv(timeout=10))["type"] == "session.created"
        socket.send(b"\x00\x01")
        assert socket.recv(timeout=10) == b"\x00\x01"
        for _ in range(2):
            socket.send(json.dumps({"type": "response.create"}))
            assert json.loads(socket.recv(timeout=10))["type"] == "response.later"  # of a type that nobody knows
            assert json.loads(socket.recv(timeout=10))["type"] == "response.done"
        calls = rig.records()[-2:]
        assert rig.talker.left.wait(0) is False

    path, headers = rig.talker.opened[0]
    assert path == "/v1/realtime?model=gpt-realtime"
    assert headers["openai-beta"] == "realtime=v1"
    assert "cookie" not in headers
    assert rig.key not in str(headers)
    assert [call.call_id for call in calls] == [f"resp_{number:048d}" for number in (1, 2)]
    assert {(call.model, call.provider, call.owner.key, call.usage_basis, call.tier) for call in calls} == {
        ("gpt-realtime", "openai", "ci", Basis.EXACT, Tier.STANDARD)
    }
    assert (calls[0].usage.input_uncached, calls[0].usage.output_visible, calls[0].usage.output_audio) == (10, 5, 15)
    assert rig.talker.left.wait(10)  # the caller left, and so did we


def test_a_provider_that_hangs_up_ends_the_callers_socket(rig):
    with opened(rig) as socket:
        socket.recv(timeout=10)
        socket.send(json.dumps({"type": "hang_up"}))
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=10)
    assert closed.value.rcvd.code == 1001


@pytest.mark.parametrize(
    ("model", "status", "kind"),
    [
        ("", 400, "names no model"),
        ("nobody", 404, "no upstream serves"),
        ("away", 502, "does not answer"),
        ("gpt-unknown", 401, "refuses the socket"),
    ],
)
def test_what_does_not_open_is_told_over_http(rig, model, status, kind):
    with pytest.raises(InvalidStatus) as refused:
        opened(rig, model)
    assert refused.value.response.status_code == status
    assert kind in refused.value.response.body.decode()


def test_a_hard_budget_refuses_it_and_a_key_for_other_models_too(rig):
    rig.ledger.ship()  # as the ledger process does: budgets ask it what was spent before
    for key, status, words in ((rig.strict, 402, "strict"), (rig.narrow, 403, "may not use")):
        with pytest.raises(InvalidStatus) as refused:
            opened(rig, key=key)
        assert refused.value.response.status_code == status
        assert words in refused.value.response.body.decode()


def respond(socket):
    socket.send(json.dumps({"type": "response.create"}))
    assert [json.loads(socket.recv(timeout=10))["type"] for _ in range(2)] == ["response.later", "response.done"]


@pytest.mark.parametrize(
    ("team", "message", "status"),
    [("limited", "the limit 'words' of 50 tokens per minute is reached", 429), ("counted", "the budget 'two'", 402)],
)
def test_responses_count_and_a_limit_that_they_reach_ends_the_session(rig, team, message, status):
    rig.ledger.ship()
    key = rig.of[team]
    with opened(rig, key=key) as socket:
        socket.recv(timeout=10)
        respond(socket)
    wait_until(lambda: not rig.reserved())  # an open session holds a call
    with opened(rig, key=key) as socket:  # 30 tokens are not 50, and one call is not two
        socket.recv(timeout=10)
        respond(socket)
        error = json.loads(socket.recv(timeout=10))
        assert (error["type"], error["error"]["code"]) == ("error", "rate_limited")
        assert message in error["error"]["message"]
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=10)
    assert closed.value.rcvd.code == 1013
    wait_until(lambda: not rig.reserved())
    with pytest.raises(InvalidStatus) as refused:
        opened(rig, key=key)
    assert refused.value.response.status_code == status


def test_a_session_is_one_call_of_a_limit_also_when_it_has_ended(rig):
    with opened(rig, key=rig.of["once"]) as socket:
        socket.recv(timeout=10)
        respond(socket)
        respond(socket)
    with pytest.raises(InvalidStatus) as refused:
        opened(rig, key=rig.of["once"])
    assert refused.value.response.status_code == 429


def test_a_session_that_does_not_open_takes_nothing_of_a_limit(rig):
    for _ in range(2):
        with pytest.raises(InvalidStatus) as refused:
            opened(rig, "away", key=rig.of["unopened"])
        assert refused.value.response.status_code == 502


def test_a_budget_that_only_alerts_counts_each_response_and_ends_nothing(rig):
    rig.ledger.ship()
    with opened(rig, key=rig.of["told"]) as socket:
        socket.recv(timeout=10)
        respond(socket)
        respond(socket)
    spent = [spent for name, (spent, _) in rig.levels().items() if "told" in name]
    assert len(spent) == 1
    assert spent[0] > 1000  # billionths of a dollar
