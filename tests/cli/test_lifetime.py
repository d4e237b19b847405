"""Lives of `modicum up` after each other, with real processes: killed, also while starting, draining, in containers."""

import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import httpx2 as httpx
import pytest

from cli.process_rig import run_modicum
from modicum.calls import UserError
from modicum.cli import lifetime
from modicum.cli.lifetime import acquire_lifetime
from modicum.ledger.file_lock import FileLock, is_held
from modicum.ledger_process.running import find
from modicum.library import resources
from modicum.outbound.listener import bind_listener

WORDS = [sys.executable, "-m", "modicum"]
CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}
CONTAINER = ["unshare", "--map-root-user", "--pid", "--fork", "--kill-child", "--mount-proc"]


class Provider:
    """An upstream whose replies wait for `let_go`."""

    def __init__(self):
        self.let_go, self.asked = threading.Event(), threading.Event()
        self.let_go.set()
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["content-length"]))
                provider.asked.set()
                provider.let_go.wait(60)
                message = {"role": "assistant", "content": "yes"}
                choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
                usage = {"prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 11}
                reply = {"id": f"chatcmpl-{time.time_ns()}", "created": 1, "model": "gpt-4o-mini", "usage": usage}
                body = json.dumps(reply | {"object": "chat.completion", "choices": choices}).encode()
                self.send_response(200)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.let_go.set()
        self.server.shutdown()
        self.server.server_close()


class Site:
    """A data folder in which one life of `modicum up` comes after another."""

    def __init__(self, folder):
        self.folder = folder
        self.provider = Provider()
        self.gateway, self.console = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.gateway}"
        self.environment = os.environ | {name: str(folder) for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")}
        self.environment |= {"MODICUM_CONFIG": str(folder / "modicum.toml")}
        (folder / "modicum.toml").write_text(
            f'ledger = "ledger.duckdb"\n[gateway]\nlisten = "127.0.0.1:{self.gateway}"\n'
            f'[console]\npages_listen = ""\nlisten = "127.0.0.1:{self.console}"\n'
            f'[upstreams.own]\nurl = "http://127.0.0.1:{self.provider.port}/v1"\nspeaks = "openai"\n'
            'provider = "openai"\n'
        )
        self.state = folder / "modicum" / "gateway"
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment.items():
                patch.setenv(name, value)
            self.key = json.loads(run_modicum("key", "create", "ci", "--json"))["key"]
        self.started = []

    def up(self, *before):
        number = len(self.started)
        with (self.folder / f"up-{number}.log").open("w") as log:
            words = [*before, *WORDS, "up"]
            process = subprocess.Popen(words, env=self.environment, stderr=log, stdin=subprocess.DEVNULL)
        process.log = self.folder / f"up-{number}.log"
        self.started.append(process)
        return process

    def serves(self):
        """Both, as one life's: the gateway answers calls, and the ledger process has them."""
        calls = self.calls()
        eventually(lambda: get(f"{self.url}/readyz") == 200)
        eventually(lambda: get(f"http://127.0.0.1:{self.console}/readyz") == 200)
        assert self.post().status_code == 200
        eventually(lambda: self.calls() > calls)

    def calls(self):
        """As many as a verb sees that opens the ledger now: in this process, since a new one takes half a second."""
        with resources.open_ledger(None) as store:
            return sum(row["calls"] for row in store.ask("holdings"))

    def post(self):
        headers = {"authorization": f"Bearer {self.key}"}
        return httpx.post(f"{self.url}/v1/chat/completions", json=CHAT, headers=headers, timeout=60)

    def processes(self):
        """Everything that runs for this folder, by process id: the words that it was started with."""
        listed = subprocess.run(["ps", "-eww", "-o", "pid=,args="], capture_output=True, text=True, check=True).stdout
        mine = {}
        for line in listed.splitlines():
            pid, _, words = line.strip().partition(" ")
            if " modicum up" in words and self.is_mine(pid):
                mine[int(pid)] = words
        return mine

    def is_mine(self, pid):
        try:
            return f"MODICUM_CONFIG={self.folder}/".encode() in Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:
            return False

    def close(self):
        self.provider.close()
        for process in self.started:
            if process.poll() is None:
                in_container = process.args[0] == CONTAINER[0]
                process.send_signal(signal.SIGKILL if in_container else signal.SIGTERM)
        for process in self.started:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        for pid in self.processes():  # of a test that failed
            os.kill(pid, signal.SIGKILL)


def free_port():
    bound = bind_listener("test", "127.0.0.1", 0)
    port = bound.getsockname()[1]
    bound.close()
    return port


def get(url):
    try:
        return httpx.get(url).status_code
    except httpx.HTTPError:
        return 0


def eventually(condition, seconds=60.0):
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until
        time.sleep(0.02)
    return found


@pytest.fixture
def site(tmp_path, monkeypatch):
    site = Site(tmp_path)
    for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "MODICUM_CONFIG"):
        monkeypatch.setenv(name, site.environment[name])  # verbs in this process have the same ledger
    yield site
    site.close()


needs_proc = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="processes are found in /proc")


def why_no_container():
    if shutil.which("unshare") is None:
        return "there is no 'unshare' here"
    tried = subprocess.run([*CONTAINER, "true"], capture_output=True, text=True, check=False)
    return f"no pid namespaces here: {tried.stderr.strip()}" if tried.returncode else ""


@needs_proc
def test_a_container_in_which_everything_crashed_starts_again_with_the_same_small_numbers(site):
    if reason := why_no_container():
        pytest.skip(reason)
    numbers = []
    for life in range(3):
        container = site.up(*CONTAINER)
        site.serves()
        numbers.append(json.loads((site.state / "console.json").read_bytes())["process"])
        if life < 2:
            inside = [pid for pid, words in site.processes().items() if "unshare" not in words]
            assert len(inside) == 3
            os.kill(min(inside, key=started), signal.SIGKILL)  # its first process: all others die
            container.wait(30)
            assert (site.state / "console.json").exists()
            assert eventually(lambda: not site.processes())

    assert numbers[0] == numbers[1] == numbers[2] < 10


def started(pid):
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]), pid


@needs_proc
def test_parts_whose_supervisor_is_killed_while_they_start_end_and_the_next_one_starts(site):
    for parts in (1, 2, 2, 1):
        up = site.up()
        eventually(lambda parts=parts: len(site.processes()) >= 1 + parts)
        up.kill()  # the parts are loading Python
        up.wait()
        eventually(lambda: not site.processes())
        assert get(f"{site.url}/readyz") == 0
    site.up()
    site.serves()


@needs_proc
def test_parts_of_a_killed_supervisor_finish_their_calls_while_the_next_one_waits(site):
    first = site.up()
    site.serves()
    site.provider.let_go.clear()
    site.provider.asked.clear()
    replies = []
    calling = threading.Thread(target=lambda: replies.append(site.post()))
    calling.start()
    site.provider.asked.wait(30)

    first.kill()
    first.wait()
    second = site.up()
    eventually(lambda: "that was killed are still ending; waiting for them" in second.log.read_text())
    eventually(lambda: refused(site.gateway))
    assert second.poll() is None
    site.provider.let_go.set()
    calling.join()

    assert [reply.status_code for reply in replies] == [200]
    site.serves()
    assert eventually(lambda: site.calls() == 3)


def refused(port):
    with socket.socket() as caller:
        return caller.connect_ex(("127.0.0.1", port)) != 0


def test_one_that_drains_is_waited_for_and_one_that_runs_is_not(site):
    first = site.up()
    site.serves()
    site.provider.let_go.clear()
    site.provider.asked.clear()
    replies = []
    calling = threading.Thread(target=lambda: replies.append(site.post()))
    calling.start()
    site.provider.asked.wait(30)

    refused_up = run_modicum("up", status=2)
    assert f"another 'modicum up' runs with its state in {site.state} (process {first.pid})" in refused_up

    first.send_signal(signal.SIGTERM)
    eventually(lambda: refused(site.gateway))
    second = site.up()
    eventually(lambda: "is ending, with the calls under way; waiting for it" in second.log.read_text())
    site.provider.let_go.set()
    calling.join()

    assert [reply.status_code for reply in replies] == [200]
    assert first.wait(60) == 0
    site.serves()
    assert eventually(lambda: site.calls() == 3)


def stop(process):
    """Asks it to end, and again if it does not: how soon it ends after one signal is for other tests to say."""
    for _ in range(12):
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(5)
            return
    raise AssertionError("it does not end")


def test_verbs_open_the_ledger_though_a_dead_process_has_left_its_note(site):
    site.up()
    site.serves()
    note = (site.state / "console.json").read_bytes()
    stop(site.started[0])
    stale = json.loads(note) | {"process": os.getpid()}  # the number is another process's by now
    (site.state / "console.json").write_text(json.dumps(stale))

    assert site.calls() == 1
    assert "no ledger process is running; start one with 'modicum up'" in run_modicum("top", "--once", status=2)
    site.up()
    site.serves()


def test_a_ledger_process_that_has_just_taken_the_ledger_is_asked(site, monkeypatch):
    site.up()
    site.serves()
    looks = []

    def late(folder):
        looks.append(folder)
        return find(folder) if len(looks) > 1 else None  # at the first look it is not there yet

    monkeypatch.setattr("modicum.library.resources.find", late)
    with resources.open_ledger(None) as store:
        assert sum(row["calls"] for row in store.ask("holdings")) == 1
    assert len(looks) == 2


def test_the_key_of_digests_is_whole_or_not_there(home, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", lambda _: sys.exit())  # as if it were killed there
        with pytest.raises(SystemExit):
            resources.read_digest_key()
    path = resources.data_folder() / "digest.key"
    assert not path.exists()

    assert len(key := resources.read_digest_key()) == resources.KEY_BYTES
    assert resources.read_digest_key() == key
    assert path.stat().st_mode & 0o077 == 0
    assert [entry.name for entry in path.parent.iterdir()] == ["digest.key"]

    path.write_bytes(b"")
    with pytest.raises(UserError, match="is empty: its making was cut short; delete the file"):
        resources.read_digest_key()


STUBBORN = """
import os, signal, sys, threading
from modicum.cli.lifetime import end_with_supervisor
signal.signal(signal.SIGTERM, lambda *_: os.write(1, b"told\\n"))  # print may be under way
end_with_supervisor((int(sys.argv[1]), int(sys.argv[2])), float(sys.argv[3]))
print("runs", flush=True)
while True:
    threading.Event().wait(1)
"""


def test_a_part_that_does_not_end_by_itself_is_ended(tmp_path):
    first = acquire_lifetime(tmp_path, 0.0, print)
    words = [sys.executable, "-c", STUBBORN, *map(str, first.handles), "0.2"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, pass_fds=first.handles) as part:
        assert part.stdout.readline() == "runs\n"
        first.release()  # as its end, by whatever, does
        assert is_held(tmp_path / "parts.lock")
        assert part.stdout.readline() == "told\n"
        assert part.wait(30) == -signal.SIGKILL

    acquire_lifetime(tmp_path, 0.0, print).release()


def test_a_part_that_comes_too_late_ends_at_once(site):
    reader, writer = os.pipe()
    os.close(writer)
    lock = FileLock(site.state / "parts.lock")
    words = ["up", "--lifetime", str(reader), str(lock.fileno()), "--part"]
    for part in ("gateway", "ledger"):
        late = subprocess.run(
            [*WORDS, *words, part], env=site.environment, pass_fds=(reader, lock.fileno()), check=False, timeout=60
        )
        assert late.returncode in {0, -signal.SIGTERM}
    os.close(reader)
    lock.release()


def test_waiting_has_an_end_that_says_what_to_type(tmp_path, monkeypatch):
    monkeypatch.setattr(lifetime, "WORKER_ENDS_WITHIN_S", 0.0)
    monkeypatch.setattr(lifetime, "LEDGER_ENDS_WITHIN_S", 0.1)
    monkeypatch.setattr(lifetime, "SURELY_RUNS_AFTER_S", 0.0)
    monkeypatch.setattr(lifetime, "CHECK_EVERY_S", 0.01)
    told = []
    first = acquire_lifetime(tmp_path, 0.0, told.append)

    with pytest.raises(UserError, match=rf"another 'modicum up' runs .*\(process {os.getpid()}\); stop it first"):
        acquire_lifetime(tmp_path, 0.0, told.append)
    assert told == []

    first.mark_ending()
    with pytest.raises(UserError, match=rf"has not ended in 0.1 s; end it with: kill -9 {os.getpid()}"):
        acquire_lifetime(tmp_path, 0.0, told.append)
    assert len(told) == 1
    first.release()

    part = FileLock(tmp_path / "parts.lock")
    part.acquire()
    with pytest.raises(UserError, match=r"have not ended in 0.1 s; find them with: ps ax"):
        acquire_lifetime(tmp_path, 0.0, told.append)
    part.release()
    acquire_lifetime(tmp_path, 0.0, told.append).release()
    assert len(told) == 2
