"""Rate limits through the whole gateway, counted in memory and in a real server."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import anthropic
import httpx2 as httpx
import openai
import pytest

from gateway.resilience.failing_rig import Fault, error, failing
from gateway.rig import wait_until
from modicum.calls import CallStatus
from modicum.state.memory import MemoryCounters
from state.server import running_server

TWO = {"main": {"models": ("gpt-*",)}, "backup": {"models": ("none",)}}


@pytest.fixture(scope="module")
def server():
    with running_server() as server:
        yield server


@pytest.fixture(params=["memory", "shared"])
def redis(request, server):
    """Where it is counted."""
    if request.param == "memory":
        return ""
    server.client.flushall()
    return server.url


def test_calls_per_minute_and_what_clients_are_told(tmp_path, redis):
    with failing(tmp_path, main={}, limits=[{"calls_per_minute": 2}], redis=redis) as rig:
        first, second, third = rig.chat(), rig.chat(), rig.chat()

        assert isinstance(rig.gateway.parts.limits._counters, MemoryCounters) is not bool(redis)
        assert [one.status_code for one in (first, second, third)] == [200, 200, 429]
        told = [
            (one.headers["x-ratelimit-limit-requests"], one.headers["x-ratelimit-remaining-requests"])
            for one in (first, second, third)
        ]
        assert told == [("2", "1"), ("2", "0"), ("2", "0")]
        assert 50 <= int(third.headers["retry-after"]) <= 62
        assert third.json()["error"]["code"] == "rate_limited"
        assert "limit 'all' of 2 calls per minute is reached; try again in" in third.json()["error"]["message"]
        assert rig.calls_at == ["main", "main"]
        assert len(rig.records()) == 2  # what was refused is no call


def test_tokens_count_with_an_estimate_until_they_are_known(tmp_path, redis):
    with failing(tmp_path, main={}, limits=[{"tokens_per_minute": 1000}], redis=redis) as rig:
        first = rig.chat(max_tokens=900)
        second = rig.chat(max_tokens=900)  # the first has used 20
        third = rig.chat(max_tokens=970)

        assert [one.status_code for one in (first, second, third)] == [200, 200, 429]
        assert int(first.headers["x-ratelimit-remaining-tokens"]) < 100
        assert first.headers["x-ratelimit-limit-tokens"] == "1000"


def test_a_call_larger_than_the_whole_limit_is_made_alone(tmp_path, redis):
    with failing(tmp_path, main={}, limits=[{"tokens_per_minute": 100}], redis=redis) as rig:
        assert rig.chat(max_tokens=10**9).status_code == 200
        assert rig.chat(max_tokens=10**9).status_code == 429


def test_calls_at_once_end_with_their_calls_however_these_end(tmp_path, redis):
    with failing(tmp_path, main={}, limits=[{"calls_at_once": 1}], redis=redis) as rig:
        rig.script["main"] = [Fault("silent"), error(500), Fault("hang_up")]
        held = threading.Thread(target=rig.chat)
        held.start()
        wait_until(lambda: rig.calls_at == ["main"])
        refused = rig.chat()
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
        assert "1 call at once" in refused.json()["error"]["message"]
        rig.release()
        held.join()
        assert [rig.chat().status_code for _ in range(4)] == [500, 502, 200, 200]


def test_each_has_its_own_and_a_call_must_fit_into_all(tmp_path, redis):
    limits = [{"name": "each", "calls_per_minute": 1, "key": "*"}, {"name": "team", "calls_per_minute": 2, "team": "t"}]
    with failing(tmp_path, main={}, limits=limits, redis=redis) as rig:
        keys = [rig.issue_key(name, team="t") for name in ("a", "b", "c")]
        found = []
        for key in (keys[0], keys[0], keys[1], keys[2]):
            rig.key = key
            found.append(rig.chat())
        assert [one.status_code for one in found] == [200, 429, 200, 429]
        assert "limit 'each'" in found[1].text
        assert "limit 'team'" in found[3].text


def test_many_at_once_never_pass_a_limit_and_none_that_fits_is_refused(tmp_path, redis):
    with (
        failing(tmp_path, main={}, limits=[{"calls_per_minute": 25}], redis=redis) as rig,
        ThreadPoolExecutor(20) as pool,
    ):
        statuses = [one.status_code for one in pool.map(lambda _: rig.chat(), range(60))]
        assert (statuses.count(200), statuses.count(429)) == (25, 35)


def test_a_queue_lets_calls_wait_in_their_order_and_refuses_those_beyond_it(tmp_path, redis):
    limit = {"calls_at_once": 1, "queue": 2, "queue_s": 10}
    with failing(tmp_path, main={}, limits=[limit], redis=redis) as rig, ThreadPoolExecutor(4) as pool:
        rig.script["main"] = [Fault("silent")]
        first = pool.submit(rig.chat)
        wait_until(lambda: rig.calls_at == ["main"])
        queues = rig.gateway.parts.limits._queues._queues
        waiting = []
        for number in range(2):
            waiting.append(pool.submit(rig.chat, model=f"gpt-{number}"))
            wait_until(lambda length=number + 1: [len(queue) for queue in queues.values()] == [length])
        assert rig.chat().status_code == 429
        rig.release()
        assert [one.result().status_code for one in waiting] == [200, 200]
        assert first.result().status_code == 502
        assert [request["model"] for request in rig.asked] == ["gpt-4o-mini", "gpt-0", "gpt-1"]
        assert queues == {}


def test_who_has_waited_long_enough_is_refused(tmp_path, redis):
    limit = {"calls_per_minute": 1, "queue": 5, "queue_s": 0.2}
    with failing(tmp_path, main={}, limits=[limit], redis=redis) as rig:
        assert rig.chat().status_code == 200
        began = time.monotonic()
        assert rig.chat().status_code == 429
        assert time.monotonic() - began >= 0.2
        assert rig.gateway.parts.limits._queues._queues == {}


def test_an_upstreams_limit_counts_attempts_and_sends_calls_elsewhere(tmp_path, redis):
    policy = {"retries": 1, "fallbacks": ("backup/gpt-4o-mini",)}
    limit = {"upstream": "main", "calls_per_minute": 2}
    with failing(tmp_path, policy, limits=[limit], redis=redis, **TWO) as rig:
        rig.script["main"] = [error(500)]
        assert [rig.chat().status_code for _ in range(2)] == [200, 200]
        assert rig.calls_at == ["main", "main", "backup"]


def test_an_upstreams_limit_without_a_fallback_is_said_to_the_caller(tmp_path, redis):
    with failing(tmp_path, limits=[{"upstream": "*", "calls_per_minute": 1}], redis=redis, main={}) as rig:
        assert rig.chat().status_code == 200
        refused = rig.chat()
        assert refused.status_code == 429
        assert refused.json()["error"]["code"] == "upstream_limited"
        assert int(refused.headers["retry-after"]) > 1
        assert [record.status for record in rig.wait_for_records(2)] == [CallStatus.OK, CallStatus.ERROR]


def test_what_a_budget_refuses_takes_nothing_of_a_limit(tmp_path, redis):
    with failing(tmp_path, main={}, limits=[{"calls_at_once": 1}], budgets=[{"limit_calls": 0}], redis=redis) as rig:
        assert [rig.chat().status_code for _ in range(3)] == [402] * 3


def test_official_clients_wait_as_long_as_they_are_told(tmp_path):
    with failing(tmp_path, limits=[{"calls_per_minute": 0}], main={}) as rig:
        messages = [{"role": "user", "content": "hi"}]
        with (
            openai.OpenAI(base_url=f"{rig.url}/v1", api_key=rig.key, max_retries=0) as client,
            pytest.raises(openai.RateLimitError) as refused,
        ):
            client.chat.completions.create(model="gpt-4o-mini", messages=messages)
        assert refused.value.response.headers["retry-after"] == "1"
        with (
            anthropic.Anthropic(base_url=rig.url, api_key=rig.key, max_retries=0) as client,
            pytest.raises(anthropic.RateLimitError) as refused,
        ):
            client.messages.create(model="claude-haiku-4-5", messages=messages, max_tokens=5)
        headers = refused.value.response.headers
        assert headers["anthropic-ratelimit-requests-limit"] == "0"
        assert headers["anthropic-ratelimit-requests-reset"].endswith("Z")


def test_a_reload_takes_limits_over_and_goes_on_counting(tmp_path):
    with failing(tmp_path, limits=[{"calls_per_minute": 1}], main={}) as rig:
        assert [rig.chat().status_code for _ in range(2)] == [200, 429]
        rig.limits = [{"calls_per_minute": 2}]
        rig.gateway._stamp = (0, 1)
        wait_until(lambda: rig.gateway.parts.limits._of_callers.limits[0].most["calls"] == 2)
        assert [rig.chat().status_code for _ in range(2)] == [200, 429]


def test_when_the_shared_counters_are_away_calls_are_refused_with_the_reason(tmp_path):
    with (
        running_server() as server,
        failing(tmp_path, limits=[{"calls_per_minute": 5}], redis=server.url, main={}) as rig,
    ):
        assert rig.chat().status_code == 200
        server.kill()
        refused = rig.chat()
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "limits_away")
        server.start()
        wait_until(lambda: rig.chat().status_code == 200, seconds=20)


def test_a_caller_that_hangs_up_while_it_waits_leaves_its_place(tmp_path):
    limit = {"calls_at_once": 1, "queue": 1, "queue_s": 0.5}
    with failing(tmp_path, limits=[limit], main={}) as rig, ThreadPoolExecutor(2) as pool:
        rig.script["main"] = [Fault("silent")]
        first = pool.submit(rig.chat)
        wait_until(lambda: rig.calls_at == ["main"])
        with pytest.raises(httpx.TimeoutException):
            httpx.post(
                f"{rig.url}/v1/chat/completions",
                json={"model": "gpt-5", "messages": []},
                headers=rig.headers(),
                timeout=0.1,
            )
        wait_until(lambda: rig.gateway.parts.limits._queues._queues == {})
        rig.release()
        first.result()
        assert rig.calls_at == ["main"]


def test_idle_connections_take_nothing_of_a_limit(tmp_path):
    with failing(tmp_path, limits=[{"calls_at_once": 1}], main={}) as rig:
        idle = [socket.create_connection(("127.0.0.1", rig.gateway.server.port)) for _ in range(200)]
        assert [rig.chat().status_code for _ in range(3)] == [200] * 3
        for one in idle:
            one.close()
