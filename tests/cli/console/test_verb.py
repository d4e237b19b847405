import contextlib
import os
import signal
import subprocess
import sys

import httpx2 as httpx
import pytest

from ledger.samples import entry
from modicum.ledger.opening import open_store
from modicum.settings import Settings, ledger_place


@contextlib.contextmanager
def console(*words):
    """The console as a process of its own; gives its address."""
    process = subprocess.Popen(
        [sys.executable, "-m", "modicum", "console", "--listen", "127.0.0.1:0", *map(str, words)],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ},
    )
    line = ""
    while not line.startswith("console on "):
        line = process.stderr.readline()
        assert line, "it ended"
    yield line.split()[2].rstrip(",/")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 0


def test_other_verbs_use_the_ledger_that_it_shows(modicum):
    store = open_store(ledger_place(Settings()))
    store.append([entry("c1", "1.25")])
    store.close()

    with console() as url:
        shown = httpx.get(f"{url}/overview", timeout=30).text
        bill = modicum("bill", "--json").json
        assert modicum("console", "--listen", url.removeprefix("http://")).status == 2

    assert "$1.25" in shown
    assert bill["cost_usd"] == 1.25


def test_logs_are_shown_and_put_into_no_ledger(modicum, transcripts):
    expected = modicum("bill", transcripts, "--json").json
    with console(transcripts) as url:
        csv = httpx.get(f"{url}/overview/spend-by-model.csv", timeout=30).text

    assert {line.split(",")[0] for line in csv.splitlines()[1:]} == {row["name"] for row in expected["rows"]}
    assert "holds no calls" in modicum("bill").err


@pytest.mark.parametrize(("listen", "part"), [("0.0.0.0:80", "ssh -L"), ("nowhere", "no address")])
def test_where_it_may_not_listen_is_said(modicum, listen, part):
    ran = modicum("console", "--listen", listen)

    assert ran.status == 2
    assert part in ran.err
