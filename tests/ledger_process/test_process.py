"""The ledger process, asked as commands ask it."""

import asyncio
import http.client
import os
import shutil
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from ledger.faults import GARBAGE, garbage
from ledger_process.rig import LedgerProcess, until
from modicum.calls import (
    Call,
    Owner,
    Usage,
    UserError,
)
from modicum.governance.keys import audit, issue
from modicum.ledger.events import EventFile
from modicum.ledger.journal import Journal, Record
from modicum.ledger.opening import open_store
from modicum.ledger.records import AUDIT_EVENTS
from modicum.ledger_process.client import LedgerProcessStore
from modicum.ledger_process.running import find

NOW = datetime.now(UTC)


def call(number, **more):
    told = {"source": "gateway", "provider": "openai", "model": "gpt-4o-mini", "started": NOW, "usage": Usage(1000, 50)}
    return Call(call_id=f"gateway:{number}", **{**told, "finished": NOW, **more})


def test_what_the_journal_gets_can_be_asked_for(ledger, store):
    async def write():
        journal = Journal(ledger.folder / "journal")
        await journal.append(Record("1", "call", msgspec.msgpack.encode(call("1", started=started, finished=started))))
        journal.close()

    started = datetime.now(UTC)  # the suite may have been running for an hour
    asyncio.run(write())

    (row,) = until(lambda: store.ask("holdings"))
    assert (row["source"], row["calls"], row["first_started"].tzinfo) == ("gateway", 1, UTC)
    live = store.live("model", 900)
    assert (live["total"]["calls"], live["rows"][0]["name"]) == (1, "gpt-4o-mini")
    assert live["total"]["cost_usd"] > 0


def test_key_events_become_the_audit_log_and_one_that_cannot_be_read_blocks_nothing(ledger, store):
    events = EventFile(ledger.folder / "events.sqlite")
    _, event = issue(Owner(key="ci", team="platform"), (), NOW, "ann", b"d" * 32)
    events.append("key", event)

    (told,) = until(lambda: store.records(AUDIT_EVENTS))
    assert (told.what, told.by, told.owner.team, told.at) == ("issued", "ann", "platform", NOW)
    assert store.append_records(AUDIT_EVENTS, audit([event])).new == 0

    events.append("key", {"what": "of a newer version"})
    events.close()
    until(lambda: any("cannot be read" in line for line in ledger.said))
    test_what_the_journal_gets_can_be_asked_for(ledger, store)


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


def journaled(folder, *numbers, name="gateway"):
    async def write():
        journal = Journal(folder / "journal", name)
        for number in numbers:
            await journal.append(Record(number, "call", msgspec.msgpack.encode(call(number))))
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
        store = LedgerProcessStore(find(tmp_path))
        until(lambda: calls_in(store) == 1)
        journaled(tmp_path, "2")
        until(lambda: calls_in(store) == 2)
        span = {"since": NOW - timedelta(days=1), "until": NOW + timedelta(days=1)}
        assert store.ask("bill", by="model", tag="", zone="UTC", **span)[0]["calls"] == 2
        until(lambda: any(line.startswith(f"{path}: the journal cannot be read") for line in ledger.said))
        assert readiness(ledger)[0] == 200


def test_a_question_that_the_engine_cannot_answer_is_a_users_error(tmp_path, monkeypatch):
    with LedgerProcess(tmp_path) as ledger:
        store = LedgerProcessStore(find(tmp_path))
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
        store = LedgerProcessStore(find(tmp_path))
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
        store = LedgerProcessStore(find(tmp_path))
        journaled(tmp_path, "1")
        until(lambda: calls_in(store) == 1)
        shutil.rmtree(tmp_path / "journal")
        until(lambda: readiness(ledger)[0] == 503)

        assert "the folder of journals" in readiness(ledger)[1]
        assert calls_in(store) == 1


def test_a_file_of_keys_that_breaks_keeps_no_call_out_of_the_ledger(tmp_path):
    with LedgerProcess(tmp_path) as ledger:
        store = LedgerProcessStore(find(tmp_path))
        until(lambda: readiness(ledger)[0] == 200)
        base = sqlite3.connect(tmp_path / "events.sqlite")
        base.execute("DROP TABLE events")
        base.commit()
        base.close()
        journaled(tmp_path, "1")
        until(lambda: calls_in(store) == 1)

    assert any("the file of keys" in line for line in ledger.said)
