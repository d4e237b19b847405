"""Retries and fallbacks through the whole gateway: real requests, upstreams that fail as told, a real journal."""

import asyncio
import json
import socket
import threading

import anthropic
import httpx2 as httpx
import openai
import pytest

from gateway.budgets.budget_rig import gpt_4o_mini_usd
from gateway.resilience.failing_rig import Fault, error, failing
from gateway.rig import wait_until
from gateway.scripted import Answer
from modicum.calls import CallStatus
from modicum.governance.budgets import NANO

BACKUP = {"fallbacks": ("backup/gpt-4o-mini",)}
TWO = {"main": {"models": ("gpt-*",)}, "backup": {"models": ("none",)}}


def tags_of(record):
    return {name: value for name, value in record.tags.items() if name.startswith("attempt")}


@pytest.mark.parametrize(
    ("fault", "failed"),
    [
        (error(500), "server_error"),
        (error(502), "server_error"),
        (error(503), "overloaded"),
        (error(529), "overloaded"),
        (error(429, "0", "rate_limit_exceeded"), "rate_limited"),
        (error(408), "timeout"),
        (Fault("hang_up"), "broken_off"),
        (Fault("half"), "broken_off"),
        (Answer(b"<html>Bad Gateway</html>", 200, "text/html"), "unreadable"),
        (Answer(b"", 200), "unreadable"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_a_call_that_failed_is_sent_again_and_each_attempt_is_on_record(tmp_path, fault, failed, stream):
    with failing(tmp_path, {"retries": 2}, main={}) as rig:
        rig.script["main"] = [fault]
        reply = rig.chat(stream=stream)
        attempt, call = rig.wait_for_records(2)

        assert reply.status_code == 200
        assert reply.headers["x-modicum-attempts"] == "2"
        assert rig.calls_at == ["main", "main"]
        number = reply.headers["x-modicum-call"]
        assert tags_of(attempt) == {"attempt.of": number, "attempt": "1", "attempt.failed": failed}
        assert tags_of(call) == {"attempt.of": number, "attempt": "2", "attempt.kind": "retry"}
        assert (attempt.calls_count, call.calls_count) == (0, 1)
        assert attempt.status is not CallStatus.OK
        assert call.status is CallStatus.OK
        assert call.usage.prompt_tokens == 10


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422, 501])
def test_what_would_fail_again_is_passed_on_at_once(tmp_path, status):
    with failing(tmp_path, {"retries": 2, **BACKUP}, **TWO) as rig:
        rig.script["main"] = [error(status)]

        assert rig.chat().status_code == status
        assert rig.calls_at == ["main"]
        (call,) = rig.wait_for_records(1)
        assert tags_of(call) == {}


def test_without_a_policy_a_call_is_sent_once(tmp_path):
    with failing(tmp_path, main={}) as rig:
        rig.script["main"] = [error(503)]
        assert rig.chat().status_code == 503
        assert rig.calls_at == ["main"]


def test_the_last_failure_is_passed_on_as_it_came(tmp_path):
    with failing(tmp_path, {"retries": 1}, main={}) as rig:
        rig.script["main"] = [error(500), error(429, "0", "rate_limit_exceeded")]
        reply = rig.chat()
        first, last = rig.wait_for_records(2)

        assert reply.status_code == 429
        assert reply.json()["error"]["code"] == "rate_limit_exceeded"
        assert (first.calls_count, last.calls_count, last.status) == (0, 1, CallStatus.ERROR)


def test_a_stream_is_not_tried_again_once_a_byte_was_passed_on(tmp_path):
    with failing(tmp_path, {"retries": 3, **BACKUP}, **TWO) as rig:
        rig.script["main"] = [Fault("half_stream")]
        reply = rig.chat(stream=True)

        assert "upstream_broke_off" in reply.text
        assert rig.calls_at == ["main"]
        (call,) = rig.wait_for_records(1)
        assert call.status is CallStatus.ABORTED


def test_a_stream_whose_first_event_is_an_error_is_tried_again(tmp_path):
    overloaded = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"x"}}\n\n'
    with failing(tmp_path, {"retries": 1}, main={"speaks": "anthropic", "provider": "anthropic"}) as rig:
        rig.script["main"] = [Answer(overloaded, 200, "text/event-stream")]
        reply = rig.message(stream=True)
        assert "message_stop" in reply.text
        assert "overloaded_error" not in reply.text
        assert rig.calls_at == ["main", "main"]


def test_another_upstream_and_another_model_take_over(tmp_path):
    with failing(tmp_path, {"fallbacks": ("backup/gpt-5-mini",)}, **TWO) as rig:
        rig.script["main"] = [error(503)]
        reply = rig.chat()
        attempt, call = rig.wait_for_records(2)

        assert rig.calls_at == ["main", "backup"]
        assert [request["model"] for request in rig.asked] == ["gpt-4o-mini", "gpt-5-mini"]
        assert reply.json()["model"] == "gpt-5-mini"
        assert (attempt.model, call.model) == ("gpt-4o-mini", "gpt-5-mini")
        assert tags_of(call)["attempt.kind"] == "fallback"


def test_retries_come_first_and_fallbacks_after_them_one_by_one(tmp_path):
    policy = {"retries": 1, "fallbacks": ("second/gpt-4o-mini", "third/gpt-4o-mini")}
    upstreams = {"main": {"models": ("gpt-*",)}, "second": {"models": ("x",)}, "third": {"models": ("x",)}}
    with failing(tmp_path, policy, **upstreams) as rig:
        rig.script = {"main": [error(500)] * 2, "second": [error(500)] * 2}
        assert rig.chat().status_code == 200
        assert rig.calls_at == ["main", "main", "second", "second", "third"]
        assert len(rig.wait_for_records(5)) == 5


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_across_providers_official_clients_get_replies_of_their_own_api(tmp_path, stream):
    upstreams = {
        "main": {"models": ("gpt-*",)},
        "claude": {"speaks": "anthropic", "provider": "anthropic", "models": ("claude-*",)},
    }
    policies = (
        {"name": "a", "model": "gpt-*", "fallbacks": ("claude/claude-haiku-4-5",)},
        {"name": "b", "model": "claude-*", "fallbacks": ("main/gpt-4o-mini",)},
    )
    with failing(tmp_path, *policies, **upstreams) as rig:
        rig.script = {"main": [error(503)], "claude": []}
        with openai.OpenAI(base_url=f"{rig.url}/v1", api_key=rig.key, max_retries=0) as client:
            messages = [{"role": "user", "content": "hi"}]
            reply = client.chat.completions.create(model="gpt-4o-mini", messages=messages, stream=stream)
            text = (
                "".join(c.choices[0].delta.content or "" for c in reply if c.choices)
                if stream
                else (reply.choices[0].message.content)
            )
        assert text == "Paris"
        rig.script = {"claude": [error(529)]}
        with anthropic.Anthropic(base_url=rig.url, api_key=rig.key, max_retries=0) as client:
            reply = client.messages.create(model="claude-haiku-4-5", messages=messages, max_tokens=9, stream=stream)
            text = (
                "".join(event.delta.text for event in reply if event.type == "content_block_delta")
                if stream
                else reply.content[0].text
            )
        assert text == "Paris"
        assert rig.calls_at == ["main", "claude", "claude", "main"]
        providers = [record.provider for record in rig.wait_for_records(4)]
        assert providers == ["openai", "anthropic", "anthropic", "openai"]


def test_a_fallback_goes_only_to_allowed_providers_and_regions(tmp_path):
    upstreams = {
        "main": {"models": ("gpt-*",), "region": "eu"},
        "abroad": {"models": ("x",), "region": "us"},
        "other": {"models": ("x",), "region": "eu", "provider": "groq"},
        "near": {"models": ("x",), "region": "eu"},
        "nowhere": {"models": ("x",)},
    }
    policy = {
        "providers": ("openai",),
        "regions": ("eu",),
        "fallbacks": tuple(f"{name}/gpt-4o-mini" for name in ("abroad", "other", "nowhere", "near")),
    }
    with failing(tmp_path, policy, **upstreams) as rig:
        rig.script["main"] = [error(503)]
        assert rig.chat().status_code == 200
        assert rig.calls_at == ["main", "near"]


def test_a_call_that_its_policy_does_not_let_go_to_its_models_upstream_is_refused(tmp_path):
    with failing(tmp_path, {"regions": ("eu",)}, main={"region": "us"}) as rig:
        reply = rig.chat()
        assert (reply.status_code, reply.json()["error"]["code"]) == (403, "provider_not_allowed")
        assert rig.calls_at == []


def test_a_key_for_some_models_falls_back_to_those_alone(tmp_path):
    policy = {"fallbacks": ("backup/gpt-5", "backup/gpt-4o-mini-2024-07-18")}
    with failing(tmp_path, policy, **TWO) as rig:
        rig.key = rig.issue_key("narrow", models=("gpt-4o-mini*",))
        rig.script["main"] = [error(503)]
        assert rig.chat().json()["model"] == "gpt-4o-mini-2024-07-18"


def test_the_first_policy_that_covers_a_call_counts(tmp_path):
    policies = ({"name": "shop", "team": "shop", "retries": 1}, {"name": "rest", "retries": 0})
    with failing(tmp_path, *policies, main={}) as rig:
        rig.script["main"] = [error(500)]
        assert rig.chat().status_code == 500
        rig.key = rig.issue_key("shop", team="shop")
        rig.script["main"] = [error(500)]
        assert rig.chat().status_code == 200


def test_a_long_retry_after_is_not_waited_for_but_goes_elsewhere_and_is_remembered(tmp_path):
    with failing(tmp_path, {"retries": 3, "most_wait_s": 2, **BACKUP}, **TWO) as rig:
        rig.script["main"] = [error(429, "60", "rate_limit_exceeded")]
        first, second = rig.chat(), rig.chat()
        assert (first.status_code, second.status_code) == (200, 200)
        assert rig.calls_at == ["main", "backup", "backup"]  # the second did not ask
        assert "x-modicum-attempts" not in second.headers


def test_a_retry_waits_as_long_as_it_was_asked_to(tmp_path):
    waits = []

    async def no_sleep(seconds):
        waits.append(seconds)

    with failing(tmp_path, {"retries": 1}, main={}) as rig:
        rig.gateway._resilient._sleep = no_sleep
        rig.script["main"] = [error(503, "7")]
        assert rig.chat().status_code == 200
        assert waits == [7.0]


def test_retries_end_when_their_budget_is_used_up(tmp_path):
    with failing(tmp_path, {"retries": 1}, main={"retry_share": 0.0}) as rig:
        rig.script["main"] = [error(500)] * 40
        for _ in range(15):
            rig.chat()
        assert len(rig.calls_at) == 15 + 10


def test_a_circuit_opens_lets_nobody_there_and_closes_after_one_that_tries(tmp_path):
    circuit = {"circuit_share": 0.5, "circuit_calls": 4, "circuit_open_s": 30.0}
    with failing(tmp_path, main=circuit) as rig:
        now = [1000.0]
        rig.gateway.parts.budgets.counters._clock = lambda: now[0]
        rig.script["main"] = [error(500)] * 5
        statuses = [rig.chat().status_code for _ in range(6)]
        refused = rig.chat()

        assert statuses == [500] * 4 + [503] * 2
        assert refused.json()["error"]["code"] == "upstream_open"
        assert refused.headers["retry-after"] == "30"
        assert 'modicum_circuit_open{upstream="main"} 1.0' in httpx.get(f"{rig.url}/metrics").text
        now[0] += 31
        assert [rig.chat().status_code for _ in range(2)] == [500, 503]  # one tried
        now[0] += 31
        assert [rig.chat().status_code for _ in range(2)] == [200, 200]
        assert 'modicum_circuit_open{upstream="main"} 0.0' in httpx.get(f"{rig.url}/metrics").text


def test_an_open_circuit_sends_calls_elsewhere_without_an_attempt(tmp_path):
    circuit = {"models": ("gpt-*",), "circuit_share": 0.5, "circuit_calls": 2}
    with failing(tmp_path, BACKUP, main=circuit, backup={"models": ("x",)}) as rig:
        rig.script["main"] = [error(500)] * 2
        for _ in range(3):
            assert rig.chat().status_code == 200
        assert rig.calls_at == ["main", "backup", "main", "backup", "backup"]
        assert len(rig.wait_for_records(5)) == 5  # two attempts that failed, three calls


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_an_upstream_that_does_not_begin_in_time_is_left(tmp_path, stream):
    slow = {"models": ("gpt-*",), "first_byte_s": 0.2}
    with failing(tmp_path, BACKUP, main=slow, backup={"models": ("x",)}) as rig:
        rig.script["main"] = [Fault("head" if stream else "silent")]
        assert rig.chat(stream=stream).status_code == 200
        attempt, _ = rig.wait_for_records(2)
        assert tags_of(attempt)["attempt.failed"] == "timeout"


def test_a_reply_that_takes_too_long_in_all_is_given_up(tmp_path):
    with failing(tmp_path, main={"whole_s": 0.3}) as rig:
        rig.script["main"] = [Fault("stall"), Fault("silent")]
        first, second = rig.chat(), rig.chat()
        assert (first.status_code, second.status_code) == (504, 504)
        assert second.json()["error"]["code"] == "upstream_timeout"


def test_an_upstream_that_nobody_listens_at_is_left(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        dead = {"models": ("gpt-*",), "url": f"http://127.0.0.1:{free.getsockname()[1]}/v1"}
        with failing(tmp_path, BACKUP, main=dead, backup={"models": ("x",)}) as rig:
            assert rig.chat().status_code == 200
            attempt, call = rig.wait_for_records(2)
            assert tags_of(attempt)["attempt.failed"] == "connect"
            assert attempt.status is CallStatus.ERROR
            assert call.status is CallStatus.OK


def test_an_upstream_that_is_full_sends_calls_elsewhere(tmp_path):
    full = {"models": ("gpt-*",), "most_calls": 1}
    with failing(tmp_path, BACKUP, main=full, backup={"models": ("x",)}) as rig:
        rig.script["main"] = [Fault("silent")]
        held = threading.Thread(target=swallowed, args=(rig,))
        held.start()
        wait_until(lambda: rig.calls_at == ["main"])
        assert rig.chat().status_code == 200
        assert rig.calls_at == ["main", "backup"]
        rig.release()
        held.join()


def swallowed(rig):
    try:
        rig.chat(timeout=1)
    except httpx.HTTPError:
        return


def test_a_caller_that_leaves_while_a_retry_waits_is_not_served_any_more(tmp_path):
    waiting, go_on = threading.Event(), threading.Event()

    async def sleep_until_told(_seconds):
        waiting.set()
        while not go_on.is_set():  # noqa: ASYNC110 - set by another thread
            await asyncio.sleep(0.01)

    with failing(tmp_path, {"retries": 1}, main={}) as rig:
        rig.gateway._resilient._sleep = sleep_until_told
        rig.script["main"] = [error(500)]
        body = json.dumps({"model": "gpt-4o-mini", "messages": []}).encode()
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {rig.key}\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        )
        with socket.create_connection(("127.0.0.1", rig.gateway.server.port)) as caller:
            caller.sendall(head.encode() + body)
            assert waiting.wait(5)
        wait_until(lambda: not rig.gateway.server.server_state.connections)
        go_on.set()
        attempt, call = rig.wait_for_records(2)
        assert rig.calls_at == ["main"]
        assert (attempt.calls_count, call.status) == (0, CallStatus.ABORTED)


def test_a_call_with_attempts_is_paid_as_often_as_it_was_and_stays_within_its_budget(tmp_path):
    with failing(tmp_path, {"retries": 1}, main={}, budgets=[{"limit_usd": 1.0}]) as rig:
        rig.script["main"] = [Fault("half")]
        rig.chat()
        attempt, call = rig.ledger.entries()
        if attempt.call.calls_count:
            attempt, call = call, attempt

        assert call.cost.usd == gpt_4o_mini_usd(10, 10)
        assert attempt.cost.usd > 0  # the prompt was read, as far as we know
        ((spent, reserved),) = rig.levels().values()
        assert reserved == 0
        assert spent == int((call.cost.usd + attempt.cost.usd) * NANO)


def test_an_attempt_that_cost_nothing_leaves_the_budget_as_it_was(tmp_path):
    with failing(
        tmp_path, {"retries": 1}, main={}, budgets=[{"limit_usd": 1.0}, {"name": "n", "limit_calls": 5}]
    ) as rig:
        rig.script["main"] = [error(500)]
        rig.chat()
        assert sorted(rig.levels().values()) == [(1, 0), (int(gpt_4o_mini_usd(10, 10) * NANO), 0)]


def test_an_attempt_that_does_not_fit_into_the_budget_is_not_made(tmp_path):
    with failing(tmp_path, {"retries": 5}, main={"first_byte_s": 0.1}, budgets=[{"limit_usd": 0.0001}]) as rig:
        rig.script["main"] = [Fault("silent")] * 9
        reply = rig.chat(max_tokens=20)
        assert reply.status_code == 504
        ((spent, reserved),) = rig.levels().values()
        assert reserved == 0
        assert spent <= 0.0001 * NANO
        assert 1 <= len(rig.calls_at) < 6


def test_a_fallback_to_a_dearer_model_needs_room_for_it_on_that_models_budget(tmp_path):
    budgets = [{"name": "dear", "model": "gpt-4o", "limit_usd": 0.00001}]
    with failing(tmp_path, {"fallbacks": ("backup/gpt-4o",)}, budgets=budgets, **TWO) as rig:
        rig.script["main"] = [error(503)]
        assert rig.chat().status_code == 503
        assert rig.calls_at == ["main"]


def test_calls_are_shared_out_by_weight_and_a_conversation_stays_together(tmp_path):
    upstreams = {"a": {"weight": 3.0}, "b": {"weight": 1.0}, "spare": {}}
    with failing(tmp_path, **upstreams) as rig:
        for number in range(40):
            for _ in range(2):
                rig.chat(headers={"x-modicum-task": f"task-{number}"})
        pairs = list(zip(rig.calls_at[::2], rig.calls_at[1::2], strict=True))
        assert all(first == second for first, second in pairs)
        count = sum(first == "a" for first, _ in pairs)
        assert 20 <= count < 40
        assert "spare" not in rig.calls_at


def test_two_callers_that_use_up_all_retries_at_once_leave_the_books_right(tmp_path):
    with failing(tmp_path, {"retries": 2}, main={}, budgets=[{"limit_usd": 1.0}]) as rig:
        rig.script["main"] = [error(500)] * 30
        threads = [threading.Thread(target=rig.chat) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        records = rig.wait_for_records(len(rig.calls_at))
        assert sum(record.calls_count for record in records) == 8
        assert rig.reserved() == 0
