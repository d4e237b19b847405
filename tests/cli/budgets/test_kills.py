"""A budget under `modicum up` whose processes are killed while many callers use it."""

import json
import os
import signal
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import httpx2 as httpx
import pytest

from cli.process_rig import WORDS, eventually, free_port, part, ready, run_modicum
from modicum.governance.budgets import NANO, RESERVED_TAG, Amounts
from modicum.library import resources

LIMIT_USD = 0.014
CALLERS = 24
CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 300}


def call_once(url, key):
    """A call that ends with its gateway."""
    headers = {"authorization": f"Bearer {key}", "x-mock-delay-ms": "600000"}
    with pytest.raises(httpx.HTTPError):
        httpx.post(url, json=CHAT, headers=headers, timeout=120)


def shown(figure):
    return json.loads(run_modicum("budget", "show", "--json"))["budgets"][0][figure]


def call_until(stop, url, key, seed, statuses):
    """Whole and streamed calls, one after the other."""
    headers = {"authorization": f"Bearer {key}", "x-mock-output-tokens": "250", "x-mock-delay-ms": "30"}
    while not stop.is_set():
        try:
            reply = httpx.post(url, json=CHAT | {"stream": seed % 2 == 0}, headers=headers, timeout=20)
            statuses.append(reply.status_code)
        except httpx.HTTPError:
            statuses.append(0)
        if statuses[-1] != 200:
            stop.wait(0.05)


def test_a_budget_outlives_kills_of_the_gateway_and_of_the_ledger_process(tmp_path):
    folder = tmp_path / "work"
    mock, gateway, console = free_port(), free_port(), free_port()
    settings = run_modicum("mock", "--settings", "--listen", f"127.0.0.1:{mock}")
    (folder / "modicum.toml").write_text(
        f'{settings}\n[gateway]\nlisten = "127.0.0.1:{gateway}"\n'
        f'[console]\npages_listen = ""\nlisten = "127.0.0.1:{console}"\n'
        f'[[budget]]\nname = "all"\nper = "ever"\nlimit_usd = {LIMIT_USD}\n'
    )
    key = json.loads(run_modicum("key", "create", "ci", "--json"))["key"]
    url, statuses, stop = f"http://127.0.0.1:{gateway}", [], threading.Event()
    with (
        subprocess.Popen([*WORDS, "mock", "--listen", f"127.0.0.1:{mock}"], stderr=subprocess.DEVNULL) as provider,
        subprocess.Popen([*WORDS, "up"], stderr=subprocess.DEVNULL) as up,
        ThreadPoolExecutor(CALLERS + 1) as pool,
    ):
        try:
            ready(f"{url}/readyz")
            ready(f"http://127.0.0.1:{console}/readyz")
            url = f"{url}/v1/chat/completions"
            long = pool.submit(call_once, url, key)
            eventually(lambda: shown("reserved"))  # it is under way, and the gateway will be killed before it ends
            for seed in range(CALLERS):
                pool.submit(call_until, stop, url, key, seed, statuses)
            for name, calls in (("ledger", 20), ("gateway", 40)):
                eventually(lambda calls=calls: statuses.count(200) >= calls)
                os.kill(eventually(lambda name=name: part(up.pid, name)), signal.SIGKILL)
            eventually(lambda: statuses[-40:].count(402) >= 35)
            eventually(lambda: shown("left") < 0.0004)  # not one more call, once the ledger has the last of them
        finally:
            stop.set()
            up.send_signal(signal.SIGTERM)
            up.wait(60)
            provider.kill()  # it would wait for its long reply

    long.result()
    with resources.open_ledger(None) as store:
        entries = [entry for batch in store.entries() for entry in batch]
    known = sum((entry.cost.usd for entry in entries if entry.cost.usd is not None), Decimal(0)) * NANO
    unknown = [Amounts.parse(entry.call.tags.get(RESERVED_TAG, "")) for entry in entries if entry.cost.usd is None]
    kept = sum(amounts.nano_usd for amounts in unknown)
    assert len(entries) >= statuses.count(200)  # no call that was answered is lost
    assert kept > 0  # the long call was under way when its process was killed
    assert known + kept <= LIMIT_USD * NANO
