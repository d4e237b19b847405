"""Too few open files: said at the start, and each caller that cannot be served is told so."""

import asyncio
import json
import resource
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from gateway.rig import CHAT, Provider
from modicum.gateway.process.open_files import RESERVED, OpenFiles, raise_limit

SIDES = ("callers", "upstreams")
TESTS = str(Path(__file__).parents[2])
CHILD = """
import json, os, resource, sys, threading
soft, hard, provider, folder = json.loads(sys.argv[1])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
sys.path.insert(0, {tests!r})
from pathlib import Path
import msgspec
from gateway.rig import DIGEST_KEY, Rig, usual
from modicum.gateway.process.server import run
from modicum.outbound.listener import bind_listener
folder = Path(folder)
key = Rig(folder, None).key
settings = usual(most_calls=4000, drain_s=1.0)(provider)
url = f"http://localhost:{{provider}}/v1"
by_name = msgspec.structs.replace(settings.upstreams["openai"], url=url, models=("gpt-named",))
settings = msgspec.structs.replace(settings, upstreams={{"named": by_name}} | settings.upstreams)
bound = bind_listener("test", "127.0.0.1", 0)
eaten = []
def listen():
    for line in sys.stdin:
        if line == "eat\\n":
            try:
                while True:
                    eaten.append(os.open("/dev/null", os.O_RDONLY))
            except OSError:
                pass
        else:
            while eaten:
                os.close(eaten.pop())
        os.write(1, b"done\\n")
threading.Thread(target=listen, daemon=True).start()
bound.listen(2048)
print(bound.getsockname()[1], key, flush=True)
run(settings, folder, DIGEST_KEY, lambda: settings, bound=bound)
"""


class Short:
    """A gateway that may open few files, in a process of its own."""

    def __init__(self, child, provider):
        self.child, self.provider = child, provider
        port, self.key = child.stdout.readline().split()
        self.port = int(port)

    def tell(self, word):
        self.child.stdin.write(f"{word}\n")
        self.child.stdin.flush()
        assert self.child.stdout.readline() == "done\n"

    async def caller(self):
        return await asyncio.open_connection("127.0.0.1", self.port)

    def request(self, told=CHAT, **headers):
        data = json.dumps(told)
        headers = {"host": "localhost", "authorization": f"Bearer {self.key}", "content-length": len(data)} | headers
        lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        return f"POST /v1/chat/completions HTTP/1.1\r\n{lines}\r\n{data}".encode()

    async def metrics(self):
        """What was counted, and how often it had no room for the one who asks."""
        for turned_away in range(1000):
            reader, writer = await self.caller()
            writer.write(b"GET /metrics HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            said = (await reader.read()).decode()
            writer.close()
            if " 200 " in said[:20]:
                return said, turned_away
        raise AssertionError("it never had room")


@asynccontextmanager
async def short(folder, soft=100, hard=160):
    provider = Provider()
    await provider.start()
    words = [sys.executable, "-c", CHILD.format(tests=TESTS), json.dumps([soft, hard, provider.port, str(folder)])]
    with (folder / "log").open("wb") as log:
        child = subprocess.Popen(  # noqa: ASYNC220 - it starts at once
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True
        )
    try:
        yield await asyncio.to_thread(Short, child, provider)
    finally:
        provider.hold.set()
        child.terminate()
        await asyncio.to_thread(child.communicate)
        provider.server.close()


def logged(folder, event):
    lines = [json.loads(line) for line in (folder / "log").read_text().splitlines()]
    return [line for line in lines if line["event"] == event]


async def head_of(reader):
    return (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 20)).decode().lower()


def test_of_too_many_streams_none_is_closed_without_a_word(tmp_path):
    async def check():
        async with short(tmp_path) as gateway:
            request = gateway.request(
                CHAT | {"stream": True}, x_fault="stall", x_fixture="openai-chat/usage_in_its_own_chunk.sse"
            )

            async def call():
                reader, writer = await gateway.caller()
                writer.write(request)
                head = await head_of(reader)
                if "connection: close" in head:
                    writer.close()
                return head, reader, writer

            callers = await asyncio.gather(*(call() for _ in range(200)))
            gateway.provider.hold.set()
            served = [reader for head, reader, _ in callers if head.startswith("http/1.1 200")]
            ends = [await asyncio.wait_for(reader.readuntil(b"[DONE]"), 20) for reader in served]
            for *_, writer in callers:
                writer.close()
            return [head for head, *_ in callers], ends, await gateway.metrics()

    heads, ends, (metrics, turned_away) = asyncio.run(check())

    refused = [head for head in heads if head.startswith("http/1.1 503")]
    assert len(heads) == len(refused) + len(ends) == 200
    assert len(ends) == (160 - RESERVED) // 2  # what the hard limit allows
    assert all("retry-after: 1\r\n" in head for head in refused)
    assert f'modicum_out_of_files_total{{side="callers"}} {len(refused) + turned_away:.1f}' in metrics
    (said,) = logged(tmp_path, "open_files_short")
    assert "160 open files are enough for 48 calls at once in one process, not for 4,000" in said["problem"]
    lines = logged(tmp_path, "out_of_files")
    assert 1 <= len(lines) < 10  # not a line each
    assert lines[0] == {"at": lines[0]["at"], "event": "out_of_files", "side": "callers", "times": 1, "limit": 160}


@pytest.mark.parametrize("model", ["gpt-4o-mini", "gpt-named"])
def test_when_no_file_is_left_at_all_callers_are_told_and_it_recovers(tmp_path, model):
    async def check():
        async with short(tmp_path) as gateway:
            request = gateway.request(CHAT | {"model": model})
            reader, writer = await gateway.caller()
            writer.write(b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n")
            assert "200" in await head_of(reader)
            await reader.readexactly(3)
            await asyncio.to_thread(gateway.tell, "eat")

            writer.write(request)  # it is connected; the connection to the upstream fails
            known = await head_of(reader)
            await reader.readuntil(b"}}")
            strangers = []
            for _ in range(3):
                other = await gateway.caller()
                other[1].write(gateway.request(CHAT | {"model": model}, connection="close"))
                strangers.append(await head_of(other[0]) + (await other[0].read()).decode())
                other[1].close()

            await asyncio.to_thread(gateway.tell, "free")
            writer.write(request)
            again = await head_of(reader)
            writer.close()
            return known, strangers, again, await gateway.metrics()

    known, strangers, again, (metrics, _) = asyncio.run(check())

    assert known.startswith("http/1.1 503")
    assert "retry-after: 1\r\n" in known
    assert [said.partition("\r\n")[0] for said in strangers] == ["http/1.1 503 service unavailable"] * 3
    assert '"type":"out_of_files"' in strangers[0]
    assert again.startswith("http/1.1 200")
    counted = {side: int(float(metrics.partition(f'{{side="{side}"}} ')[2].split()[0])) for side in SIDES}
    assert counted["upstreams"] >= 1
    assert counted["callers"] >= 1
    assert sum(counted.values()) == 4
    assert logged(tmp_path, "out_of_files")


@pytest.mark.parametrize(
    ("limit", "calls", "allowed", "callers", "problem"),
    [
        (20_000, 4000, 9968, 15_936, ""),
        (8064, 4000, 4000, 4000, ""),
        (8063, 4000, 3999, 4000, "8,063 open files are enough for 3,999 calls at once in one process, not for 4,000"),
        (256, 4000, 96, 96, "allow 8,064"),
        (10, 4000, 1, 1, "allow 8,064"),
    ],
)
def test_a_call_needs_two_files_and_some_are_held_back(limit, calls, allowed, callers, problem):
    files = OpenFiles(limit, calls)

    assert (files.calls_allowed, files.most_callers) == (allowed, callers)
    assert problem in files.problem
    assert bool(problem) == bool(files.problem)


@pytest.mark.parametrize(
    ("now", "taken", "after"),
    [
        ((100, 4000), 10**9, (4000, 4000)),
        ((4000, 4000), 10**9, (4000, 4000)),
        ((256, resource.RLIM_INFINITY), 10**9, (1_048_576, resource.RLIM_INFINITY)),
        ((256, resource.RLIM_INFINITY), 20_000, (10_240, resource.RLIM_INFINITY)),
        ((256, 500), 0, (256, 500)),
        ((resource.RLIM_INFINITY, resource.RLIM_INFINITY), 10**9, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)),
    ],
)
def test_the_limit_is_raised_as_far_as_the_system_lets_it(monkeypatch, now, taken, after):
    limits = [now]

    def set_limit(_, wanted):
        if wanted[0] > taken:
            raise ValueError("not allowed to raise maximum limit")
        limits.append(wanted)

    monkeypatch.setattr(resource, "setrlimit", set_limit)
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits[-1])

    assert raise_limit() == (after[0] if after[0] != resource.RLIM_INFINITY else 1_048_576)
    assert limits[-1] == after
