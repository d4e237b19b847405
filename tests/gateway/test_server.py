"""A gateway that starts, changes, ends, and is killed."""

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time

import httpx2 as httpx
import msgspec
import openai
import pytest
import uvicorn
from uvicorn.lifespan.off import LifespanOff

from gateway.rig import CHAT, Rig, running, usual
from modicum.calls import Basis, Call, CallStatus, Owner, UserError
from modicum.gateway import meter
from modicum.gateway.attribution import Attribution
from modicum.gateway.meter import begun_call, begun_record
from modicum.gateway.server import _Server
from modicum.ledger.calls_in_flight import CallsInFlight
from modicum.ledger.journal import Journal
from modicum.settings import GatewaySettings, Settings, UpstreamSettings


def test_calls_under_way_are_finished_before_it_ends_and_no_new_ones_are_taken(tmp_path):
    with running(tmp_path) as rig, openai.OpenAI(base_url=f"{rig.url}/v1", api_key=rig.key, max_retries=0) as client:
        got = []
        held = {"x-fixture": "openai-chat/usage_in_its_own_chunk.sse", "x-fault": "stall"}
        stream = client.chat.completions.create(**CHAT, stream=True, extra_headers=held)
        reading = threading.Thread(target=lambda: got.extend(stream))
        reading.start()
        url = rig.url
        rig.loop.call_soon_threadsafe(rig.gateway.server.drain)
        wait_until(lambda: rig.gateway.pipeline.draining)
        with pytest.raises(httpx.HTTPError):
            httpx.post(f"{url}/v1/chat/completions", json=CHAT, headers=rig.headers()).raise_for_status()
        rig.release()
        reading.join(10)

    assert got
    assert rig.records()[0].status is CallStatus.OK


class Connection:
    """A connection as a server knows it, which closes when told to, unless a reply is under way on it."""

    def __init__(self, server, *, busy=False):
        self.server, self.busy, self.told = server, busy, asyncio.Event()
        server.server_state.connections.add(self)

    def shutdown(self):
        self.told.set()
        if not self.busy:
            self.server.server_state.connections.discard(self)


def test_a_connection_that_is_made_after_the_end_began_does_not_hold_it_up():
    async def scenario():
        server = _Server(uvicorn.Config(None, lifespan="off", timeout_graceful_shutdown=60), None, None, None)
        server.servers, server.lifespan = [], LifespanOff(server.config)
        busy = Connection(server, busy=True)
        ending = asyncio.ensure_future(server.shutdown())
        await busy.told.wait()

        late = Connection(server)
        await late.told.wait()
        assert not ending.done()

        busy.busy = False
        await ending

    asyncio.run(asyncio.wait_for(scenario(), 30))


def wait_until(condition, seconds=5.0):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.02)


def test_settings_that_are_wrong_are_told_and_the_old_ones_stay(tmp_path, capfd):
    file = tmp_path / "modicum.toml"
    file.write_text("one")
    current = {"models": {"fast": "openai/gpt-4o-mini"}}

    def settings(port):
        if file.read_text() == "wrong":
            raise UserError("modicum.toml:3: not like that")
        told = usual()(port)
        return msgspec.structs.replace(told, models=current["models"], file=str(file))

    with running(tmp_path / "state", settings) as rig:

        def status(model):
            told = CHAT | {"model": model}
            return httpx.post(f"{rig.url}/v1/chat/completions", json=told, headers=rig.headers()).status_code

        assert (status("fast"), status("slow")) == (200, 404)
        file.write_text("wrong")
        wait_until(lambda: "not like that" in capfd.readouterr().err)
        assert status("fast") == 200
        current["models"] = {"slow": "openai/gpt-5"}
        file.write_text("right again")
        wait_until(lambda: status("slow") == 200)
        assert status("fast") == 404


def test_a_disk_that_refuses_withholds_the_reply_and_the_next_calls(tmp_path):
    with running(tmp_path) as rig:
        journal = rig.gateway.pipeline.journal
        journal._patience_s = 0.1
        refusing = threading.Event()
        real = journal._base

        class Full:
            in_transaction = False

            def execute(self, sql, *rest):
                if refusing.is_set() and sql == "BEGIN IMMEDIATE":
                    raise sqlite3.OperationalError("database or disk is full")
                return real.execute(sql, *rest)

            def __getattr__(self, name):
                return getattr(real, name)

        journal._base = Full()
        refusing.set()
        post = {"url": f"{rig.url}/v1/chat/completions", "json": CHAT, "headers": rig.headers()}
        first, second = httpx.post(**post), httpx.post(**post)
        ready = httpx.get(f"{rig.url}/readyz")
        asked = len(rig.provider.asked)
        refusing.clear()
        wait_until(lambda: httpx.get(f"{rig.url}/readyz").status_code == 200)
        third = httpx.post(**post)

    assert (first.status_code, first.json()["error"]["code"]) == (503, "not_recorded")
    assert (second.status_code, ready.status_code, asked) == (503, 503, 1)
    assert third.status_code == 200
    assert len(rig.records()) == 2  # the one that was withheld is on record, too


KILLED = """
import sys, threading
sys.path.insert(0, {tests!r})
from pathlib import Path
from gateway.rig import Rig, usual
rig = Rig(Path({folder!r}), usual())
rig.start()
print(rig.gateway.server.port, rig.key, flush=True)
threading.Event().wait()
"""


def test_a_call_under_way_when_it_is_killed_comes_back_as_unknown_and_finished_ones_stay(tmp_path):
    tests = os.path.dirname(os.path.dirname(__file__))  # noqa: PTH120 - a plain string for the child
    code = KILLED.format(tests=tests, folder=str(tmp_path))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as child:
        port, key = child.stdout.readline().split()
        url, headers = f"http://127.0.0.1:{port}/v1/chat/completions", {"authorization": f"Bearer {key}"}
        assert httpx.post(url, json=CHAT, headers=headers | {"x-modicum-task": "done"}).status_code == 200
        held = headers | {"x-modicum-task": "torn", "x-fault": "hold"}
        torn = threading.Thread(target=swallow, args=(url, CHAT, held))
        torn.start()
        wait_until(lambda: CallsInFlight(tmp_path / "journal" / "gateway.underway", 64).left)
        child.send_signal(signal.SIGKILL)
        torn.join(10)

    with running(tmp_path) as rig:
        calls = rig.records()

    by_task = {call.task: call for call in calls}
    assert by_task["done"].usage_basis is Basis.EXACT
    assert (by_task["torn"].status, by_task["torn"].usage_basis) == (CallStatus.UNKNOWN, Basis.UNKNOWN)
    assert len(calls) == 2


def test_what_a_worker_had_under_way_comes_back_though_there_are_fewer_now(tmp_path):
    begun = begun_call("n-1", "openai", "gpt-5", Attribution(Owner(), "torn", "", "", "", {}), 1.0)
    journal = Journal(tmp_path / "journal", "gateway-3")
    journal.begin(begun_record(begun))
    journal.close()  # the slot was not given back

    for _ in range(2):
        with running(tmp_path):
            pass

    base = sqlite3.connect(tmp_path / "journal" / "gateway-3.sqlite")
    found = [msgspec.msgpack.decode(body, type=Call) for (body,) in base.execute("SELECT body FROM records")]
    base.close()
    assert [(call.task, call.status) for call in found] == [("torn", CallStatus.UNKNOWN)]


def swallow(url, told, headers):
    try:
        httpx.post(url, json=told, headers=headers, timeout=10)
    except httpx.HTTPError:
        return


def test_an_address_that_is_taken_is_a_users_error(tmp_path):
    with running(tmp_path / "one") as rig:
        port = rig.gateway.server.port
        other = Rig(tmp_path / "two", lambda _: Settings(gateway=GatewaySettings(listen=f"127.0.0.1:{port}")))
        with pytest.raises(UserError, match="cannot be listened on"):
            other.start()
        other.thread.join(5)


def test_a_key_written_into_the_settings_is_refused(tmp_path):
    told = Settings(upstreams={"a": UpstreamSettings(url="https://api.openai.com/v1", speaks="openai", key="sk-clear")})
    rig = Rig(tmp_path, lambda _: told)

    with pytest.raises(UserError, match="env:NAME or file:PATH") as refusal:
        rig.start()

    assert "sk-clear" not in str(refusal.value)
    rig.thread.join(5)


def test_the_log_is_json_without_content(tmp_path, capfd):
    with running(tmp_path) as rig:
        httpx.post(f"{rig.url}/v1/chat/completions", json=CHAT, headers=rig.headers(x_fault="hang_up"))
        rig.issue_key("another")
        wait_until(lambda: len(rig.gateway.pipeline.owners.keys().all()) == 2)

    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert {line["event"] for line in lines} == {"keys_reloaded"}
    assert "France" not in str(lines)


def test_a_bug_costs_its_own_call_and_shows_no_content(tmp_path, capfd, monkeypatch):
    def bug(exchange):
        raise RuntimeError(f"unexpected: {exchange.body!r}")

    with running(tmp_path) as rig:
        post = {"url": f"{rig.url}/v1/chat/completions", "json": CHAT, "headers": rig.headers()}
        with monkeypatch.context() as patched:
            patched.setattr("modicum.gateway.sending.prepare", bug)
            broken = httpx.post(**post)
        fine = httpx.post(**post)

    assert (broken.status_code, broken.json()["error"]["code"], fine.status_code) == (500, "internal_error", 200)
    assert [call.status for call in rig.records()] == [CallStatus.ABORTED, CallStatus.OK]
    said = capfd.readouterr().err
    assert "RuntimeError" in said
    assert "France" not in said


def test_a_call_that_is_cut_while_its_tokens_are_counted_is_on_record_all_the_same(tmp_path, monkeypatch):
    counting, counted = threading.Event(), meter.estimated

    def slow(exchange):
        counting.set()
        released.wait(10)
        return counted(exchange)

    released = threading.Event()
    monkeypatch.setattr(meter, "estimated", slow)
    with running(tmp_path, usual(drain_s=1.0)) as rig:
        headers = rig.headers(x_fixture="openai-chat/missing_usage.sse")
        calling = threading.Thread(
            target=swallow, args=(f"{rig.url}/v1/chat/completions", CHAT | {"stream": True}, headers)
        )
        calling.start()
        assert counting.wait(5)
        threading.Timer(2.0, released.set).start()  # the drain ends after one second

    calling.join(10)
    (call,) = rig.records()
    assert (call.status, call.usage_basis) == (CallStatus.OK, Basis.ESTIMATED)
    assert call.usage.prompt_tokens > 0


def test_a_fault_while_counting_costs_the_figures_and_not_the_record(tmp_path, monkeypatch):
    def bug(exchange):
        raise RuntimeError

    monkeypatch.setattr(meter, "estimated", bug)
    with running(tmp_path) as rig:
        headers = rig.headers(x_fixture="openai-chat/missing_usage.sse")
        reply = httpx.post(f"{rig.url}/v1/chat/completions", json=CHAT | {"stream": True}, headers=headers)
        (call,) = rig.wait_for_records(1)

    assert reply.text.rstrip().endswith("[DONE]")
    assert (call.status, call.usage_basis) == (CallStatus.OK, Basis.UNKNOWN)


def test_calls_that_outlast_the_drain_are_cut_and_on_record(tmp_path):
    with running(tmp_path, usual(drain_s=1.0)) as rig:
        rig.releases = False
        held = rig.headers(x_fixture="openai-chat/reasoning.sse", x_fault="stall")
        calling = threading.Thread(
            target=swallow, args=(f"{rig.url}/v1/chat/completions", CHAT | {"stream": True}, held)
        )
        calling.start()
        wait_until(lambda: rig.gateway.pipeline.journal.calls_under_way)

    calling.join(10)
    (call,) = rig.records()
    assert call.status is CallStatus.ABORTED
    assert call.usage.prompt_tokens > 0
