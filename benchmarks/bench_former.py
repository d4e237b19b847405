"""CPU per call of the gateway in this version of the source and in a former one, in alternating rounds.

scripts/bench former --former DIR [--rounds 7] [--calls 3000] [--governed]; DIR holds the former `src` (git archive
COMMIT src).

Counted user time of the gateway's process from /proc, per call: what else runs hardly changes it. Calls of one path
that nothing translates, whole and streamed, by 8 callers at once; a canned upstream; `durable = "process"`, so that no
disk is waited for. `--governed`: with the budgets and limits of `scripts/bench gateway --governed`.
"""

import argparse
import asyncio
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).parent))
import bench_gateway
import load
import measured

HERE = Path(__file__).parent
CALLERS = 8
KINDS = {"call": False, "stream": True}


class UserTime(bench_gateway.Running):
    """A gateway whose user time alone is counted."""

    def cpu_s(self, part=None):
        total = 0
        for pid in self.pids(part):
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            total += int(fields[11])
        return total / bench_gateway.TICKS


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def start(name, source, folder, stub, *, governed=False):
    folder.mkdir()
    port = free_port()
    pages = 'pages_listen = ""\n' if name == "now" else ""  # a former version may not know it
    (folder / "modicum.toml").write_text(
        f'ledger = "{folder}/ledger.duckdb"\n[gateway]\nlisten = "127.0.0.1:{port}"\nown_keys = false\n'
        f'durable = "process"\n[console]\n{pages}listen = "127.0.0.1:{free_port()}"\n'
        f'[upstreams.stub]\nurl = "http://127.0.0.1:{stub}/v1"\nspeaks = "openai"\nprovider = "openai"\n'
        + (bench_gateway.GOVERNED if governed else "")
    )
    names = {"XDG_DATA_HOME": "data", "XDG_CONFIG_HOME": "config", "XDG_CACHE_HOME": "cache", "HOME": "home"}
    environment = {name: str(folder / place) for name, place in names.items()}
    environment |= {"MODICUM_CONFIG": str(folder / "modicum.toml"), "PYTHONPATH": str(source)}
    words = [sys.executable, "-m", "modicum"]
    made = subprocess.run(
        [*words, "key", "create", "bench", "--json"],
        env=os.environ | environment,
        check=True,
        capture_output=True,
        text=True,
    )
    key = json.loads(made.stdout)["key"]
    return UserTime(name, [*words, "up"], port, key=key, environment=environment, part="gateway")


async def user_ms(gateway, data, calls):
    """Of one call, over so many."""
    request = gateway.request(data)
    before, left = gateway.cpu_s(), iter(range(calls))

    async def work():
        caller = await load.connect(gateway.port)
        for _ in left:
            status, *_ = await caller.ask(request)
            if status != 200:
                raise SystemExit(f"{gateway.name} answers {status}")
        caller.transport.close()

    await asyncio.gather(*(work() for _ in range(CALLERS)))
    return (gateway.cpu_s() - before) / calls * 1000


async def in_turn(arguments, gateways):
    """User time of a call by kind and version, round by round."""
    found = {(kind, gateway.name): [] for kind in KINDS for gateway in gateways}
    for gateway in gateways:
        await bench_gateway.answers(gateway)
    for turn in range(arguments.rounds + 1):
        for kind, stream in KINDS.items():
            for gateway in gateways if turn % 2 else reversed(gateways):
                used = await user_ms(gateway, bench_gateway.body(1000, stream=stream), arguments.calls)
                if turn:  # the first is for warming up
                    found[kind, gateway.name].append(used)
    return found


def figures_of(found):
    figures = {}
    for kind in KINDS:
        now, former = found[kind, "now"], found[kind, "former"]
        ratios = sorted(one / other for one, other in zip(now, former, strict=True))
        figures |= {
            f"user_ms_per_{kind}_now": statistics.median(now),
            f"user_ms_per_{kind}_former": statistics.median(former),
        }
        figures |= {
            f"{kind}_ratio": statistics.median(ratios),
            f"{kind}_ratio_least": ratios[0],
            f"{kind}_ratio_most": ratios[-1],
        }
    return figures


def measure(arguments, folder):
    stub = free_port()
    upstream = subprocess.Popen([sys.executable, HERE / "upstream_stub.py", str(stub)])
    sources = {"now": HERE.parent / "src", "former": Path(arguments.former).resolve() / "src"}
    gateways = [
        start(name, source, folder / name, stub, governed=arguments.governed) for name, source in sources.items()
    ]
    try:
        figures = figures_of(uvloop.run(in_turn(arguments, gateways)))
    finally:
        for gateway in gateways:
            gateway.stop()
        upstream.terminate()
        upstream.wait(10)
    told = {"governed": arguments.governed, "rounds": arguments.rounds, "calls": arguments.calls}
    return figures | told | {"machine": measured.machine()}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--former", required=True, help="a folder with the former src")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--calls", type=int, default=3000)
    parser.add_argument("--governed", action="store_true", help="with budgets and limits that every call fits into")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--data", help="not used")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(arguments, Path(folder))
    measured.report(figures, as_json=arguments.json)


if __name__ == "__main__":
    main()
