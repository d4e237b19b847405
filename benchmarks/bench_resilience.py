"""Calls that succeed, and how much later, when an upstream fails: with and without retries and fallbacks."""

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import httpx2 as httpx
import msgspec

import measured
from fault_lives import free_ports
from modicum.calls import Call

FAULTS = ("rate_limited", "overloaded", "server_error", "broken_off", "garbage", "empty", "silent", "dead")
"""Of `modicum mock`, of which `PERCENT` calls have them; `dead`: nobody listens there."""
PERCENT = 30
POLICIES = {
    "nothing": "",
    "retries": "retries = 2\n",
    "fallback": 'fallbacks = ["backup/gpt-4o-mini"]\n',
    "retries, then fallback": 'retries = 2\nfallbacks = ["backup/gpt-4o-mini"]\n',
    "another provider": 'fallbacks = ["claude/claude-haiku-4-5"]\n',
}
FIRST_BYTE_S = 1.0
CALLERS = 4


class Tally(NamedTuple):
    calls: int
    succeeded: int
    ms: list[float]
    """Of those that succeeded."""

    def plus(self, other: "Tally") -> "Tally":
        return Tally(self.calls + other.calls, self.succeeded + other.succeeded, self.ms + other.ms)

    def at(self, share: float) -> float:
        ordered = sorted(self.ms)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else float("nan")


def settings_text(folder: Path, gateway: int, console: int, mock: int, dead: int) -> str:
    base = f"http://127.0.0.1:{mock}/v1"
    policies = "".join(
        f'[[resilience]]\nname = "{name}"\nkey = "{name}"\nfirst_wait_s = 0.05\nmost_wait_s = 2.0\n{text}'
        for name, text in POLICIES.items()
    )
    return f"""\
ledger = "{folder}/ledger.duckdb"
[gateway]
listen = "127.0.0.1:{gateway}"
[console]
pages_listen = ""
listen = "127.0.0.1:{console}"
[upstreams.main]
url = "{base}"
speaks = "openai"
provider = "openai"
pass_headers = ["x-mock-*"]
models = ["gpt-*"]
first_byte_s = {FIRST_BYTE_S}
retry_share = 1.0
[upstreams.dead]
url = "http://127.0.0.1:{dead}/v1"
speaks = "openai"
provider = "openai"
models = ["dead"]
[upstreams.backup]
url = "{base}"
speaks = "openai"
provider = "openai"
models = ["only-as-fallback"]
[upstreams.claude]
url = "{base}"
speaks = "anthropic"
provider = "anthropic"
models = ["claude-*"]
{policies}"""


def is_complete(reply: httpx.Response, *, stream: bool) -> bool:
    """Whether a program would go on with it."""
    if reply.status_code != 200:
        return False
    if stream:
        return "data: [DONE]" in reply.text and '"error"' not in reply.text
    try:
        return bool(reply.json()["choices"][0]["message"]["content"])
    except (ValueError, KeyError, IndexError, TypeError):
        return False


def tally(url: str, key: str, fault: str, calls: int, *, stream: bool) -> Tally:
    headers = {"authorization": f"Bearer {key}"}
    if fault not in {"", "dead"}:
        headers |= {"x-mock-fault": fault, "x-mock-fault-percent": f"{PERCENT}"}
    body = {"model": "dead" if fault == "dead" else "gpt-4o-mini", "stream": stream}
    body["messages"] = [{"role": "user", "content": "What is the capital of France?"}]

    def one(client: httpx.Client) -> float | None:
        began = time.perf_counter()
        try:
            reply = client.post(f"{url}/v1/chat/completions", json=body, headers=headers, timeout=30)
        except httpx.HTTPError:
            return None
        return (time.perf_counter() - began) * 1000 if is_complete(reply, stream=stream) else None

    def work(count: int) -> list[float | None]:
        with httpx.Client() as client:
            return [one(client) for _ in range(count)]

    with ThreadPoolExecutor(CALLERS) as pool:
        every = [ms for some in pool.map(work, [calls // CALLERS] * CALLERS) for ms in some]
    return Tally(len(every), sum(ms is not None for ms in every), [ms for ms in every if ms is not None])


def records_of(folder: Path) -> list[Call]:
    records = []
    for path in (folder / "data").rglob("journal/*.sqlite"):
        base = sqlite3.connect(path)
        rows = base.execute("SELECT body FROM records WHERE kind = 'call'").fetchall()
        base.close()
        records += [msgspec.msgpack.decode(body, type=Call) for (body,) in rows]
    return records


def wait_for(url: str) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            if httpx.get(url, timeout=2).status_code == 200:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.1)
    raise SystemExit(f"{url} does not answer")


def measure(folder: Path, calls: int) -> tuple[dict[tuple[str, str, bool], Tally], int, list[Call]]:
    gateway, console, mock, dead = free_ports(4)
    environment = os.environ | {
        "MODICUM_CONFIG": str(folder / "modicum.toml"),
        "XDG_DATA_HOME": str(folder / "data"),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "HOME": str(folder),
    }
    (folder / "modicum.toml").write_text(settings_text(folder, gateway, console, mock, dead))
    modicum = [sys.executable, "-m", "modicum"]
    url, tallies, uncounted = f"http://127.0.0.1:{gateway}", {}, 0

    def key(name: str) -> str:
        made = subprocess.run(
            [*modicum, "key", "create", name, "--json"], env=environment, check=True, capture_output=True, text=True
        )
        return json.loads(made.stdout)["key"]

    with (folder / "log").open("ab") as log:
        started = [
            subprocess.Popen([*modicum, *words], env=environment, stdout=log, stderr=log)
            for words in (("mock", "--listen", f"127.0.0.1:{mock}"), ("up",))
        ]
    try:
        wait_for(f"{url}/readyz")
        keys = {name: key(name) for name in POLICIES}
        time.sleep(1.5)  # until the gateway has read the last of them
        for stream in (False, True):
            tally(url, keys["nothing"], "", calls, stream=stream)  # what comes first is slower
            uncounted += calls // CALLERS * CALLERS
            base = tallies["", "nothing", stream] = Tally(0, 0, [])
            for fault in FAULTS:
                base = base.plus(tally(url, keys["nothing"], "", calls, stream=stream))
                tallies["", "nothing", stream] = base
                for name in POLICIES:
                    tallies[fault, name, stream] = tally(url, keys[name], fault, calls, stream=stream)
    finally:
        for process in reversed(started):
            process.terminate()
        for process in reversed(started):
            process.wait(60)
    return tallies, uncounted + sum(one.calls for one in tallies.values()), records_of(folder)


def figures(tallies: Mapping[tuple[str, str, bool], Tally]) -> dict[str, object]:
    found: dict[str, object] = {}
    for (fault, name, stream), one in tallies.items():
        base = tallies["", "nothing", stream]
        key = f"{fault or 'no_fault'}/{name}/{'stream' if stream else 'whole'}"
        found[f"{key}/success"] = round(one.succeeded / one.calls, 3)
        if one.ms:
            found[f"{key}/added_p50_ms"] = round(one.at(0.5) - base.at(0.5), 1)
            found[f"{key}/added_p99_ms"] = round(one.at(0.99) - base.at(0.99), 1)
    return found


def table(tallies: Mapping[tuple[str, str, bool], Tally], stream: bool) -> str:
    lines = [f"| fault | {' | '.join(POLICIES)} |", f"|---|{'---|' * len(POLICIES)}"]
    base = tallies["", "nothing", stream]
    for fault in FAULTS:
        cells = []
        for name in POLICIES:
            one = tallies[fault, name, stream]
            cell = f"{one.succeeded / one.calls:.0%}"
            if one.ms:
                cell += f", {one.at(0.5) - base.at(0.5):+.0f} / {one.at(0.99) - base.at(0.99):+.0f} ms"
            cells.append(cell)
        lines.append(f"| {fault} | {' | '.join(cells)} |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder for what runs leave behind; a temporary one if not set")
    parser.add_argument("--calls", type=int, default=100, help="of each cell")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.data or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        tallies, made, records = measure(folder, options.calls)
    found = figures(tallies)
    found["calls_made"] = made
    found["calls_on_record"] = sum(record.calls_count for record in records)
    found["attempts_on_record"] = sum(not record.calls_count for record in records)
    measured.report(found, as_json=options.json)
    if not options.json:
        for stream in (False, True):
            print(f"\n{'streams' if stream else 'whole replies'}: success, added p50 / p99\n\n{table(tallies, stream)}")


if __name__ == "__main__":
    main()
