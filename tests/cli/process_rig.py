"""The program as a process of its own, as a person or a service manager starts it."""

import asyncio
import io
import resource
import subprocess
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime

import httpx2 as httpx
import msgspec
import openai
import pytest

from modicum.calls import Call, Usage
from modicum.cli import main
from modicum.ledger.journal import Journal, Record
from modicum.outbound.listener import bind_listener
from modicum.settings import state_folder

WORDS = (sys.executable, "-m", "modicum")


def run_modicum(*words, status=0):
    """What a verb prints that ends with that status. It runs in this process: a new one needs a second to load all."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), pytest.raises(SystemExit) as stop:
        main(list(words))
    assert stop.value.code == status, err.getvalue()
    return out.getvalue() if status == 0 else out.getvalue() + err.getvalue()


def on_a_full_disk(*words, into=subprocess.PIPE):
    """A verb whose files may not grow past their first byte."""

    def fill():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))

    return subprocess.run(
        [*WORDS, *words],
        stdout=into,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        preexec_fn=fill,
    )


def one_line_and_no_trace(done, *parts):
    assert (done.returncode, done.stdout or "") == (2, ""), done.stderr
    (line,) = done.stderr.splitlines()
    assert all(part in line for part in ("modicum: ", *parts)), line


def free_port():
    bound = bind_listener("test", "127.0.0.1", 0)
    port = bound.getsockname()[1]
    bound.close()
    return port


def ready(url):
    def is_ready():
        try:
            return httpx.get(url).status_code == 200
        except httpx.HTTPError:
            return False

    eventually(is_ready)


def eventually(condition, seconds=30.0):
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until
        time.sleep(0.1)
    return found


def part(parent, name):
    """The process of that part of `modicum up`; 0: there is none."""
    listed = subprocess.run(
        ["ps", "-ww", "-o", "pid,ppid,args", "-e"], capture_output=True, text=True, check=True
    ).stdout
    for line in listed.splitlines()[1:]:
        pid, ppid, args = line.split(None, 2)
        if int(ppid) == parent and args.endswith(f"--part {name}"):
            return int(pid)
    return 0


def logged_line(process, event):
    """The next line of that event."""
    while line := process.stderr.readline():
        if f'"event":"{event}"' in line:
            return line
    return ""


def ask(port, key):
    with openai.OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key=key, max_retries=0) as client:
        client.chat.completions.create(
            model="gpt-4o-mini", messages=[{"role": "user", "content": "write to ada.lovelace@engine.org"}]
        )


def journaled(number, model="gpt-4o-mini"):
    """A gateway recorded a call just now, and no ledger process has taken it over yet."""

    async def write():
        journal = Journal(state_folder() / "journal")
        at = datetime.now(UTC)
        facts = {"source": "gateway", "provider": "openai", "started": at, "finished": at, "usage": Usage(9, 9)}
        body = msgspec.msgpack.encode(Call(call_id=f"gateway:{number}", model=model, **facts))
        await journal.append(Record(f"{number}", "call", body))
        journal.close()

    asyncio.run(write())
