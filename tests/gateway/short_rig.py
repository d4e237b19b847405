"""A gateway that may open few files."""

import asyncio
import json
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path

from gateway.rig import CHAT, Provider

TESTS = str(Path(__file__).parents[1])
CHILD = """
import json, os, resource, sys, threading, time
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
            for _ in range(20):  # a file that was open for a moment is free in the next one
                try:
                    while True:
                        eaten.append(os.open("/dev/null", os.O_RDONLY))
                except OSError:
                    time.sleep(0.02)
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
