"""Files that vanish or break under a gateway that runs: its log, `/readyz` and its callers are told at once."""

import json
import shutil
import sqlite3
import time
from datetime import UTC, datetime, timedelta

import httpx2 as httpx
import msgspec
import pytest

from gateway.rig import CHAT, Rig, running, usual
from ledger.faults import garbage
from modicum.gateway.process.troubles import Troubles
from modicum.ledger.journal import Record


@pytest.fixture(autouse=True)
def impatience(monkeypatch):
    monkeypatch.setattr("modicum.gateway.process.server.LOOK_EVERY_S", 0.02)
    monkeypatch.setattr("modicum.ledger.journal.FLUSH_EVERY_S", 0.02)


def wait_until(condition, seconds=10.0):
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until
        time.sleep(0.02)
    return found


def ready(rig):
    reply = httpx.get(f"{rig.url}/readyz")
    return reply.status_code, reply.text


def asked(rig):
    return httpx.post(f"{rig.url}/v1/chat/completions", json=CHAT, headers=rig.headers())


def unready(rig):
    return wait_until(lambda: (said := ready(rig))[0] == 503 and said[1])


def events_in(log):
    return [json.loads(line) for line in log.splitlines() if line.startswith("{")]


class Logged:
    """What was logged so far."""

    def __init__(self, capfd):
        self._capfd, self._text = capfd, ""

    def troubles(self):
        self._text += self._capfd.readouterr().err
        return {line["what"] for line in events_in(self._text) if line["event"] == "trouble"}

    def ends(self):
        self._text += self._capfd.readouterr().err
        return {line["what"] for line in events_in(self._text) if line["event"] == "trouble_over"}


def test_a_trouble_is_told_once_and_so_is_its_end(capfd):
    troubles = Troubles()
    for reason in ("", "gone", "gone", "broken", "", ""):
        troubles.tell("keys", reason)

    told = [(line["event"], line.get("reason")) for line in events_in(capfd.readouterr().err)]
    assert told == [("trouble", "gone"), ("trouble", "broken"), ("trouble_over", None)]


def test_a_data_folder_that_is_deleted_is_said_at_once_and_no_reply_goes_without_its_record(tmp_path, capfd):
    folder, logged = tmp_path / "state", Logged(capfd)
    with running(folder) as rig:
        assert (ready(rig)[0], asked(rig).status_code) == (200, 200)
        folder.rename(tmp_path / "deleted")  # at once: while it empties, the gateway would write into it
        shutil.rmtree(tmp_path / "deleted")

        unready(rig)
        assert asked(rig).status_code == 503
        wait_until(lambda: {"journal", "keys"} <= logged.troubles())
        said = unready(rig)

    assert str(folder / "journal" / "gateway.sqlite") in said
    assert "restart 'modicum up'" in said


def test_a_folder_that_comes_back_is_gone_on_with(tmp_path, capfd):
    folder, logged = tmp_path / "state", Logged(capfd)
    with running(folder) as rig:
        folder.rename(tmp_path / "away")
        unready(rig)
        wait_until(logged.troubles)
        (tmp_path / "away").rename(folder)

        wait_until(lambda: ready(rig)[0] == 200)
        assert asked(rig).status_code == 200
        wait_until(logged.ends)

    assert len(rig.records()) == 1


@pytest.mark.parametrize("settings_there", [True, False])
def test_a_settings_file_that_has_gone_is_said_and_calls_go_on_as_it_was_set(tmp_path, capfd, settings_there):
    file = tmp_path / "modicum.toml"
    file.write_text("one")
    given = []

    def settings(port):
        given.append(port)
        return msgspec.structs.replace(usual()(port), file=str(file), models={"fast": "openai/gpt-4o-mini"})

    with running(tmp_path / "state", settings) as rig:
        wait_until(lambda: ready(rig)[0] == 200)
        file.unlink()
        assert f"the settings file {file} has gone" in unready(rig)
        read = len(given)
        told = httpx.post(
            f"{rig.url}/v1/chat/completions", json=CHAT | {"model": "fast"}, headers=rig.headers()
        ).status_code
        assert (told, len(given)) == (200, read)
        if settings_there:
            file.write_text("two")
            wait_until(lambda: ready(rig)[0] == 200)
            wait_until(lambda: len(given) > read)

    assert "has gone" in capfd.readouterr().err


def test_a_file_of_keys_that_has_gone_is_said_and_keys_in_force_still_serve(tmp_path):
    with running(tmp_path / "state") as rig:
        (tmp_path / "state" / "events.sqlite").unlink()

        assert "the file of keys" in unready(rig)
        assert asked(rig).status_code == 200


def test_a_file_of_keys_that_breaks_is_said_and_the_gateway_goes_on_looking(tmp_path):
    with running(tmp_path / "state") as rig:
        base = sqlite3.connect(tmp_path / "state" / "events.sqlite")
        base.execute("ALTER TABLE events RENAME TO away")
        base.commit()
        assert "no such table: events" in unready(rig)
        base.execute("ALTER TABLE away RENAME TO events")
        base.commit()
        base.close()

        wait_until(lambda: ready(rig)[0] == 200)
        assert asked(rig).status_code == 200


def test_a_gateway_starts_with_a_garbage_journal_and_its_log_names_it(tmp_path, capfd):
    broken = garbage(tmp_path / "journal", "random")
    broken.rename(tmp_path / "journal" / "gateway.sqlite")
    rig = Rig(tmp_path, usual())
    rig.start()
    try:
        assert asked(rig).status_code == 200
        log = wait_until(lambda: "journal_set_aside" in (said := capfd.readouterr().err) and said)
    finally:
        rig.release()
        rig.stop()

    assert len(rig.records()) == 1
    assert str(tmp_path / "journal" / "gateway.sqlite.broken") in log


def test_a_journal_that_breaks_while_it_runs_costs_no_call(tmp_path):
    with running(tmp_path) as rig:
        for number in range(200):
            rig.loop.call_soon_threadsafe(rig.gateway.parts.journal.add, Record(f"{number}", "x", b"x" * 2000))
        assert asked(rig).status_code == 200
        journal = tmp_path / "journal" / "gateway.sqlite"
        base = sqlite3.connect(journal)
        base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        base.close()
        with journal.open("r+b") as file:
            file.write(b"garbage!" * 8192)
        answers = []
        wait_until(lambda: answers.append(asked(rig).status_code) or answers[-1] == 200)

    # What comes in the moment in which a new journal is made is refused before it is sent, to be sent again.
    assert set(answers) <= {503, 200}
    assert len(rig.records()) == 1


@pytest.mark.parametrize("days", [10, -10])
def test_a_clock_that_is_set_while_a_call_is_under_way_changes_no_duration(tmp_path, monkeypatch, days):
    set_by = timedelta(days=days)
    with running(tmp_path) as rig:
        # The call begins by a clock that is put right before it ends.
        monkeypatch.setattr("modicum.gateway.exchange.time", lambda: time.time() - set_by.total_seconds())
        assert asked(rig).status_code == 200
        streamed = rig.headers(x_fixture="openai-chat/usage_in_its_own_chunk.sse")
        httpx.post(f"{rig.url}/v1/chat/completions", json=CHAT | {"stream": True}, headers=streamed).raise_for_status()
        calls = rig.wait_for_records(2)

    assert abs(datetime.now(UTC) - set_by - calls[0].started) < timedelta(hours=1)
    lasted = [moment - call.started for call in calls for moment in (call.first_token, call.finished) if moment]
    assert len(lasted) == 3
    assert all(timedelta(0) <= span < timedelta(hours=1) for span in lasted)
