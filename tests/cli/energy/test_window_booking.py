import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from energy.command import run
from energy.fake_server import FakeServer
from insights.test_energy_consumption import window
from ledger_process.test_process import LedgerProcess
from modicum.cli.energy.window_booking import append_windows, book_spooled_windows, open_live_booking, spool_folder
from modicum.ledger.opening import open_store
from modicum.ledger.records import ENERGY_WINDOWS
from modicum.settings import data_folder, state_folder

TESTS = Path(__file__).parent.parent.parent
WATCHED = """
from energy.test_watch import moving_gpu
from modicum.cli import main
from modicum.energy.meters import nvml
import sys

nvml.library = lambda: moving_gpu()._nvml
main(sys.argv[1:])
"""


def watching(server, *args):
    """`energy watch` in a process of its own, with a GPU that counts."""
    words = [sys.executable, "-c", WATCHED, "energy", "watch", "--server", server.url, "--interval", "0.05", *args]
    return subprocess.Popen(
        words, env=os.environ | {"PYTHONPATH": str(TESTS)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def until(happened, seconds=30):
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end
        threading.Event().wait(0.02)


def some_work(server):
    """Tokens for a moment: work that begins and ends closes windows."""
    import urllib.request

    asked = json.dumps({"prompt": "a b c", "max_tokens": 100}).encode()
    with urllib.request.urlopen(urllib.request.Request(server.url + "/v1/completions", asked)) as reply:  # noqa: S310
        reply.read()


def windows_in(place):
    store = open_store(str(place))
    try:
        return store.records(ENERGY_WINDOWS, datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))
    finally:
        store.close()


def in_spool():
    return [line for path in spool_folder(None).glob("*.jsonl") for line in path.read_text().splitlines()]


def test_a_watch_that_is_killed_has_its_closed_windows_on_disk_and_the_next_command_books_them(capsys):
    with FakeServer() as server:
        watch = watching(server)
        until(lambda: list(spool_folder(None).glob("*.jsonl")))
        some_work(server)
        until(lambda: len(in_spool()) >= 2)
        watch.send_signal(signal.SIGKILL)
        watch.communicate(timeout=10)
    closed = len(in_spool())
    run(capsys, "energy", "calls")
    booked = len(windows_in(data_folder() / "ledger.duckdb"))

    assert booked == closed >= 2
    assert in_spool() == []


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_books_the_window_under_way_too(sign, tmp_path):
    log = tmp_path / "run.jsonl"
    with FakeServer() as server:
        watch = watching(server, "--log", str(log), "--json")
        until(lambda: log.exists() and len(log.read_text().splitlines()) > 8)
        watch.send_signal(sign)
        out, err = watch.communicate(timeout=30)
    told = json.loads(out)

    assert watch.returncode == 1, err  # no token was generated
    assert told["booked"]["new"] == len(windows_in(data_folder() / "ledger.duckdb")) >= 1
    assert in_spool() == []


def test_a_ledger_that_a_console_holds_is_asked_over_http(home):
    folder = state_folder()
    folder.mkdir(parents=True)
    (folder / "ledger.duckdb").symlink_to(folder / "x")  # no other way in
    (folder / "ledger.duckdb").unlink()

    with LedgerProcess(folder):
        found = append_windows(str(folder / "ledger.duckdb"), [window()])
        again = append_windows(str(folder / "ledger.duckdb"), [window()])

    assert (found.new, again.unchanged) == (1, 1)
    assert windows_in(folder / "ledger.duckdb") == [window()]


def test_a_ledger_that_cannot_be_opened_loses_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr("modicum.energy.live_booking.AGAIN_AFTER_S", 0.0)
    place = tmp_path / "ledger.duckdb"
    place.mkdir()

    async def go():
        async with open_live_booking(str(place)) as booking:
            booking.add([window()])
        return booking

    booking = asyncio.run(go())
    place.rmdir()

    assert booking.waiting == 1
    assert str(place) in booking.problem
    assert book_spooled_windows(str(place)) == 1
    assert book_spooled_windows(str(place)) == 0
    assert windows_in(place) == [window()]


def test_windows_wait_for_the_ledger_that_they_were_meant_for():
    assert spool_folder("a.duckdb") != spool_folder("b.duckdb")
    assert "secret" not in str(spool_folder("clickhouse://u:secret@h/d"))


def test_a_live_watch_that_cannot_book_says_where_its_windows_are(tmp_path, capsys, monkeypatch):
    from energy.test_watch import moving_gpu

    monkeypatch.setattr("modicum.energy.meters.nvml.library", lambda: moving_gpu()._nvml)
    monkeypatch.setattr("modicum.energy.live_booking.AGAIN_AFTER_S", 0.0)
    args = ["energy", "watch", "--seconds", 0.5, "--interval", 0.05, "--ledger", "mysql://x"]
    with FakeServer() as server:
        code, out, err = run(capsys, *args, "--server", server.url)

    assert code == 2
    assert "joules per generated token" in out
    assert "are kept in" in err
