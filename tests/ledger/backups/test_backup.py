"""Backups taken while a gateway runs, restored elsewhere: each finished call once, nothing overwritten."""

import asyncio
import gzip
import io
import os
import sqlite3
import tarfile
import threading
from collections import Counter
from datetime import UTC, datetime

import httpx2 as httpx
import msgspec
import pytest

from gateway.rig import CHAT, DIGEST_KEY, running
from modicum.calls import Call, CallStatus, Outcome, Owner, Usage, UserError
from modicum.gateway.process.recovery import recover
from modicum.governance.keys import KeyEvent, Keys, issue
from modicum.ledger import positions
from modicum.ledger.backups.backup import MANIFEST, BackupManifest, FileInBackup, create_backup, restore_backup
from modicum.ledger.events import EventFile
from modicum.ledger.file_lock import FileLock
from modicum.ledger.journal import SHIPPED, Journal, Record
from modicum.ledger.opening import open_store
from modicum.ledger.records import RECORDS
from modicum.ledger.shipper import Shipper
from modicum.metering.prices import PriceBook

NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
OUTCOMES = RECORDS["outcomes"]


def call(number, status=CallStatus.OK):
    told = {"source": "gateway", "provider": "openai", "model": "gpt-4o-mini", "started": NOW, "owner": Owner(key="ci")}
    return Call(call_id=f"gateway:{number}", finished=NOW, usage=Usage(1000, 50), status=status, **told)


def write(folder, *records, name="gateway"):
    async def append():
        journal = Journal(folder / "journal", name)
        for record in records:
            await journal.append(record)
        journal.close()

    asyncio.run(append())


def called(number):
    return Record(f"{number}", "call", msgspec.msgpack.encode(call(number)))


def outcome(value):
    return Record(
        "", "outcome", msgspec.msgpack.encode(Outcome(outcome_id="o", task="t", name="n", value=value, time=NOW))
    )


def ship(folder, store):
    shipper = Shipper(folder / "journal", store, PriceBook())
    while shipper.ship().more:
        pass
    shipper.close()


def ids(store):
    return Counter(entry.call.call_id for batch in store.entries() for entry in batch)


@pytest.fixture
def state(tmp_path):
    """What a gateway left, with a key."""
    folder = tmp_path / "state"
    write(folder, called(1), called(2))
    write(folder, called(3), name="gateway-2")
    (tmp_path / "digest.key").write_bytes(DIGEST_KEY)
    return folder


@pytest.fixture
def saved(state, tmp_path):
    create_backup(tmp_path / "saved", state, tmp_path / "digest.key")
    return tmp_path / "saved"


def test_each_call_of_a_backup_is_in_a_new_ledger_once(saved, tmp_path):
    restore_backup(saved, tmp_path / "new", tmp_path / "new.key")
    store = open_store(":memory:")
    ship(tmp_path / "new", store)
    ship(tmp_path / "new", store)

    assert ids(store) == {"gateway:1": 1, "gateway:2": 1, "gateway:3": 1}
    assert (tmp_path / "new.key").read_bytes() == DIGEST_KEY
    store.close()


def test_what_the_ledger_has_is_not_booked_again_and_newer_outcomes_stay(state, tmp_path):
    store = open_store(":memory:")
    write(state, outcome(1))
    ship(state, store)
    create_backup(tmp_path / "saved", state, None)
    write(state, called(9), outcome(2))
    ship(state, store)
    restore_backup(tmp_path / "saved", tmp_path / "new", tmp_path / "no.key")
    write(tmp_path / "new", called(10))
    ship(tmp_path / "new", store)

    assert ids(store) == {f"gateway:{number}": 1 for number in (1, 2, 3, 9, 10)}
    assert [one.value for one in store.records(OUTCOMES)] == [2]
    store.close()


def test_a_call_under_way_at_the_backup_that_ended_later_counts_once(tmp_path):
    """It comes back as unknown from the backup, and the ledger has its end."""

    async def begin_and_save():
        journal = Journal(tmp_path / "state" / "journal")
        slot = journal.begin(msgspec.msgpack.encode(call(1, CallStatus.UNKNOWN)))
        create_backup(tmp_path / "saved", tmp_path / "state", None)
        await journal.finish(slot, called(1))
        journal.close()

    async def begin_anew():
        journal = Journal(tmp_path / "new" / "journal")
        await recover(journal)
        journal.close()

    asyncio.run(begin_and_save())
    store = open_store(":memory:")
    ship(tmp_path / "state", store)
    restore_backup(tmp_path / "saved", tmp_path / "new", tmp_path / "no.key")
    asyncio.run(begin_anew())
    ship(tmp_path / "new", store)

    (entry,) = [entry for batch in store.entries() for entry in batch]
    assert entry.call.status is CallStatus.OK
    store.close()


def test_a_backup_of_a_gateway_at_work_has_all_that_had_ended(tmp_path):
    """Callers go on while backups are made; each call that was answered before one began is in it, once."""
    with running(tmp_path / "state") as rig:
        answered, stop, lock = [], threading.Event(), threading.Lock()

        def go_on():
            with httpx.Client() as client:
                while not stop.is_set():
                    reply = client.post(f"{rig.url}/v1/chat/completions", json=CHAT, headers=rig.headers())
                    assert reply.status_code == 200
                    with lock:
                        answered.append(1)

        callers = [threading.Thread(target=go_on) for _ in range(4)]
        for caller in callers:
            caller.start()
        before = []
        for number in range(3):
            wait_for_more(answered, lock)
            with lock:
                before.append(len(answered))
            create_backup(tmp_path / f"saved-{number}", tmp_path / "state", None)
        stop.set()
        for caller in callers:
            caller.join()
    everything = {one["number"]: 1 for one in rows(tmp_path / "state")}
    for number, least in enumerate(before):
        restore_backup(tmp_path / f"saved-{number}", tmp_path / f"new-{number}", tmp_path / "no.key")
        found = Counter(one["number"] for one in rows(tmp_path / f"new-{number}"))
        assert least <= len(found) <= len(everything)
        assert set(found.values()) == {1}
        assert found.keys() <= everything.keys()


def wait_for_more(answered, lock):
    with lock:
        goal = len(answered) + 10
    while True:
        with lock:
            if len(answered) >= goal:
                return
        threading.Event().wait(0.005)


def rows(folder):
    base = sqlite3.connect(folder / "journal" / "gateway.sqlite")
    base.row_factory = sqlite3.Row
    found = base.execute("SELECT number FROM records WHERE kind = 'call'").fetchall()
    base.close()
    return found


def test_keys_in_force_are_in_force_after_a_restore(state, tmp_path):
    events = EventFile(state / "events.sqlite")
    token, event = issue(Owner(key="ci"), (), NOW, "ann", DIGEST_KEY)
    events.append("key", event)
    create_backup(tmp_path / "saved", state, tmp_path / "digest.key")  # while the file is open
    events.close()
    restore_backup(tmp_path / "saved", tmp_path / "new", tmp_path / "new.key")
    restored = EventFile(tmp_path / "new" / "events.sqlite")

    assert Keys(restored.read("key", KeyEvent)).check(token, (tmp_path / "new.key").read_bytes()) is not None
    restored.close()


def test_it_is_for_its_users_eyes_only_and_the_shipper_begins_anew(saved, tmp_path):
    restore_backup(saved, tmp_path / "new", tmp_path / "new.key")

    journal = tmp_path / "new" / "journal" / "gateway.sqlite"
    assert saved.stat().st_mode & 0o777 == journal.stat().st_mode & 0o777 == 0o600
    position = positions.read(journal, SHIPPED)
    assert (position.record, position.again_to) == (0, 2)
    assert not list((tmp_path / "new").glob(".restore*"))


def content(folder):
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".lock"
    }


def refused(saved, folder, key, message):
    before = content(folder)
    with pytest.raises(UserError, match=message):
        restore_backup(saved, folder, key)
    assert content(folder) == before


def test_nothing_is_overwritten(saved, state, tmp_path):
    refused(saved, state, tmp_path / "digest.key", "is there already, and a restore overwrites nothing")
    other = tmp_path / "other"
    write(other, called(7), name="gateway-9")
    refused(saved, other, tmp_path / "digest.key", "is there already")
    (tmp_path / "another.key").write_bytes(b"x" * 32)
    (tmp_path / "empty").mkdir()
    refused(saved, tmp_path / "empty", tmp_path / "another.key", "is another key of digests")
    restore_backup(saved, tmp_path / "empty", tmp_path / "digest.key")  # the same one is fine
    with pytest.raises(UserError, match="is there already: name another file"):
        create_backup(saved, state, None)


def test_a_gateway_that_runs_is_not_restored_under(saved, tmp_path):
    lock = FileLock(tmp_path / "new" / "up.lock")
    assert lock.acquire()
    refused(saved, tmp_path / "new", tmp_path / "new.key", "stop it first")
    lock.release()


def packed(path, members, manifest=None):
    with tarfile.open(path, "w:gz") as archive:
        if manifest is not None:
            members = [(MANIFEST, msgspec.json.encode(manifest)), *members]
        for name, body in members:
            info = tarfile.TarInfo(name)
            info.size = len(body)
            archive.addfile(info, io.BytesIO(body))
    return path


def manifest(*files, form=1):
    return BackupManifest(format=form, version="0", created=NOW, files=list(files))


HOSTILE = {
    "nothing": lambda path: path.write_bytes(b""),
    "garbage": lambda path: path.write_bytes(os.urandom(5000)),
    "gzip of garbage": lambda path: path.write_bytes(gzip.compress(b"no tar " * 500)),
    "another tar": lambda path: packed(path, [("readme.txt", b"hello")]),
    "no manifest": lambda path: packed(path, [(MANIFEST, b"{}")]),
    "of the future": lambda path: packed(path, [], manifest(form=2)),
    "a path out of it": lambda path: packed(path, [("../x", b"1")], manifest(FileInBackup("../x", 1, ""))),
    "a foreign file": lambda path: packed(path, [("up.lock", b"1")], manifest(FileInBackup("up.lock", 1, ""))),
    "one twice": lambda path: packed(path, [], manifest(*[FileInBackup("events.sqlite", 1, "")] * 2)),
    "a missing file": lambda path: packed(path, [], manifest(FileInBackup("events.sqlite", 1, ""))),
    "another content": lambda path: packed(path, [("digest.key", b"1")], manifest(FileInBackup("digest.key", 1, "x"))),
    "another size": lambda path: packed(path, [("digest.key", b"1")], manifest(FileInBackup("digest.key", 9, "x"))),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_is_no_backup_changes_nothing(kind, tmp_path):
    HOSTILE[kind](tmp_path / "bad")
    (tmp_path / "new").mkdir()

    refused(tmp_path / "bad", tmp_path / "new", tmp_path / "new.key", "backup")
    assert not (tmp_path / "new.key").exists()
    assert not (tmp_path / "x").exists()


def test_one_that_was_cut_off_anywhere_changes_nothing(saved, tmp_path):
    whole = saved.read_bytes()
    (tmp_path / "new").mkdir()
    for share in (0.01, 0.3, 0.6, 0.9, 0.99):
        (tmp_path / "cut").write_bytes(whole[: int(len(whole) * share)])
        refused(tmp_path / "cut", tmp_path / "new", tmp_path / "new.key", "backup")


def test_a_journal_in_it_that_is_none_changes_nothing(tmp_path):
    import hashlib

    body = b"garbage" * 1000
    digest = hashlib.blake2b(body, digest_size=16).hexdigest()
    name = "journal/gateway.sqlite"
    packed(tmp_path / "bad", [(name, body)], manifest(FileInBackup(name, len(body), digest)))
    (tmp_path / "new").mkdir()

    refused(tmp_path / "bad", tmp_path / "new", tmp_path / "new.key", "cannot be read")


def test_where_nothing_is_there_is_nothing_to_back_up(tmp_path):
    with pytest.raises(UserError, match="nothing to back up"):
        create_backup(tmp_path / "saved", tmp_path / "nowhere", None)
    with pytest.raises(UserError, match="there is no file"):
        restore_backup(tmp_path / "nowhere", tmp_path / "new", tmp_path / "key")


def test_a_place_that_cannot_be_written_is_one_line(state, tmp_path):
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file" / "saved", tmp_path / "mistyped" / "saved"):
        with pytest.raises(UserError, match="there is no folder"):
            create_backup(place, state, None)
    assert not (tmp_path / "mistyped").exists()
