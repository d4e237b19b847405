"""The ledger process, asked as commands ask it."""

import asyncio
import http.client
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import pytest

from console.rig import LedgerProcess, until
from ledger.faults import GARBAGE, garbage
from modicum.calls import (
    Anatomy,
    Basis,
    Call,
    Cost,
    EnergyWindow,
    Entry,
    Outcome,
    Owner,
    Segment,
    SegmentKind,
    Usage,
    UserError,
)
from modicum.console.client import ConsoleStore
from modicum.console.running import find
from modicum.governance.keys import audit, issue
from modicum.ledger.events import Events
from modicum.ledger.journal import Journal, Record
from modicum.ledger.store import Purge, open_store

NOW = datetime.now(UTC)


def call(number, **more):
    told = {"source": "gateway", "provider": "openai", "model": "gpt-4o-mini", "started": NOW, "usage": Usage(1000, 50)}
    return Call(call_id=f"gateway:{number}", finished=NOW, **told | more)


@pytest.fixture
def ledger(tmp_path):
    with LedgerProcess(tmp_path) as ledger:
        yield ledger


@pytest.fixture
def store(ledger):
    return ConsoleStore(find(ledger.folder))


def test_what_the_journal_gets_can_be_asked_for(ledger, store):
    async def write():
        journal = Journal(ledger.folder / "journal")
        await journal.added(Record("1", "call", msgspec.msgpack.encode(call("1"))))
        journal.close()

    asyncio.run(write())

    (row,) = until(lambda: store.ask("holdings"))
    assert (row["source"], row["calls"], row["first_started"].tzinfo) == ("gateway", 1, UTC)
    live = store.live("model", 900)  # the suite may have been running for a while
    assert (live["total"]["calls"], live["rows"][0]["name"]) == (1, "gpt-4o-mini")
    assert live["total"]["cost_usd"] > 0


def test_key_events_become_the_audit_log_and_one_that_cannot_be_read_blocks_nothing(ledger, store):
    events = Events(ledger.folder / "events.sqlite")
    _, event = issue(Owner(key="ci", team="platform"), (), NOW, "ann", b"d" * 32)
    events.append("key", event)

    (told,) = until(store.audit)
    assert (told.what, told.by, told.owner.team, told.at) == ("issued", "ann", "platform", NOW)
    assert store.append_audit(audit([event])) == 0

    events.append("key", {"what": "of a newer version"})
    events.close()
    until(lambda: any("cannot be read" in line for line in ledger.said))
    test_what_the_journal_gets_can_be_asked_for(ledger, store)


def test_a_store_over_http_is_as_good_as_the_file(store):
    anatomy = Anatomy(0, 0, (Segment(SegmentKind.USER, 7, b"d" * 16),))
    told = [Entry(call(f"{number}", anatomy=anatomy, conversation="talk"), Cost.unknown()) for number in range(5)]
    outcome = Outcome(outcome_id="o", task="PR-1", name="merged", value=1.0, time=NOW)

    assert (store.append(told).new, store.append(told).unchanged) == (5, 5)
    assert store.conversations_of(["gateway:1", "gateway:9"]) == {"gateway:1": "talk"}
    assert store.append_outcomes([outcome]) == 1
    assert store.outcomes() == [outcome]
    found = [entry for batch in store.entries(batch=2) for entry in batch]
    assert [(entry.call.call_id, entry.call.anatomy.added[0].digest) for entry in found] == [
        (entry.call.call_id, b"d" * 16) for entry in told
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

    assert store.append_energy([window]).new == 1
    assert store.energy(NOW - hour, NOW + hour) == [window]
    assert store.purge_energy(NOW + hour) == 1
    assert store.energy(NOW - hour, NOW + hour) == []


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


def test_a_question_that_is_none_is_a_users_error(store):
    with pytest.raises(UserError, match="no question 'nothing'"):
        store.ask("nothing")
    with pytest.raises(UserError, match="no such question"):
        store.ask("../schema")
    with pytest.raises(UserError, match="by must be"):
        store.live("color", 60)


def test_nobody_asks_without_the_token_that_only_its_user_can_read(ledger):
    assert (ledger.folder / "console.json").stat().st_mode & 0o077 == 0
    connection = http.client.HTTPConnection("127.0.0.1", ledger.port)
    connection.request("POST", "/api/live", b"{}", {"authorization": "Bearer guess"})
    assert connection.getresponse().read() == b"the token of console.json is needed\n"
    connection.close()


def test_programs_may_ask_in_json(ledger):
    connection = http.client.HTTPConnection("127.0.0.1", ledger.port)
    token = find(ledger.folder).token
    connection.request("POST", "/api/live", b'{"by":"team"}', {"authorization": f"Bearer {token}"})
    document = json.loads(connection.getresponse().read())
    connection.close()

    assert document["by"] == "team"


HOLDER = "import duckdb, sys; base = duckdb.connect(sys.argv[1]); print(1, flush=True); sys.stdin.read()"


def test_a_ledger_that_somebody_else_holds_is_waited_for(tmp_path):
    words = [sys.executable, "-c", HOLDER, str(tmp_path / "ledger.duckdb")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        with LedgerProcess(tmp_path) as ledger:
            until(lambda: any("held by process" in line for line in ledger.said))
            other.stdin.close()
            other.wait()
            until(lambda: "the ledger is there" in ledger.said)


def test_its_note_goes_with_it_and_the_ledger_is_free(tmp_path):
    with LedgerProcess(tmp_path):
        assert find(tmp_path).process == os.getpid()

    assert find(tmp_path) is None
    open_store(str(tmp_path / "ledger.duckdb")).close()


def test_a_process_that_has_gone_is_a_users_error(tmp_path):
    with LedgerProcess(tmp_path):
        store = ConsoleStore(find(tmp_path))

    with pytest.raises(UserError, match="does not answer"):
        store.ask("holdings")


def journaled(folder, *numbers, name="gateway"):
    async def write():
        journal = Journal(folder / "journal", name)
        for number in numbers:
            await journal.added(Record(number, "call", msgspec.msgpack.encode(call(number))))
        journal.close()

    asyncio.run(write())


def calls_in(store):
    return sum(row["calls"] for row in store.ask("holdings"))


def readiness(ledger):
    connection = http.client.HTTPConnection("127.0.0.1", ledger.port)
    connection.request("GET", "/readyz")
    reply = connection.getresponse()
    said = reply.status, reply.read().decode()
    connection.close()
    return said


@pytest.mark.parametrize("name", GARBAGE)
def test_a_garbage_journal_stops_neither_the_others_nor_answers_and_is_named(tmp_path, name):
    path = garbage(tmp_path / "journal", name)
    garbage(tmp_path / "spans", name)
    journaled(tmp_path, "1")
    with LedgerProcess(tmp_path) as ledger:
        store = ConsoleStore(find(tmp_path))
        until(lambda: calls_in(store) == 1)
        journaled(tmp_path, "2")
        until(lambda: calls_in(store) == 2)
        span = {"since": NOW - timedelta(days=1), "until": NOW + timedelta(days=1)}
        assert store.ask("bill", by="model", tag="", zone="UTC", **span)[0]["calls"] == 2
        until(lambda: any(line.startswith(f"{path}: the journal cannot be read") for line in ledger.said))
        assert readiness(ledger)[0] == 200


def test_a_question_that_the_engine_cannot_answer_is_a_users_error(tmp_path, monkeypatch):
    with LedgerProcess(tmp_path) as ledger:
        store = ConsoleStore(find(tmp_path))
        until(lambda: readiness(ledger)[0] == 200)
        failing = sqlite3.DatabaseError("file is not a database")
        monkeypatch.setattr("modicum.ledger.embedded.DuckDBStore.ask", lambda *_, **__: (_ for _ in ()).throw(failing))

        with pytest.raises(
            UserError, match=r"cannot answer \(DatabaseError: file is not a database\); see 'modicum doctor"
        ):
            store.ask("holdings")
        assert any("a question to the ledger failed: DatabaseError" in line for line in ledger.said)


def test_a_ledger_file_that_is_deleted_takes_no_more_calls_and_says_so_until_it_is_back(tmp_path):
    with LedgerProcess(tmp_path) as ledger:
        store = ConsoleStore(find(tmp_path))
        journaled(tmp_path, "1")
        until(lambda: calls_in(store) == 1)
        (tmp_path / "ledger.duckdb").rename(tmp_path / "away")
        until(lambda: readiness(ledger)[0] == 503)
        assert "ledger.duckdb was deleted, moved or replaced" in readiness(ledger)[1]
        journaled(tmp_path, "2")
        with pytest.raises(UserError, match="restart 'modicum up'"):
            store.ask("holdings")

        (tmp_path / "away").rename(tmp_path / "ledger.duckdb")
        until(lambda: readiness(ledger)[0] == 200)
        until(lambda: calls_in(store) == 2)


def test_a_data_folder_that_is_deleted_is_said_at_once(tmp_path):
    folder = tmp_path / "state"
    folder.mkdir()
    with LedgerProcess(folder) as ledger:
        until(lambda: readiness(ledger)[0] == 200)
        shutil.rmtree(folder)
        until(lambda: readiness(ledger)[0] == 503)
        assert "restart 'modicum up'" in readiness(ledger)[1]

    assert any("was deleted, moved or replaced" in line for line in ledger.said)


def test_a_folder_of_journals_that_is_deleted_is_said_at_once_and_answers_go_on(tmp_path):
    with LedgerProcess(tmp_path) as ledger:
        store = ConsoleStore(find(tmp_path))
        journaled(tmp_path, "1")
        until(lambda: calls_in(store) == 1)
        shutil.rmtree(tmp_path / "journal")
        until(lambda: readiness(ledger)[0] == 503)

        assert "the folder of journals" in readiness(ledger)[1]
        assert calls_in(store) == 1


def test_a_file_of_keys_that_breaks_keeps_no_call_out_of_the_ledger(tmp_path):
    with LedgerProcess(tmp_path) as ledger:
        store = ConsoleStore(find(tmp_path))
        until(lambda: readiness(ledger)[0] == 200)
        base = sqlite3.connect(tmp_path / "events.sqlite")
        base.execute("DROP TABLE events")
        base.commit()
        base.close()
        journaled(tmp_path, "1")
        until(lambda: calls_in(store) == 1)

    assert any("the file of keys" in line for line in ledger.said)
