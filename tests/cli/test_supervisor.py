"""`modicum up --workers 2` with real processes: called by the official clients, killed under load, told to end."""

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter

import anthropic
import httpx2 as httpx
import openai
import pytest
from google import genai

from cli.process_rig import run_modicum
from modicum.cli.supervisor import AGAIN_AFTER_S, MOST_FAULTS, SupervisedProcess, Supervisor, Upgrade
from modicum.ledger_process.client import LedgerProcessStore
from modicum.ledger_process.running import find
from modicum.outbound.listener import bind_listener

WORDS = [sys.executable, "-m", "modicum"]
CALLERS = 8
CHAT = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}
TOOL = {"name": "get_weather", "description": "d", "parameters": {"type": "object", "properties": {}}}


class Site:
    """A mock provider and a gateway of two workers before it."""

    def __init__(self, folder):
        self.folder = folder
        self.mock, self.gateway, self.console = free_port(), free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.gateway}"
        self.environment = os.environ | {name: str(folder) for name in ("HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME")}
        self.environment |= {"MODICUM_CONFIG": str(folder / "modicum.toml")}
        self.write()
        self.key = json.loads(self.run("key", "create", "ci", "--json"))["key"]

    def write(self, more=""):
        settings = self.run("mock", "--settings", "--listen", f"127.0.0.1:{self.mock}")
        (self.folder / "modicum.toml").write_text(
            f'ledger = "ledger.duckdb"\n{settings}\n[gateway]\nlisten = "127.0.0.1:{self.gateway}"\nworkers = 2\n'
            f'[console]\npages_listen = ""\nlisten = "127.0.0.1:{self.console}"\n{more}'
        )

    def run(self, *words):
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment.items():
                patch.setenv(name, value)
            return run_modicum(*words)

    def __enter__(self):
        log = (self.folder / "up.log").open("w")
        address = f"127.0.0.1:{self.mock}"
        self.provider = subprocess.Popen([*WORDS, "mock", "--listen", address], env=self.environment, stderr=log)
        self.up = subprocess.Popen([*WORDS, "up"], env=self.environment, stderr=log)
        log.close()
        eventually(lambda: self.get("/readyz") == (200, "ready\n") and self.get("/healthz") == (200, "ok\n"))
        eventually(lambda: get(f"http://127.0.0.1:{self.console}/readyz")[0] == 200)
        return self

    def __exit__(self, *_):
        for process in (self.up, self.provider):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                process.wait(60)

    def log(self):
        return (self.folder / "up.log").read_text()

    def get(self, path):
        return get(self.url + path)

    def post(self, told=CHAT, key=None, **headers):
        """Over a connection of its own, which any worker may take."""
        headers = {"authorization": f"Bearer {key or self.key}"} | headers
        return httpx.post(f"{self.url}/v1/chat/completions", json=told, headers=headers)

    def told(self, path, document, headers):
        return httpx.post(self.url + path, json=document, headers=headers).status_code

    def workers(self):
        """The process ids of the workers, by their number."""
        listed = subprocess.run(
            ["ps", "-ww", "-o", "pid=,ppid=,args=", "-e"], capture_output=True, text=True, check=True
        ).stdout
        found = {}
        for line in listed.splitlines():
            pid, parent, words = line.split(None, 2)
            if int(parent) == self.up.pid and words.endswith("--part gateway"):
                found[words.split()[words.split().index("--worker") + 1]] = int(pid)
        return found

    def entries(self):
        store = LedgerProcessStore(find(self.folder / "modicum" / "gateway"))
        return [entry for batch in store.entries() for entry in batch]

    def recorded(self, journal):
        """How many records a worker's journal has."""
        base = sqlite3.connect(self.folder / "modicum" / "gateway" / "journal" / f"{journal}.sqlite")
        (count,) = base.execute("SELECT count(*) FROM records").fetchone()
        base.close()
        return count

    def counted(self):
        """The sum of all calls in /metrics."""
        lines = self.get("/metrics")[1].splitlines()
        return sum(float(line.split()[-1]) for line in lines if line.startswith("modicum_calls_total"))


def free_port():
    bound = bind_listener("test", "127.0.0.1", 0)
    port = bound.getsockname()[1]
    bound.close()
    return port


def get(url):
    try:
        reply = httpx.get(url)
    except httpx.HTTPError:
        return 0, ""
    return reply.status_code, reply.text


def eventually(condition, seconds=30.0):
    until = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < until
        time.sleep(0.05)
    return found


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with Site(tmp_path_factory.mktemp("site")) as site:
        yield site


def test_every_api_passes_through_two_workers_with_the_official_clients(site):
    before = site.counted()
    with openai.OpenAI(base_url=f"{site.url}/v1", api_key=site.key, max_retries=0) as client:
        whole = client.responses.create(model="gpt-5", input="hi")
        events = list(client.responses.create(model="gpt-5", input="hi", stream=True))
        called = client.responses.create(
            model="gpt-5",
            input="weather in Paris?",
            tools=[{"type": "function", "strict": False, **TOOL}],
            tool_choice="required",
        )
    with anthropic.Anthropic(base_url=site.url, api_key=site.key, max_retries=0) as client:
        told = {"model": "claude-haiku-4-5", "messages": [{"role": "user", "content": "hi"}]}
        tokens = client.messages.count_tokens(**told).input_tokens
        message = client.messages.create(**told, max_tokens=100)
        with client.messages.stream(**told, max_tokens=100) as stream:
            streamed = stream.get_final_message()
    gemini = genai.Client(api_key=site.key, http_options={"base_url": site.url})
    answer = gemini.models.generate_content(model="gemini-2.5-flash", contents="hi")
    pieces = list(gemini.models.generate_content_stream(model="gemini-2.5-flash", contents="hi"))
    counted = gemini.models.count_tokens(model="gemini-2.5-flash", contents="hi")
    gemini.close()

    assert whole.usage.output_tokens > 0
    assert events[-1].type == "response.completed"
    assert [item.name for item in called.output if item.type == "function_call"] == ["get_weather"]
    assert tokens == message.usage.input_tokens > 0
    assert streamed.usage.output_tokens > 0
    assert answer.usage_metadata.total_token_count > 0
    assert pieces[-1].usage_metadata.total_token_count > 0
    assert counted.total_tokens > 0
    assert site.counted() == before + 7  # counting tokens is no call


def test_a_conversation_that_goes_through_any_worker_is_one(site):
    told = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "first question of this test"}]
    for number in range(6):
        reply = site.post(CHAT | {"messages": told}, **{"x-modicum-tag-test": "one conversation"}).json()
        told += [reply["choices"][0]["message"] | {"content": "so"}, {"role": "user", "content": f"question {number}"}]

    def placed():
        calls = [entry.call for entry in site.entries() if entry.call.tags.get("test") == "one conversation"]
        return len(calls) == 6 and all(call.anatomy for call in calls) and calls

    calls = sorted(eventually(placed), key=lambda call: call.started)
    assert len({call.conversation for call in calls}) == 1
    assert [(call.turn, call.anatomy.kept_segments, len(call.anatomy.added)) for call in calls] == [
        (turn, 2 * turn, 2) for turn in range(6)
    ]


async def keep_calling(site, finished, stop):
    """Callers as they are: each with a connection of its own, and calling again when it is cut."""
    limits = httpx.Limits(max_keepalive_connections=CALLERS)
    async with httpx.AsyncClient(limits=limits, timeout=20) as web:

        async def caller(number):
            count = 0
            while not stop.is_set():
                count += 1
                task = f"load-{number}-{count}"
                headers = {"authorization": f"Bearer {site.key}", "x-modicum-task": task, "x-mock-delay-ms": "20"}
                try:
                    reply = await web.post(f"{site.url}/v1/chat/completions", json=CHAT, headers=headers)
                except httpx.HTTPError:
                    continue
                if reply.status_code == 200:
                    finished.add(task)

        await asyncio.gather(*(caller(number) for number in range(CALLERS)))


async def more(finished, calls):
    wanted = len(finished) + calls
    while len(finished) < wanted:  # noqa: ASYNC110 - the load is what is waited for
        await asyncio.sleep(0.02)


def test_a_worker_killed_under_load_costs_nobody_a_record(site):
    finished, stop, killed = set(), asyncio.Event(), []

    counted = site.counted()

    async def scenario():
        calling = asyncio.ensure_future(keep_calling(site, finished, stop))
        await more(finished, 50)
        killed.append(site.workers()["1"])
        os.kill(killed[0], signal.SIGKILL)
        await more(finished, 50)
        stop.set()
        await calling

    asyncio.run(scenario())

    eventually(lambda: site.workers().get("1", killed[0]) != killed[0])
    eventually(lambda: site.get("/healthz") == (200, "ok\n"))
    tasks = eventually(lambda: (found := booked(site)) and finished <= set(found) and found)
    assert set(tasks.values()) == {1}
    assert all(site.recorded(name) for name in ("gateway", "gateway-2"))
    # The dead worker's figures are counted on; what it had answered and not yet counted is lost.
    assert site.counted() >= counted + len(finished) - CALLERS
    assert site.get("/readyz") == (200, "ready\n")


def booked(site):
    """How often each task of the load is in the ledger."""
    return Counter(entry.call.task for entry in site.entries() if entry.call.task.startswith("load-"))


def test_a_revoked_key_is_refused_by_every_worker_at_once(site):
    key = json.loads(site.run("key", "create", "guest", "--json"))["key"]
    assert {site.post(key=key).status_code for _ in range(8)} == {200}

    site.run("key", "revoke", "guest")

    assert {site.post(key=key).status_code for _ in range(8)} == {401}
    logged = eventually(lambda: json.loads(site.run("key", "log", "--json"))[-2:])
    assert [(event["what"], event["name"]) for event in logged] == [("issued", "guest"), ("revoked", "guest")]


def test_settings_are_read_again_by_every_worker(site):
    fast = CHAT | {"model": "fast"}
    assert {site.post(fast).status_code for _ in range(8)} == {404}

    site.write('[models]\nfast = "openai/gpt-4o-mini"\n')
    site.up.send_signal(signal.SIGHUP)

    eventually(lambda: {site.post(fast).status_code for _ in range(8)} == {200})


async def call_through_an_upgrade(site, faults, finished, stop):
    """Callers of all kinds: kept connections, one connection a call, streams. Nothing is called twice: what is lost is
    lost.
    """
    limits = httpx.Limits(max_keepalive_connections=CALLERS)

    async def caller(web, kind, number):
        count = 0
        while not stop.is_set():
            count += 1
            task = f"upgrade-{kind}-{number}-{count}"
            headers = {"authorization": f"Bearer {site.key}", "x-modicum-task": task, "x-mock-delay-ms": "30"}
            body = CHAT | {"stream": kind == "stream"}
            try:
                if kind == "single":
                    async with httpx.AsyncClient(timeout=30) as once:
                        reply = await once.post(f"{site.url}/v1/chat/completions", json=body, headers=headers)
                else:
                    reply = await web.post(f"{site.url}/v1/chat/completions", json=body, headers=headers)
            except httpx.HTTPError as error:
                faults.append(f"{task}: {error!r}")
                continue
            whole = reply.status_code == 200 and (kind != "stream" or reply.text.rstrip().endswith("[DONE]"))
            if whole:
                finished.add(task)
            else:
                faults.append(f"{task}: {reply.status_code} {reply.text[:200]}")

    async with httpx.AsyncClient(limits=limits, timeout=30) as web:
        kinds = [("kept", 3), ("stream", 3), ("single", 2)]
        await asyncio.gather(*(caller(web, kind, number) for kind, most in kinds for number in range(most)))


def test_an_upgrade_drops_no_call_and_books_each_once(site):
    faults, finished, stop = [], set(), asyncio.Event()
    before, counted = site.workers(), site.counted()

    async def until(condition):
        while not condition():  # noqa: ASYNC110 - processes come and go by themselves
            await asyncio.sleep(0.1)

    def replaced():
        now = site.workers()
        return len(now) == 2 and not set(now.values()) & set(before.values())

    async def scenario():
        calling = asyncio.ensure_future(call_through_an_upgrade(site, faults, finished, stop))
        await more(finished, 30)
        site.up.send_signal(signal.SIGUSR2)
        await asyncio.wait_for(until(lambda: "the old ones end" in site.log()), 60)
        await more(finished, 60)
        await asyncio.wait_for(until(replaced), 60)
        await more(finished, 30)
        stop.set()
        await calling

    asyncio.run(scenario())

    assert faults == []
    eventually(lambda: "upgrade: done" in site.log())
    eventually(lambda: get(f"http://127.0.0.1:{site.console}/readyz")[0] == 200)

    def booked_once():
        tasks = Counter(entry.call.task for entry in site.entries() if entry.call.task.startswith("upgrade-"))
        return finished <= set(tasks) and tasks

    tasks = eventually(booked_once)
    assert set(tasks.values()) == {1}
    assert site.counted() == counted + len(tasks)
    assert site.get("/readyz") == (200, "ready\n")
    assert "modicum_calls_under_way 0.0" in site.get("/metrics")[1]


def test_an_upgrade_that_cannot_be_made_leaves_all_as_it_was(site):
    before = site.workers()
    settings = (site.folder / "modicum.toml").read_text()
    (site.folder / "modicum.toml").write_text(settings + '[[limit]]\nname = "a"\ncalls_per_minute = 5\n')
    site.up.send_signal(signal.SIGUSR2)
    eventually(lambda: "no upgrade: " in site.log())
    (site.folder / "modicum.toml").write_text(settings)

    assert "limits are counted in the gateway's memory" in site.log()
    assert site.workers() == before
    assert site.post().status_code == 200


class Part:
    """A process as an upgrade knows it."""

    def __init__(self, name, *, ready=False, status=None):
        self.name, self.ready, self.status = name, ready, status
        self.process, self.signals = object(), []

    def is_ready(self):
        return self.ready

    def start(self):
        self.signals.append("start")

    def poll_exit(self):
        status, self.status = self.status, None
        if status is not None:
            self.process = None
        return status

    def send_signal(self, number):
        self.signals.append(number)

    def stop(self, _within_s):
        self.signals.append("stop")


def upgrading(*fresh, fault=""):
    lines, generations = [], []

    def start(generation):
        generations.append(generation)
        return fresh

    return Upgrade(start, lambda: fault, lines.append), lines, generations


def test_old_workers_leave_when_all_new_ones_serve():
    old, new = [Part("a", ready=True), Part("b")], [Part("c"), Part("d")]
    upgrade, lines, generations = upgrading(*new)
    upgrade.begin()
    upgrade.begin()  # once more, in impatience
    new[0].ready = True
    assert upgrade.replaced(old) == old
    assert not old[0].signals
    new[1].ready = True

    assert upgrade.replaced(old) == new
    assert (old[0].signals, old[1].signals) == ([signal.SIGUSR2], [signal.SIGTERM])
    assert generations == [1]
    assert not upgrade.has_ended()
    old[0].status, old[1].status = 0, -9
    assert upgrade.replaced(new) == new
    assert upgrade.has_ended()
    assert upgrade.has_lost
    assert not upgrade.has_ended()
    assert any("under way" in line for line in lines)


def test_new_workers_that_do_not_come_up_are_given_up(monkeypatch):
    old, new = [Part("a", ready=True)], [Part("c")]
    upgrade, lines, generations = upgrading(*new)
    upgrade.begin()
    new[0].status = 2
    assert upgrade.replaced(old) == old
    assert "the c ended" in lines[-1]
    assert not old[0].signals
    assert upgrade.others == []

    monkeypatch.setattr("modicum.cli.supervisor.READY_WITHIN_S", -1.0)
    upgrade.begin()
    assert upgrade.replaced(old) == old
    assert "do not serve within" in lines[-1]
    assert generations == [1, 1]
    assert new[0].signals[-2:] == [signal.SIGTERM, "stop"]


def test_a_reason_against_it_is_said_and_nothing_starts():
    upgrade, lines, generations = upgrading(Part("c"), fault="the settings are wrong")
    upgrade.begin()

    assert (lines, generations) == (["no upgrade: the settings are wrong"], [])


def test_a_second_one_is_turned_away_and_harms_nothing(site):
    before = site.counted()
    words = [*WORDS, "up", "--workers", "3"]
    up = subprocess.run(words, env=site.environment, capture_output=True, text=True, check=False, timeout=60)

    assert up.returncode == 2
    assert "another 'modicum up' runs" in up.stderr
    assert site.counted() == before


def test_it_ends_with_nothing_running_and_a_conversation_goes_on_after_it(site):
    told = [{"role": "user", "content": "one?"}, {"role": "assistant", "content": "1"}]
    told += [{"role": "user", "content": "two?"}, {"role": "assistant", "content": "2"}]
    marked = {"x-modicum-tag-test": "restart"}
    assert site.post(CHAT | {"messages": told[:3]}, **marked).status_code == 200
    workers = site.workers()
    site.up.send_signal(signal.SIGTERM)

    assert site.up.wait(60) == 0
    assert len(workers) == 2
    for pid in workers.values():
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    assert site.get("/healthz") == (0, "")
    site.provider.send_signal(signal.SIGTERM)
    site.provider.wait(60)

    with site:
        site.post(CHAT | {"messages": [*told, {"role": "user", "content": "three?"}]}, **marked)

        def placed():
            calls = [entry.call for entry in site.entries() if entry.call.tags.get("test") == "restart"]
            return len(calls) == 2 and calls[-1].anatomy and calls

        calls = sorted(eventually(placed), key=lambda call: call.started)
    assert calls[0].conversation == calls[1].conversation
    assert [(call.anatomy.kept_segments, len(call.anatomy.added)) for call in calls] == [(0, 3), (3, 2)]


def test_a_part_that_cannot_run_ends_the_whole_with_its_reason(tmp_path):
    taken = bind_listener("test", "127.0.0.1", 0)
    taken.listen()
    other = Site(tmp_path)
    other.console = taken.getsockname()[1]
    other.write()

    up = subprocess.run([*WORDS, "up"], env=other.environment, capture_output=True, text=True, check=False, timeout=60)
    taken.close()

    assert up.returncode == 2
    assert "console.listen" in up.stderr


def test_what_falls_by_itself_is_started_later_each_time(monkeypatch):
    executable = sys.executable
    monkeypatch.setattr("modicum.cli.supervisor.sys.executable", "false")
    monkeypatch.setattr("modicum.cli.supervisor.time.monotonic", lambda: 100.0)
    falls, waits = [], []
    part = SupervisedProcess("gateway", ["--help"], on_exit=lambda: falls.append(None))

    for _ in range(3):
        part.start()
        part.process.wait(10)
        assert part.poll_exit() == 1
        assert part.poll_exit() is None
        waits.append(part.again_at - 100)
    monkeypatch.setattr("modicum.cli.supervisor.sys.executable", executable)
    part.start()
    part.process.kill()
    part.process.wait(10)
    part.poll_exit()

    assert waits == [1, 2, 4]
    assert part.again_at == 100.5
    assert len(falls) == 4


def test_a_part_that_others_do_not_need_is_given_up_when_it_falls_again_and_again(monkeypatch, capsys):
    now = [100.0]
    monkeypatch.setattr("modicum.cli.supervisor.sys.executable", "false")
    monkeypatch.setattr("modicum.cli.supervisor.time.monotonic", lambda: now[0])
    pages = SupervisedProcess("console", [], is_needed=False)
    supervisor = Supervisor(SupervisedProcess("ledger", []), [], None, drain_s=0, pages=pages)

    def fall():
        pages.start()
        pages.process.wait(10)
        assert not supervisor._cannot_go_on(pages, pages.poll_exit())

    for _ in range(MOST_FAULTS - 1):
        fall()
    assert supervisor._pages is pages
    monkeypatch.setattr("modicum.cli.supervisor.WELL_AFTER_S", 0.0)  # it ran well for a while, and then fell
    fall()
    assert pages.again_at == now[0] + 2 * AGAIN_AFTER_S
    monkeypatch.setattr("modicum.cli.supervisor.WELL_AFTER_S", 60.0)
    for _ in range(MOST_FAULTS - 1):
        fall()

    assert supervisor._pages is None
    assert f"the console ended {MOST_FAULTS} times in a row, at last with status 1" in capsys.readouterr().err


def test_a_worker_that_does_not_end_is_killed_after_its_time(monkeypatch, tmp_path):
    stubborn = tmp_path / "stubborn"
    stubborn.write_text(f"#!{sys.executable}\n{STUBBORN}")
    stubborn.chmod(0o700)
    monkeypatch.setattr("modicum.cli.supervisor.sys.executable", str(stubborn))
    monkeypatch.setattr("modicum.cli.supervisor.WORKER_ENDS_WITHIN_S", 0.1)
    reader, writer = os.pipe()
    worker, ending = SupervisedProcess("gateway", [str(writer)], [writer]), []
    worker.start()
    os.close(writer)
    assert os.read(reader, 100) == b"deaf"
    bound = bind_listener("test", "127.0.0.1", 0)
    running = worker.process

    Supervisor(
        SupervisedProcess("ledger", []), [worker], bound, drain_s=0.1, ending=lambda: ending.append(None)
    )._stop_parts()

    os.close(reader)
    assert ending == [None]
    assert bound.fileno() == -1
    assert running.returncode == -signal.SIGKILL


STUBBORN = """
import os, signal, sys, threading
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.write(int(sys.argv[-1]), b"deaf")
threading.Event().wait()
"""


SIGNALS_WHILE_WAITING = """
import os, signal, socket, sys, threading
from modicum.cli.supervisor import SupervisedProcess, Supervisor

class Runs(SupervisedProcess):
    def start(self):
        self.process = self
    def poll_exit(self):
        return None
    def send_signal(self, number):
        pass
    def stop(self, within_s):
        pass

def trace(frame, event, argument):
    if frame.f_code.co_filename == threading.__file__:
        os.kill(os.getpid(), signal.SIGHUP)  # handled before the next line, whatever lock is held there
    return trace

supervisor = Supervisor(Runs("ledger", []), [], socket.socket(), drain_s=0)
threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGTERM)).start()
signal.signal(signal.SIGHUP, signal.SIG_IGN)
sys.settrace(trace)
print("ended", supervisor.run())
"""


def test_a_signal_at_any_moment_of_the_wait_leaves_the_supervisor_able_to_end():
    ended = subprocess.run(
        [sys.executable, "-c", SIGNALS_WHILE_WAITING], capture_output=True, text=True, timeout=20, check=True
    )
    assert ended.stdout == "ended 0\n"
