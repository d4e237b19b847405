"""Lives of `modicum up` one after another in one folder, their processes as the system shows them, and their kills.

Nothing here is asked of modicum but whether it serves: which processes there are stands in /proc, by the folder's name
in their environment, whoever their parent is by now.
"""

import asyncio
import json
import os
import random
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

KINDS = ("worker", "ledger", "supervisor", "container", "starting")
"""What is killed: a part; the supervisor; a pid namespace with all in it; either of the two while parts start."""
ASK_AGAIN_S = 2.0
CONTAINER = ["unshare", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc"]
SERVES_WITHIN_S = 90.0
"""More than a life may wait for the one before."""


class Process(NamedTuple):
    pid: int
    born: int
    """In ticks of the system; with the pid it is one process, ever."""
    kind: str


def free_ports(count):
    bound = [socket.socket() for _ in range(count)]
    for one in bound:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in bound]
    for one in bound:
        one.close()
    return ports


def why_no_containers():
    """Empty where this kernel makes pid namespaces for us."""
    if shutil.which("unshare") is None:
        return "there is no 'unshare' here"
    tried = subprocess.run([*CONTAINER, "true"], capture_output=True, text=True, check=False)
    return tried.stderr.strip() or f"status {tried.returncode}" if tried.returncode else ""


class Modicum:
    """`modicum up` in a folder of its own, life after life."""

    def __init__(self, folder, workers, upstream, durable="disk"):
        self.folder, self.workers = folder, workers
        self.gateway, self.ledger = free_ports(2)
        self.environment = os.environ | {
            "MODICUM_CONFIG": str(folder / "modicum.toml"),
            "XDG_DATA_HOME": str(folder / "data"),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "XDG_CACHE_HOME": str(folder / "cache"),
            "HOME": str(folder),
        }
        (folder / "modicum.toml").write_text(
            f'ledger = "{folder}/ledger.duckdb"\n[gateway]\nlisten = "127.0.0.1:{self.gateway}"\n'
            f'durable = "{durable}"\n'
            f'[console]\npages_listen = ""\nlisten = "127.0.0.1:{self.ledger}"\n'
            f'[upstreams.mock]\nurl = "http://127.0.0.1:{upstream}/v1"\nspeaks = "openai"\nprovider = "openai"\n'
            'pass_headers = ["x-task", "x-fault"]\n'
        )
        self.command = [sys.executable, "-m", "modicum"]

    def key(self):
        words = [*self.command, "key", "create", "bench", "--json"]
        made = subprocess.run(words, env=self.environment, check=True, capture_output=True, text=True)
        return json.loads(made.stdout)["key"]

    def start(self, *, contained=False):
        words = [*(CONTAINER if contained else []), *self.command, "up", "--workers", f"{self.workers}"]
        with (self.folder / "up.log").open("ab") as log:
            self.up = subprocess.Popen(words, env=self.environment, stdout=log, stderr=log)

    def processes(self):
        """All of this folder, of any life."""
        mark = f"MODICUM_CONFIG={self.folder}/".encode()
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                if mark not in (entry / "environ").read_bytes():
                    continue
                words = (entry / "cmdline").read_bytes().split(b"\0")
                state, *_, born = (entry / "stat").read_text().rpartition(")")[2].split()[:20]
            except OSError:
                continue
            if b"up" in words and state != "Z":
                found.append(Process(int(entry.name), int(born), _kind(words)))
        return found

    def parts(self, name):
        """The process ids of a part: none while it is being started again, several of the gateway."""
        return [process.pid for process in self.processes() if process.kind == name]

    async def all_parts(self, name, count):
        while len(found := self.parts(name)) < count:  # noqa: ASYNC110 - processes tell nobody
            await asyncio.sleep(0.1)
        return found

    async def serves(self, besides=frozenset()):
        """Until gateway and ledger process are ready, with other processes than the killed ones.

        Returns:
            whether they came to that; not, if `modicum up` ended by itself or it took too long.
        """
        until = time.monotonic() + SERVES_WITHIN_S
        while time.monotonic() < until:
            if self.up.poll() is not None:
                return False
            now = self.processes()
            parts = Counter(process.kind for process in now if process not in besides)
            if (parts["worker"], parts["ledger"]) == (self.workers, 1) and await self.is_ready():
                return True
            await asyncio.sleep(0.02)
        return False

    async def is_ready(self):
        return await status(self.gateway, "/readyz") == 200 and await status(self.ledger, "/readyz") == 200


def _kind(words):
    if b"--part" in words:
        return "worker" if words[words.index(b"--part") + 1] == b"gateway" else "ledger"
    return "container" if words[0].endswith(b"unshare") else "supervisor"


async def status(port, path):
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return 0
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n".encode())
        line = await asyncio.wait_for(reader.readline(), 5)
        return int(line.split()[1]) if line else 0
    except (OSError, TimeoutError):
        return 0
    finally:
        writer.close()


class Kills:
    """Kills of every kind, each followed by a start that has to come to serve.

    Args:
        kinds: in which order.
        callers: whose calls have to go on after each.
    """

    def __init__(self, modicum, callers, kinds):
        self._modicum, self._callers, self._kinds = modicum, callers, kinds
        self.done = 0
        """How many there were: a call belongs to the kill that comes next."""
        self.kinds = []
        self.failed, self.orphans = Counter(), Counter()
        self.seconds = {kind: [] for kind in KINDS}

    def contained(self):
        """Whether the next life is to be one in a container: as its end wants it."""
        ends = [kind for kind in self._kinds[self.done :] if kind in {"supervisor", "container", "starting"}]
        return bool(ends) and (ends[0] == "container" or (ends[0] == "starting" and self._may_contain()))

    def _may_contain(self):
        return "container" in self._kinds and random.random() < 0.5

    async def run(self):
        while self.done < len(self._kinds):
            kind = self._kinds[self.done]
            if kind != "starting":
                await self._some_load()
            began = time.monotonic()
            killed = await self._kill(kind)
            self.kinds.append(kind)
            self.done += 1
            if kind in {"worker", "ledger"}:
                ready = await self._modicum.serves(killed)
            else:
                await asyncio.to_thread(self._modicum.up.wait)
                contained = self.contained()
                self._modicum.start(contained=contained)
                ready = await self._modicum.serves(killed)
                self.orphans[kind] += len(killed & set(self._modicum.processes()))
            if ready:
                self.seconds[kind].append(time.monotonic() - began)
            else:
                self.failed[kind] += 1
                await self._afresh()

    async def _kill(self, kind):
        """Returns the processes that must be gone when it serves again."""
        if kind == "starting":
            await self.end()
            self._modicum.start(contained=self.contained())
            await asyncio.sleep(random.uniform(0.0, 2.0))
        while True:
            now = self._modicum.processes()
            wanted = {"container": "supervisor", "starting": "supervisor"}.get(kind, kind)
            if victims := [process for process in now if process.kind == wanted]:
                break
            await asyncio.sleep(0.01)
        victim = random.choice(victims)
        os.kill(victim.pid, signal.SIGKILL)
        return {victim} if kind in {"worker", "ledger"} else set(now)

    async def _some_load(self):
        """Calls are under way at the kill, and it comes at any moment of theirs."""
        wanted = len(self._callers.finished) + 10
        until = time.monotonic() + 30
        while len(self._callers.finished) < wanted:
            if time.monotonic() > until:
                raise SystemExit("it is ready, and no call finishes")
            await asyncio.sleep(0.01)
        await asyncio.sleep(random.uniform(0.0, 0.5))

    async def end(self):
        """As an operator ends it."""
        ended = asyncio.create_task(asyncio.to_thread(self._modicum.up.wait))
        while not ended.done():
            # The first process of a pid namespace loses a signal that comes before it has its handler: ask again.
            for pid in self._modicum.parts("supervisor"):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)
            await asyncio.wait([ended], timeout=ASK_AGAIN_S)

    async def _afresh(self):
        """After a start that failed: everything away, so that the next kill finds something to kill."""
        self.kill_all()
        self._modicum.start(contained=self.contained())
        if not await self._modicum.serves():
            raise SystemExit(f"it does not start again at all; see its log:\n{self.log()}")

    def kill_all(self):
        for process in self._modicum.processes():
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        self._modicum.up.wait()

    def log(self):
        return (self._modicum.folder / "up.log").read_text(errors="replace")[-3000:]


def planned(count, *, containers):
    """As many of each kind as fit, in any order."""
    kinds = [kind for kind in KINDS if containers or kind != "container"]
    plan = [kinds[number % len(kinds)] for number in range(count)]
    random.shuffle(plan)
    return plan


def by_kind(kills, faults):
    """One line per kind. `faults`: what is wrong in the ledger, as lists of kinds by name."""
    counted = Counter(kills.kinds)
    return {
        kind: {
            "kills": counted[kind],
            "failed_starts": kills.failed[kind],
            "orphans": kills.orphans[kind],
            **{name: Counter(kinds)[kind] for name, kinds in faults.items()},
            "median_seconds": round(statistics.median(kills.seconds[kind]), 2) if kills.seconds[kind] else None,
            "longest_seconds": round(max(kills.seconds[kind]), 2) if kills.seconds[kind] else None,
        }
        for kind in KINDS
        if counted[kind]
    }
