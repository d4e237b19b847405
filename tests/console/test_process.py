"""The ledger process, asked as commands ask it."""

import asyncio
import os
import subprocess
import sys
from datetime import UTC, datetime

import msgspec

from console.rig import LedgerProcess, until
from modicum.calls import (
    Call,
    Owner,
    Usage,
)
from modicum.console.running import find
from modicum.governance.keys import audit, issue
from modicum.ledger.events import EventFile
from modicum.ledger.journal import Journal, Record
from modicum.ledger.opening import open_store
from modicum.ledger.records import AUDIT_EVENTS

NOW = datetime.now(UTC)


def call(number, **more):
    told = {"source": "gateway", "provider": "openai", "model": "gpt-4o-mini", "started": NOW, "usage": Usage(1000, 50)}
    return Call(call_id=f"gateway:{number}", finished=NOW, **told | more)


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
