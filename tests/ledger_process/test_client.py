"""The ledger process as a store: as good as the file that it holds."""

import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import numpy as np
import pytest

from ledger_process.rig import LedgerProcess
from ledger_process.test_process import NOW, call
from modicum.calls import Anatomy, Basis, Cost, EnergyWindow, Entry, Outcome, Segment, SegmentKind, UserError
from modicum.ledger.opening import open_store
from modicum.ledger.records import ENERGY_WINDOWS, OUTCOMES
from modicum.ledger.store import Purge
from modicum.ledger_process.client import LedgerProcessStore
from modicum.ledger_process.running import Running, find
from modicum.metering.digests import SEGMENT_VERSION


def test_a_store_over_http_is_as_good_as_the_file(store):
    digest = b"d" * 16 + bytes([SEGMENT_VERSION])
    anatomy = Anatomy(0, 0, (Segment(SegmentKind.USER, 7, digest),))
    told = [Entry(call(f"{number}", anatomy=anatomy, conversation="talk"), Cost.unknown()) for number in range(5)]
    outcome = Outcome(outcome_id="o", task="PR-1", name="merged", value=1.0, time=NOW)

    assert (store.append(told).new, store.append(told).unchanged) == (5, 5)
    assert store.conversations_of(["gateway:1", "gateway:9"]) == {"gateway:1": "talk"}
    assert store.append_records(OUTCOMES, [outcome]).new == 1
    assert store.records(OUTCOMES) == [outcome]
    found = [entry for batch in store.entries(batch=2) for entry in batch]
    assert [(entry.call.call_id, entry.call.anatomy.added[0].digest) for entry in found] == [
        (entry.call.call_id, digest) for entry in told
    ]
    assert found[0].cost.basis is Basis.UNKNOWN
    assert store.purge(Purge(before=NOW + timedelta(days=1))) == 5


def test_windows_of_energy_go_over_http_too(store):
    window = EnergyWindow(
        started=NOW.timestamp(),
        seconds=5.0,
        gpus=("gpu-0",),
        servers=("own",),
        joules=900.0,
        counted=True,
        generated_tokens=10.0,
        prompt_tokens=20.0,
        cached_tokens=None,
        steps=None,
        running_seconds=4.0,
        busy_seconds=4.0,
    )
    hour = timedelta(hours=1)

    assert store.append_records(ENERGY_WINDOWS, [window]).new == 1
    assert store.records(ENERGY_WINDOWS, NOW - hour, NOW + hour) == [window]
    purged = store.purge_records(NOW + hour)
    assert {name: count for name, count in purged.items() if count} == {"energy_windows": 1}
    assert store.records(ENERGY_WINDOWS, NOW - hour, NOW + hour) == []


def test_columns_come_as_the_engine_gives_them(store, tmp_path):
    told = [Entry(call(f"{number}"), Cost.unknown()) for number in range(3)]
    store.append(told)
    with_file = open_store(str(tmp_path / "other.duckdb"))
    with_file.append(told)

    span = {"since": NOW - timedelta(days=1), "until": NOW + timedelta(days=1)}
    mine, theirs = store.ask_columns("history_calls", **span), with_file.ask_columns("history_calls", **span)
    with_file.close()

    assert {name: array.dtype for name, array in mine.items()} == {name: array.dtype for name, array in theirs.items()}
    for name, array in mine.items():
        np.testing.assert_array_equal(array, theirs[name])


def test_a_process_that_has_gone_is_a_users_error(tmp_path):
    with LedgerProcess(tmp_path):
        store = LedgerProcessStore(find(tmp_path))

    with pytest.raises(UserError, match="does not answer"):
        store.ask("holdings")


def test_a_question_that_is_none_is_a_users_error(store):
    with pytest.raises(UserError, match="no question 'nothing'"):
        store.ask("nothing")
    with pytest.raises(UserError, match="no such question"):
        store.ask("../schema")
    with pytest.raises(UserError, match="accepted are model"):
        store.live("color", 60)


class FormerVersion(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        self.send_error(404)

    def log_message(self, *_):
        pass


def test_a_process_of_another_version_says_what_to_do():
    server = HTTPServer(("127.0.0.1", 0), FormerVersion)
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        store = LedgerProcessStore(
            Running(host="127.0.0.1", port=server.server_port, token="t", ledger="ledger.duckdb", process=7)
        )
        with pytest.raises(UserError, match=r"does not know 'records/outcomes'.* stop 'modicum up' and start it again"):
            store.records(OUTCOMES)
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
