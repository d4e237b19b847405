"""A fan-out through the whole gateway, in front of the mock provider: what is written once, and what others read."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx2 as httpx
import pytest

from gateway.rig import running, wait_until
from gateway.team_rig import mock_provider
from gateway.warming.warm_rig import USE_KEY, message_body
from modicum.calls import CallStatus
from modicum.gateway.warming.written_once import TAG
from modicum.settings import GatewaySettings, OptimizeSettings, Settings, UpstreamSettings
from modicum.settings.optimize import OwnerRules

FAN_OUT = 5
DELAY_MS = 250


@contextmanager
def sharing_rig(folder, **optimize):
    """Three owners: one whose first calls wait, one whose do not, and one who waits for next to no time."""
    with mock_provider() as mock:

        def settings(_port):
            upstream = UpstreamSettings(
                url=f"{mock.url}/v1",
                speaks="anthropic",
                models=("claude-*",),
                key="env:MOCK_KEY",
                pass_headers=("x-mock-*",),
            )
            owners = (OwnerRules(user="waits", beginnings_wait_s=20.0), OwnerRules(user="late", beginnings_wait_s=0.01))
            return Settings(
                gateway=GatewaySettings(listen="127.0.0.1:0", most_calls=32),
                upstreams={"anthropic": upstream},
                optimize=OptimizeSettings(owner=owners, **optimize),
            )

        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MOCK_KEY", USE_KEY)
            with running(folder, settings) as rig:
                rig.keys = {user: rig.issue_key(user, user=user) for user in ("waits", "plain", "late")}
                yield rig


@pytest.fixture(scope="module")
def sharing(tmp_path_factory):
    with sharing_rig(tmp_path_factory.mktemp("sharing"), hold_out=0.0) as rig:
        yield rig


def fan_out(rig, user, task, *, calls=FAN_OUT, turns=(), headers=None, delay_ms=DELAY_MS, **fields):
    """The records of first calls that are made at once, each with a question of its own."""
    before = len(rig.records())
    together = threading.Barrier(calls)

    def ask(number):
        together.wait()
        sent = {"x-api-key": rig.keys[user], "x-modicum-task": task, "x-mock-delay-ms": str(delay_ms)} | (headers or {})
        body = message_body(*turns, f"{task} {number}", **fields)
        return httpx.post(f"{rig.url}/v1/messages", json=body, headers=sent, timeout=20).status_code

    with ThreadPoolExecutor(calls) as pool:
        statuses = list(pool.map(ask, range(calls)))
    return statuses, rig.wait_for_records(before + calls)[before:]


def system_of(name):
    text = f"{name}: all work and no play makes Jack a dull boy. " * 400
    return [{"type": "text", "text": text, "cache_control": {"type": "ephemeral"}}]


def wrote_most(records):
    """Calls that wrote the long beginning, and not only their own question."""
    return sum(call.usage.cache_write_5m > 1024 for call in records)


def test_one_call_of_a_fan_out_writes_and_the_others_read(sharing):
    _, plain = fan_out(sharing, "plain", "p", system=system_of("plain"))
    statuses, waited = fan_out(sharing, "waits", "w", system=system_of("waits"))

    assert wrote_most(plain) > 1  # as many as are sent before the first reply begins
    assert statuses == [200] * FAN_OUT
    assert wrote_most(waited) == 1
    assert sum(call.usage.cache_read > 1024 for call in waited) == FAN_OUT - 1
    assert [call.tags.get(TAG) for call in waited].count("read") == FAN_OUT - 1


def test_nobody_waits_longer_than_its_owner_chose(sharing):
    _, late = fan_out(sharing, "late", "l", calls=2, system=system_of("late"), delay_ms=1000)

    assert wrote_most(late) == 2
    assert [call.tags.get(TAG) for call in late].count("late") == 1


def test_what_has_no_mark_or_is_no_first_call_or_is_another_s_waits_for_nobody(sharing):
    unmarked = [{"type": "text", "text": "plain words. " * 2000}]
    _, without = fan_out(sharing, "waits", "u", calls=2, system=unmarked)
    turns = ("a question", "an answer")
    _, later = fan_out(sharing, "waits", "t", calls=2, turns=turns, system=system_of("later"))
    _, short = fan_out(sharing, "waits", "s", calls=2, system=[{**system_of("short")[0], "text": "be brief"}])

    assert not [call for call in (*without, *later, *short) if TAG in call.tags]


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"claude-sonnet-4-6","max_tokens":5,"system":[{"cache_control":5},7],"messages":[null]}',
        b'{"model":"claude-sonnet-4-6","max_tokens":5,"system":[{"text":"\\ud800","cache_control":{}}],"messages":[]}',
    ],
)
def test_requests_that_nobody_can_read_wait_for_nobody(sharing, body):
    headers = {"x-api-key": sharing.keys["waits"], "content-type": "application/json"}
    httpx.post(f"{sharing.url}/v1/messages", content=body, headers=headers, timeout=20)

    assert 'stage="beginnings"' not in httpx.get(f"{sharing.url}/metrics").text


def test_where_the_one_that_writes_fails_another_one_does(sharing):
    statuses, records = fan_out(
        sharing,
        "waits",
        "f",
        calls=3,
        system=system_of("fails"),
        headers={"x-mock-fault": "server_error"},
    )

    assert set(statuses) != {200}
    assert len(records) == 3
    statuses, records = fan_out(sharing, "waits", "g", calls=3, system=system_of("fails"))
    assert (statuses, wrote_most(records)) == ([200] * 3, 1)


def test_who_leaves_while_it_waits_is_not_sent_and_holds_nothing(sharing):
    before, under_way = len(sharing.records()), sharing.gateway.parts.journal

    def ask(question, timeout=20, delay_ms=0):
        headers = {"x-api-key": sharing.keys["waits"], "x-mock-delay-ms": str(delay_ms)}
        body = message_body(question, system=system_of("leaves"))
        return httpx.post(f"{sharing.url}/v1/messages", json=body, headers=headers, timeout=timeout).status_code

    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(ask, "writes", delay_ms=1500)
        wait_until(lambda: under_way.calls_under_way == 1)
        with pytest.raises(httpx.ReadTimeout):
            ask("leaves", timeout=0.2)
        (left,) = sharing.wait_for_records(before + 1)[before:]

        assert (left.status, left.usage.total_tokens) == (CallStatus.ABORTED, 0)
        assert first.result() == 200


def test_tasks_that_are_held_out_wait_for_nobody_and_say_so(tmp_path):
    with sharing_rig(tmp_path, hold_out=0.5) as rig:
        arms = set()
        for number in range(8):
            statuses, records = fan_out(rig, "waits", f"t{number}", calls=2, system=system_of(f"task {number}"))
            assert statuses == [200, 200]
            (held_out,) = {call.tags.get("rules.held_out", "") for call in records}
            (on_trial,) = {call.tags.get("rules.on_trial", "") for call in records}
            waited = [call.tags[TAG] for call in records if TAG in call.tags]
            if held_out:
                assert (held_out, on_trial, waited) == ("cache.beginnings", "", [])
            else:
                assert (on_trial, waited, wrote_most(records)) == ("cache.beginnings", ["read"], 1)
            arms.add(held_out)

    assert len(arms) == 2
