"""A gateway that was killed, and starts again."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading

import httpx2 as httpx
import msgspec

from gateway.rig import CHAT, running, swallow, wait_until
from modicum.calls import Basis, Call, CallStatus, Owner
from modicum.gateway.callers.attribution import Attribution
from modicum.gateway.meter import begun_call, begun_record
from modicum.ledger.calls_in_flight import CallsInFlight
from modicum.ledger.journal import Journal

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
    tests = os.path.dirname(os.path.dirname(os.path.dirname(__file__)))  # noqa: PTH120 - a plain string for the child
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
