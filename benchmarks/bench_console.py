"""The console over a million calls: how soon pages are ready, how large a first visit is, what 50 viewers cost."""

import argparse
import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import httpx2 as httpx
import msgspec

from bench_ledger import BATCH, batches
from measured import machine, report
from modicum.calls import Call, Owner, Usage
from modicum.ledger.journal import Journal, Record
from modicum.ledger.opening import open_store
from modicum.outbound.listener import bind_listener

PAGES = ("overview", "where?by=team", "where?by=user", "tasks", "models", "budgets", "log")
VIEWERS = 50
ROUNDS = 3
SHIPPED = 20_000
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def free_port():
    bound = bind_listener("bench", "127.0.0.1", 0)
    port = bound.getsockname()[1]
    bound.close()
    return port


class Running:
    """`modicum up` over a ledger, with its console."""

    def __init__(self, folder, ledger):
        self.folder = folder
        self.pages, self.api, gateway = free_port(), free_port(), free_port()
        (folder / "modicum.toml").write_text(
            f'ledger = "{ledger}"\ntimezone = "Europe/Berlin"\n[gateway]\nlisten = "127.0.0.1:{gateway}"\n'
            f'[console]\nlisten = "127.0.0.1:{self.api}"\npages_listen = "127.0.0.1:{self.pages}"\n'
        )
        self.environment = {
            **os.environ,
            "MODICUM_CONFIG": str(folder / "modicum.toml"),
            "HOME": str(folder),
            **{f"XDG_{name}_HOME": str(folder / name.lower()) for name in ("DATA", "CONFIG", "CACHE")},
        }
        self.url = f"http://127.0.0.1:{self.pages}"
        self.process = None

    def __enter__(self):
        words = [sys.executable, "-m", "modicum", "up"]
        self.process = subprocess.Popen(words, env=self.environment, stderr=subprocess.DEVNULL)
        for url in (f"{self.url}/healthz", f"http://127.0.0.1:{self.api}/readyz"):
            until_answered(url)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(60)

    @property
    def journal(self):
        return self.folder / "data" / "modicum" / "gateway" / "journal"

    def cpu_s(self, part):
        """CPU seconds of one of its processes."""
        listed = subprocess.run(
            ["ps", "-o", "pid,args", "--ppid", f"{self.process.pid}", "-ww"], capture_output=True, text=True, check=True
        ).stdout
        for line in listed.splitlines()[1:]:
            pid, _, args = line.strip().partition(" ")
            if f"--part {part}" in args:
                fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        raise SystemExit(f"there is no part {part}")


def until_answered(url, seconds=120):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if httpx.get(url, timeout=60).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.1)
    raise SystemExit(f"{url} does not answer")


def measure_pages(running):
    """Seconds until each page has come, the first time that anybody asks and once more; and CPU seconds of the first
    time, of both processes together.
    """
    first, again, cpu = {}, {}, {}
    for times in (first, again):
        for page in PAGES:
            began, before = time.perf_counter(), running.cpu_s("ledger") + running.cpu_s("console")
            reply = httpx.get(f"{running.url}/{page}", timeout=120)
            times[page] = time.perf_counter() - began
            cpu.setdefault(page, running.cpu_s("ledger") + running.cpu_s("console") - before)
            if reply.status_code != 200:
                raise SystemExit(f"{page}: {reply.status_code} {reply.text[-500:]}")
    return first, again, cpu


def measure_in_browser(url):
    """Seconds until a browser has the page ready to read, and what the first visit weighs."""
    name = os.environ.get("MODICUM_BROWSER") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if name is None:
        return {}
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=name, args=["--no-sandbox"])
        seconds, sizes = [], []
        for _ in range(3):
            page = browser.new_context().new_page()
            received = []
            page.on("response", lambda reply, received=received: received.append(len(reply.body())))
            began = time.perf_counter()
            page.goto(f"{url}/overview", wait_until="load")
            page.locator(".tile b").first.wait_for()
            seconds.append(time.perf_counter() - began)
            sizes.append(sum(received))
            page.context.close()
        browser.close()
    return {"page_ready_s": statistics.median(seconds), "page_kb_first_visit": max(sizes) / 1000}


def put_into_journal(running, first, count):
    """Calls as gateways leave them, in a journal of their own."""

    async def write():
        journal = Journal(running.journal, name="bench")
        at = datetime.now(UTC)
        for start in range(first, first + count, 500):
            writing = []
            for number in range(start, min(start + 500, first + count)):
                call = Call(
                    call_id=f"gateway:bench-{number}",
                    source="gateway",
                    provider="openai",
                    model="gpt-4o-mini",
                    started=at,
                    finished=at,
                    usage=Usage(900, 100, output_visible=50),
                    owner=Owner(team=f"team-{number % 12}"),
                )
                writing.append(journal.append(Record(f"{number}", "call", msgspec.msgpack.encode(call))))
            await asyncio.gather(*writing)
        journal.close()

    asyncio.run(write())


def until_shown(running, count, seconds=120):
    """When the ledger has booked so many calls of ours, by its own answer."""
    from modicum.ledger_process.client import LedgerProcessStore
    from modicum.ledger_process.running import find

    store = LedgerProcessStore(find(running.journal.parent))
    since = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        rows = store.ask(
            "bill", by="source", tag="", zone="UTC", since=since, until=datetime(2200, 1, 1, tzinfo=UTC), where={}
        )
        if sum(row["calls"] for row in rows if row["name"] == "gateway") >= count:
            return
        time.sleep(0.25)
    raise SystemExit("calls were not shipped")


def measure_live(running, first):
    """Seconds from a call in the journal to its count on a page that is looked at each second."""
    url = f"{running.url}/overview"
    before = live_calls(httpx.get(url, timeout=60).text)
    began = time.perf_counter()
    put_into_journal(running, first, 1)
    while time.perf_counter() - began < 60:
        if live_calls(httpx.get(url, timeout=60).text) != before:
            return time.perf_counter() - began
        time.sleep(1)
    raise SystemExit("the page does not show the call")


def live_calls(text):
    return text.partition("in the last minute</span>")[2].partition("<b>")[2].partition("</b>")[0]


class Viewers:
    """People who look at the first page, each asking every second whether it has changed, as the page's script does."""

    def __init__(self, url, count):
        self._url, self._count, self._end = url, count, threading.Event()
        self.asked = 0
        self.slowest_s = 0.0

    def __enter__(self):
        self._thread = threading.Thread(target=lambda: asyncio.run(self._look()))
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()

    async def _look(self):
        async with httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_connections=self._count)) as client:
            await asyncio.gather(*(self._look_as_one(client, number / self._count) for number in range(self._count)))

    async def _look_as_one(self, client, wait):
        await asyncio.sleep(wait)
        tag = ""
        while not self._end.is_set():
            began = time.perf_counter()
            reply = await client.get(f"{self._url}/overview", headers={"if-none-match": tag} if tag else {})
            tag = reply.headers.get("etag", "")
            self.asked += 1
            self.slowest_s = max(self.slowest_s, time.perf_counter() - began)
            await asyncio.sleep(1)


def measure_viewers(running, first):
    """Shipping with nobody looking and with 50 people looking, in turns: CPU of the ledger process and seconds."""
    figures = {"alone": [], "viewed": []}
    looked = slowest = 0
    for turn in range(2 * ROUNDS):
        kind = "viewed" if turn % 2 else "alone"
        put_into_journal(running, first, SHIPPED)
        began, before = time.perf_counter(), running.cpu_s("ledger")
        if kind == "viewed":
            with Viewers(running.url, VIEWERS) as viewers:
                until_shown(running, first + SHIPPED)
                figures[kind].append((time.perf_counter() - began, running.cpu_s("ledger") - before))
            looked, slowest = looked + viewers.asked, max(slowest, viewers.slowest_s)
        else:
            until_shown(running, first + SHIPPED)
            figures[kind].append((time.perf_counter() - began, running.cpu_s("ledger") - before))
        first += SHIPPED
    return figures, looked, slowest


def measure_watching_cost(running, seconds=20):
    """CPU of the ledger process while 50 people look and nothing is shipped, as a share of one core."""
    before = running.cpu_s("ledger"), running.cpu_s("console"), time.perf_counter()
    with Viewers(running.url, VIEWERS) as viewers:
        time.sleep(seconds)
    took = time.perf_counter() - before[2]
    return {
        "viewers_ledger_core_share": (running.cpu_s("ledger") - before[0]) / took,
        "viewers_console_core_share": (running.cpu_s("console") - before[1]) / took,
        "viewers_asked": viewers.asked,
        "viewers_slowest_s": viewers.slowest_s,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--data", type=Path, help="a folder in which the synthetic ledger is kept for the next time")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="modicum-bench-"))
    try:
        report(measure(folder, options.entries, options.data), as_json=options.json)
    finally:
        shutil.rmtree(folder)


def made_ledger(folder, count, kept):
    """A ledger with so many calls, made anew or taken from the folder."""
    place = folder / "ledger.duckdb"
    model = kept / f"console-{count}.duckdb" if kept else None
    if model is not None and model.exists():
        shutil.copy(model, place)
        return place
    store = open_store(str(place))
    for batch in batches(count):
        store.append(batch)
    store.close()
    if model is not None:
        kept.mkdir(parents=True, exist_ok=True)
        shutil.copy(place, model)
    return place


def measure(folder, count, kept):
    ledger = made_ledger(folder, count, kept)
    with Running(folder, ledger) as running:
        first, again, cpu = measure_pages(running)
        shown = measure_in_browser(running.url)
        live = [measure_live(running, number) for number in range(3)]
        cost = measure_watching_cost(running)
        figures, looked, slowest = measure_viewers(running, 3)
    alone, viewed = ([statistics.median(one[place] for one in figures[kind]) for place in (0, 1)] for kind in figures)
    return {
        "entries": count,
        **shown,
        "first_answer_s": max(first.values()),
        "first_answer_of": max(first, key=first.get),
        "again_s": max(again.values()),
        **{f"first_{page.partition('?')[0]}_{page.rpartition('=')[2]}_s": took for page, took in first.items()},
        "first_answer_cpu_s": max(cpu.values()),
        "live_update_s": statistics.median(live),
        **cost,
        "ship_alone_s": alone[0],
        "ship_viewed_s": viewed[0],
        "ship_alone_cpu_s": alone[1],
        "ship_viewed_cpu_s": viewed[1],
        "shipping_slowed": max(0.0, viewed[1] - alone[1]) / viewed[0],
        "shipping_slowed_wall": viewed[0] / alone[0] - 1,
        "asked_while_shipping": looked,
        "slowest_while_shipping_s": slowest,
        "batch": BATCH,
        "machine": machine(),
    }


if __name__ == "__main__":
    main()
