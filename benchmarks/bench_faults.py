"""Kills, a ledger that is away, a full disk and a bad upstream: is every begun call on record, once, and exactly?

scripts/bench faults [--workers 2] [--kills 50] [--away 60] [--full 10] [--json]
scripts/bench faults --idle 5000 [--json]: idle connections, and callers that send or read slowly

Killed are, in turn and in any order: a worker, the ledger process, the supervisor, a container (a pid namespace, in
which the next life has the same small numbers) and a life that is just starting. After each kill it has to start and
serve again; what is left of a killed life when the next one serves is an orphan.

One process plays both the callers and the upstream, so it knows what was begun, what was finished, and which usage the
upstream gave. `modicum up` runs between them with a ledger of its own in a temporary folder. At the end the ledger is
read and compared, call by call.
"""

import argparse
import asyncio
import errno
import json
import os
import random
import resource
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import load
import measured
from fault_crowds import measure_crowd
from fault_lives import Kills, Modicum, by_kind, planned, why_no_containers

FAULTS = ["none"] * 14 + ["slow", "broken_off", "429", "500", "garbage", "no_usage", "hang_up"]
CONNECTIONS = 16


class Upstream(asyncio.Protocol):
    """Answers as the request's `x-fault` says; remembers what it got, when, and which usage it gave."""

    received: Counter = Counter()  # noqa: RUF012 - one for all connections
    usage: dict = {}  # noqa: RUF012 - one for all connections
    before_kill: dict = {}  # noqa: RUF012 - one for all connections
    kills = None
    number = 0

    def connection_made(self, transport):
        self.transport, self.data = transport, b""

    def data_received(self, data):
        self.data += data
        head, blank, rest = self.data.partition(b"\r\n\r\n")
        if not blank:
            return
        headers = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
        length = int(headers[b"content-length"])
        if len(rest) >= length:
            self.data = rest[length:]
            task, fault = headers[b"x-task"].decode(), headers[b"x-fault"].decode()
            self.replying = asyncio.ensure_future(self.reply(task, fault, rest[:length]))

    async def reply(self, task, fault, body):
        kind = Upstream
        kind.received[task] += 1
        kind.before_kill[task] = kind.kills.done
        kind.number += 1
        number = kind.number
        tokens = {"prompt_tokens": 1000 + number, "completion_tokens": 1 + number % 50}
        head = {"id": f"chatcmpl-{number:029d}", "created": 1, "model": "gpt-4o-mini"}
        await asyncio.sleep(random.random() * 0.05 + (1.0 if fault == "slow" else 0))
        if fault in {"429", "500"}:
            self.whole(json.dumps({"error": {"message": "no", "type": "x", "code": "y"}}).encode(), fault)
        elif fault == "hang_up":
            self.transport.close()
        elif fault == "garbage":
            self.whole(b"{]" * 50, "200")
        elif b'"stream":true' in body:
            await self.stream(head, tokens, fault, task)
        else:
            if fault == "none":
                kind.usage[task] = tokens
            message = {"role": "assistant", "content": "Paris is the capital."}
            told = head | {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
            told |= {} if fault == "no_usage" else {"usage": tokens | {"total_tokens": sum(tokens.values())}}
            self.whole(json.dumps(told).encode(), "200", cut=fault == "broken_off")

    def whole(self, body, status, *, cut=False):
        self.transport.write(f"HTTP/1.1 {status} X\r\ncontent-length: {len(body)}\r\n\r\n".encode())
        self.transport.write(body[: len(body) // 2] if cut else body)
        if cut:
            self.transport.close()

    async def stream(self, head, tokens, fault, task):
        write = self.transport.write
        write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        chunks = [{"choices": [{"index": 0, "delta": {"content": "word "}, "finish_reason": None}]}] * 10
        chunks.append({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        if fault != "no_usage":
            chunks.append({"choices": [], "usage": tokens})
        if fault in {"none", "slow"}:
            Upstream.usage[task] = tokens
        events = [b"data: %b\n\n" % json.dumps(head | chunk).encode() for chunk in chunks] + [b"data: [DONE]\n\n"]
        for number, event in enumerate(events):
            if self.transport.is_closing():
                return
            if fault == "broken_off" and number == 5:
                self.transport.close()
                return
            write(b"%x\r\n%b\r\n" % (len(event), event))
            await asyncio.sleep(0.002)
        write(b"0\r\n\r\n")


class Callers:
    """Sixteen connections that call until told to stop, and remember which replies came in full."""

    def __init__(self, port, key):
        self.port, self.key = port, key
        self.finished = set()
        self.statuses = Counter()
        self.sent = 0
        self.stop = False

    async def run(self):
        await asyncio.gather(*(self.work(number) for number in range(CONNECTIONS)))

    async def work(self, worker):
        caller = None
        while not self.stop:
            try:
                if caller is None or caller.transport.is_closing():
                    caller = await load.connect(self.port)
                await asyncio.wait_for(self.call(caller, worker), 30)
            except (OSError, TimeoutError) as error:
                self.statuses[type(error).__name__] += 1
                if caller is not None:
                    caller.transport.abort()
                caller = None
                await asyncio.sleep(0.05)

    async def call(self, caller, worker):
        self.sent += 1
        task = f"t{worker}-{self.sent}-{random.getrandbits(32):x}"
        fault = random.choice(FAULTS)
        body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": f"capital of {task}?"}]}
        if random.random() < 0.5:
            body["stream"] = True
        data = json.dumps(body, separators=(",", ":")).encode()
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {self.key}\r\n"
            f"x-modicum-task: {task}\r\nx-task: {task}\r\nx-fault: {fault}\r\ncontent-length: {len(data)}\r\n\r\n"
        )
        kept = []
        status, *_ = await caller.ask(head.encode() + data, kept)
        self.statuses[status] += 1
        whole = b"".join(kept)
        if status == 200 and (not body.get("stream") or b"[DONE]" in whole):
            self.finished.add(task)


async def ledger_away(modicum, seconds):
    """Somebody else holds the ledger's file."""
    import duckdb

    for pid in modicum.parts("ledger"):
        os.kill(pid, signal.SIGKILL)
    until = time.monotonic() + 5
    while time.monotonic() < until:
        try:
            held = duckdb.connect(str(modicum.folder / "ledger.duckdb"))
            break
        except duckdb.Error:
            await asyncio.sleep(0.05)
    await asyncio.sleep(seconds)
    held.close()


async def file_system_full(modicum, callers, seconds):
    """The file system on which journals and ledger are has no byte left."""
    before = callers.statuses[200]
    filler = modicum.folder / "filler"
    written = 0
    with filler.open("wb", buffering=0) as stream:
        for size in (2**20, 4096, 1):
            try:
                while True:
                    written += stream.write(bytes(size))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
    await asyncio.sleep(1.0)
    during = callers.statuses[200]
    await asyncio.sleep(seconds)
    finished_while_full = callers.statuses[200] - during
    filler.unlink()
    await asyncio.sleep(2.0)
    return {"finished_before": before, "finished_while_full": finished_while_full, "filled_bytes": written}


async def disk_full(modicum, callers, seconds):
    """No file of the gateway may grow past its first byte: to SQLite that is a disk that refuses."""
    pids = await modicum.all_parts("worker", modicum.workers)
    before = callers.statuses[200]
    soft, hard = resource.prlimit(pids[0], resource.RLIMIT_FSIZE)
    for pid in pids:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, hard))
    await asyncio.sleep(1.0)
    during = callers.statuses[200]
    await asyncio.sleep(seconds)
    finished_while_full = callers.statuses[200] - during
    for pid in pids:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (soft, hard))
    await asyncio.sleep(2.0)
    return {"finished_before": before, "finished_while_full": finished_while_full}


def judged(modicum, callers, kills):
    from modicum.ledger.opening import open_store

    store = open_store(str(modicum.folder / "ledger.duckdb"))
    by_task = {}
    entries = 0
    zero = []
    for batch in store.entries():
        for entry in batch:
            entries += 1
            by_task.setdefault(entry.call.task, []).append(entry)
            if entry.cost.usd == 0:
                zero.append(entry.call.task)
    store.close()
    inexact = 0
    for task in callers.finished & set(Upstream.usage):
        told = Upstream.usage[task]
        found = by_task.get(task)
        if not found:
            continue
        usage = found[0].call.usage
        inexact += (usage.prompt_tokens, usage.completion_tokens) != (told["prompt_tokens"], told["completion_tokens"])
    statuses = Counter(entry.call.status.value for found in by_task.values() for entry in found)
    lost = set(Upstream.received) - set(by_task)
    doubled = [task for task, found in by_task.items() if len(found) > 1]
    faults = {"lost": lost, "doubled": doubled, "at_zero_dollars": zero}
    return {
        "begun": len(Upstream.received),
        "finished": len(callers.finished),
        "recorded": entries,
        "lost": len(lost),
        "finished_and_lost": len(callers.finished - set(by_task)),
        "doubled": len(doubled),
        "inexact": inexact,
        "zero_cost": len(zero),
        "sent_twice_upstream": sum(count > 1 for count in Upstream.received.values()),
        "by_status": dict(statuses),
        "by_kind": by_kind(kills, {name: [killed_in(task, kills) for task in found] for name, found in faults.items()}),
    }


def killed_in(task, kills):
    """The kind of the kill that came after the call was begun."""
    number = Upstream.before_kill.get(task, len(kills.kinds))
    return kills.kinds[number] if number < len(kills.kinds) else "none"


async def measure(arguments):
    no_containers = why_no_containers()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as name:
        upstream = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", 0)
        modicum = Modicum(Path(name), arguments.workers, upstream.sockets[0].getsockname()[1], arguments.durable)
        callers = Callers(modicum.gateway, modicum.key())
        Upstream.kills = kills = Kills(modicum, callers, planned(arguments.kills, containers=not no_containers))
        try:
            modicum.start(contained=kills.contained())
            if not await modicum.serves():
                raise SystemExit(f"it does not start:\n{kills.log()}")
            calling = asyncio.ensure_future(callers.run())
            await kills.run()
            if arguments.away:
                await ledger_away(modicum, arguments.away)
            fill = file_system_full if arguments.folder else disk_full
            full = await fill(modicum, callers, arguments.full) if arguments.full else {}
            callers.stop = True
            await calling
            await asyncio.wait_for(kills.end(), 60)
            left = modicum.processes()
        finally:
            kills.kill_all()
        result = {"workers": arguments.workers, "kills": kills.done, "failed_starts": kills.failed.total()}
        result |= {"orphans": kills.orphans.total() + len(left), "no_containers": no_containers}
        result |= judged(modicum, callers, kills) | full
        result["answers"] = {str(status): count for status, count in callers.statuses.items()}
        return result


def shown(result):
    rows = result.pop("by_kind")
    for name, value in result.items():
        print(f"{name:22} {value}")
    if rows:
        names = list(next(iter(rows.values())))
        print("\n" + f"{'killed':12}" + "".join(f"{name.replace('_', ' '):>17}" for name in names))
        for kind, row in rows.items():
            print(f"{kind:12}" + "".join(f"{row[name]!s:>17}" for name in names))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--durable", choices=("disk", "process"), default="disk", help="of modicum's settings")
    parser.add_argument("--away", type=float, default=60.0)
    parser.add_argument("--full", type=float, default=10.0)
    parser.add_argument("--folder", help="a small file system of its own, which is filled")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--data", help="not used")
    parser.add_argument("--idle", type=int, default=0, help="instead: so many idle connections, and slow callers")
    parser.add_argument(
        "--readers", type=int, default=100, help="with --idle: so many streams of 20 MB that nobody reads"
    )
    arguments = parser.parse_args()
    if arguments.idle:
        measured.report(asyncio.run(measure_crowd(arguments.idle, arguments.readers)), as_json=arguments.json)
        return 0
    random.seed(arguments.seed)
    result = {"seed": arguments.seed, **asyncio.run(measure(arguments))}
    if arguments.json:
        print(json.dumps(result, indent=2))
    else:
        shown(dict(result))
    wrong = ("lost", "finished_and_lost", "doubled", "inexact", "zero_cost", "failed_starts", "orphans")
    return 1 if any(result[name] for name in wrong) else 0


if __name__ == "__main__":
    sys.exit(main())
