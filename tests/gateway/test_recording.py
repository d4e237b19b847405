"""What is on record whatever happens while it is written."""

import sqlite3
import threading

import httpx2 as httpx

from gateway.rig import CHAT, running, swallow, usual, wait_until
from modicum.calls import Basis, CallStatus
from modicum.gateway import meter


def test_a_disk_that_refuses_withholds_the_reply_and_the_next_calls(tmp_path):
    with running(tmp_path) as rig:
        journal = rig.gateway.parts.journal
        journal._patience_s = 0.1
        refusing = threading.Event()
        real = journal._base

        class Full:
            in_transaction = False

            def execute(self, sql, *rest):
                if refusing.is_set() and sql.startswith(("BEGIN", "INSERT")):
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
