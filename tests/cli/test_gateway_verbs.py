"""init, key, doctor, top, mock and up, as a person types them."""

import asyncio
import json
import os
import resource
import signal
import ssl
import subprocess
import sys
import time
from datetime import UTC, datetime

import httpx2 as httpx
import msgspec
import openai
import pytest

from gateway.certificates import Authority
from ledger.faults import GARBAGE, garbage
from ledger_process.rig import LedgerProcess, until
from modicum.calls import Call, Usage, UserError
from modicum.cli import up
from modicum.ledger.journal import Journal, Record
from modicum.outbound.listener import bind_listener
from modicum.settings import read_settings, state_folder


@pytest.fixture
def home(tmp_path, monkeypatch):
    for name in ("XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("MODICUM_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def modicum(*words, status=0):
    done = subprocess.run([sys.executable, "-m", "modicum", *words], capture_output=True, text=True, check=False)
    assert done.returncode == status, done.stderr
    return done.stdout if status == 0 else done.stdout + done.stderr


def free_port():
    bound = bind_listener("test", "127.0.0.1", 0)
    port = bound.getsockname()[1]
    bound.close()
    return port


def test_init_writes_settings_that_doctor_accepts(home):
    modicum("init")

    said = modicum("doctor", "--json")

    assert {check["fine"] for check in json.loads(said)} == {True}
    assert "init --force" in modicum("init", status=2)


def test_doctor_names_file_line_and_what_is_accepted(home):
    (home / "modicum.toml").write_text('[gateway]\nmost_calls = "many"\n')

    said = modicum("doctor", status=1)

    assert "modicum.toml:2" in said
    assert "most_calls (int)" in said


def test_doctor_compares_open_files_and_memory_with_what_is_set(home):
    (home / "modicum.toml").write_text("[gateway]\nmost_calls = 100\nmost_bodies_mb = 300\nworkers = 2\n")
    said = modicum("doctor")
    assert "ok    open files: " in said
    assert "enough for 50 calls at once" in said
    assert "ok    memory of requests: 150 MB at once in each gateway process (gateway.most_bodies_mb)" in said

    lowered = f"ulimit -n 128 && exec {sys.executable} -m modicum doctor"
    done = subprocess.run(["bash", "-c", lowered], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "WRONG open files: 128 open files are enough for 32 calls at once in one process, not for 50" in done.stdout


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits of other processes can be read on Linux only")
def test_up_raises_the_limit_of_open_files_for_all_its_processes(home):
    (home / "modicum.toml").write_text(
        f'[gateway]\nlisten = "127.0.0.1:{free_port()}"\n[console]\nlisten = "127.0.0.1:{free_port()}"\n'
    )
    lowered = f"ulimit -Sn 200 && ulimit -Hn 512 && exec {sys.executable} -m modicum up"
    with subprocess.Popen(["bash", "-c", lowered], stderr=subprocess.PIPE, text=True) as up:
        try:
            parts = [up.pid, *(eventually(lambda name=name: part(up.pid, name)) for name in ("gateway", "ledger"))]
            for pid in parts:
                eventually(lambda pid=pid: resource.prlimit(pid, resource.RLIMIT_NOFILE) == (512, 512))
            said = logged_line(up, "open_files_short")
        finally:
            up.send_signal(signal.SIGTERM)
            up.stderr.read()

    assert "512 open files are enough for 224 calls at once" in said


def logged_line(process, event):
    """The next line of that event."""
    while line := process.stderr.readline():
        if f'"event":"{event}"' in line:
            return line
    return ""


def test_doctor_says_when_nobody_can_use_an_upstream(home):
    text = '[upstreams.openai]\nurl = "https://api.openai.com/v1"\nspeaks = "openai"\n'
    (home / "modicum.toml").write_text(text)
    assert "set upstreams.openai.key, or own_keys = true" in modicum("doctor", status=1)

    (home / "modicum.toml").write_text(f"{text}own_keys = true\n")
    modicum("doctor")


def test_doctor_says_whether_spans_can_be_sent(home):
    (home / "modicum.toml").write_text(f'[otel]\nendpoint = "http://127.0.0.1:{free_port()}"\n')
    assert "WRONG otel: http://127.0.0.1:" in (said := modicum("doctor", status=1))
    assert "/v1/traces does not answer; is it the port and path of OTLP over HTTP?" in said

    (home / "modicum.toml").write_text('[otel]\nendpoint = "http://127.0.0.1:4317"\nprotocol = "grpc"\n')
    assert "otel.protocol 'grpc' is not spoken" in modicum("doctor", status=1)
    assert "otel.protocol 'grpc' is not spoken" in modicum("up", status=2)


def test_doctor_says_who_can_call_and_whether_it_is_encrypted(home):
    def listener(text):
        (home / "modicum.toml").write_text(f"[gateway]\n{text}\n")
        (said,) = [line for line in modicum("doctor").splitlines() if " listener: " in line]
        return said

    port = free_port()
    assert listener(f'listen = "127.0.0.1:{port}"').endswith(f"127.0.0.1:{port}, no TLS, only this machine can call")
    anybody = listener(f'listen = "0.0.0.0:{port}"')
    assert "no TLS: keys and prompts pass in clear" in anybody
    assert "answers to any name" in anybody
    assert "any name" not in listener(f'listen = "0.0.0.0:{port}"\nhosts = ["llm.example.com"]')
    certificate, key = Authority(home).issue("llm.example.com", "10.0.0.1")
    files = f'tls_certificate_file = "{certificate.name}"\ntls_key_file = "{key.name}"'
    assert f"{port}, TLS for llm.example.com, 10.0.0.1 until 2" in listener(f'listen = "0.0.0.0:{port}"\n{files}')
    (home / "modicum.toml").write_text('[gateway]\ntls_certificate_file = "none.pem"\n')
    assert "modicum.toml:2: gateway.tls_certificate_file: none.pem cannot be read" in modicum("doctor", status=1)
    assert "modicum.toml:2: gateway.tls_certificate_file: none.pem cannot be read" in modicum("up", status=2)


def test_workers_speak_tls_and_doctor_sees_whether_they_show_the_certificate_that_is_set(home, monkeypatch):
    authority, gateway, console = Authority(home), free_port(), free_port()
    authority.issue("localhost")
    (home / "modicum.toml").write_text(
        f'[gateway]\nlisten = "127.0.0.1:{gateway}"\nworkers = 2\ntls_certificate_file = "server.pem"\n'
        f'tls_key_file = "server.key"\n[console]\nlisten = "127.0.0.1:{console}"\n'
    )
    web = httpx.Client(verify=ssl.create_default_context(cafile=str(authority.file)))

    def ready():
        try:
            return web.get(f"https://localhost:{gateway}/readyz").status_code == 200
        except httpx.HTTPError:
            return False

    with (
        (home / "log").open("w+") as log,
        subprocess.Popen([sys.executable, "-m", "modicum", "up"], stderr=log) as up,
    ):
        try:
            eventually(ready)
            assert f"OPENAI_BASE_URL=https://127.0.0.1:{gateway}/v1" in (home / "log").read_text()
            assert f"gateway: on 127.0.0.1:{gateway}: ready" in modicum("doctor")
            authority.issue("localhost", to="other")
            files = (home / "modicum.toml").read_text()
            (home / "other.toml").write_text(files.replace("server.", "other."))
            monkeypatch.setenv("MODICUM_CONFIG", str(home / "other.toml"))
            assert "shows another certificate than other.pem" in modicum("doctor", status=1)
            (home / "other.toml").write_text(f'[gateway]\nlisten = "127.0.0.1:{gateway}"\n')
            assert "speaks no plain HTTP" in modicum("doctor", status=1)
        finally:
            web.close()
            up.send_signal(signal.SIGTERM)
            up.wait(60)


def test_doctor_looks_at_plans_of_teams(home):
    (home / "modicum.toml").write_text('[teams.support]\nplan = "plan.json"\n[teams.sales]\nplan = "sales.json"\n')
    plan = {"schema": "team-plan/1", "team": "support", "decision": "reduce", "agents": ["a", "b"], "rounds": 1}
    (home / "plan.json").write_text(json.dumps(plan))
    (home / "sales.json").write_text(json.dumps(plan, indent=1))

    said = modicum("doctor", status=1)

    assert "ok    plan of team support: plan.json, reduce, not verified" in said
    assert "WRONG plan of team sales: " in said
    assert "sales.json:3: made for the team 'support', not for 'sales'" in said
    assert "x-modicum-round" not in said

    with (home / "modicum.toml").open("a") as file:
        file.write("[gateway]\nworkers = 2\n")
    said = modicum("doctor", status=1)
    assert "ok    rounds of teams: 2 workers, each of which knows only the calls that it saw: callers must" in said


def test_a_key_is_shown_once_listed_and_revoked(home):
    assert "modicum key create" in modicum("key", "list")
    assert "modicum key create" in modicum("key", "log")
    made = json.loads(modicum("key", "create", "ci", "--team", "platform", "--model", "gpt-*", "--json"))

    listed = modicum("key", "list")
    assert "platform" in listed
    assert made["key"] not in listed
    assert "revoked" in modicum("key", "revoke", "ci")
    assert "modicum key create" in modicum("key", "list")
    assert json.loads(modicum("key", "list", "--json")) == []
    assert "modicum key list" in modicum("key", "revoke", "ci", status=2)
    logged = json.loads(modicum("key", "log", "--json"))
    assert [(event["what"], event["name"], event["team"]) for event in logged] == [
        ("issued", "ci", "platform"),
        ("revoked", "ci", "platform"),
    ]
    assert modicum("key", "log").count("platform") == 2  # asked twice, booked once
    again = json.loads(modicum("key", "create", "ci", "--json"))
    assert json.loads(modicum("key", "revoke", "ci", "--json"))["id"] == again["id"]


def on_a_full_disk(*words, into=subprocess.PIPE):
    """A verb whose files may not grow past their first byte."""

    def fill():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))

    return subprocess.run(
        [sys.executable, "-m", "modicum", *words],
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


def test_a_key_that_is_not_on_the_disk_is_not_shown_and_does_not_exist(home):
    digest_key = home / "XDG_DATA_HOME" / "modicum" / "digest.key"
    one_line_and_no_trace(on_a_full_disk("key", "create", "ci"), str(digest_key), "File too large", "modicum doctor")
    assert not digest_key.exists()

    modicum("key", "create", "first")
    done = on_a_full_disk("key", "create", "ci")

    one_line_and_no_trace(done, "events.sqlite", "nothing was changed")
    assert [key["name"] for key in json.loads(modicum("key", "list", "--json"))] == ["first"]
    assert len(modicum("key", "create", "ci").strip()) > 20


def test_a_key_that_cannot_be_shown_can_be_ended(home):
    modicum("key", "create", "first")
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        done = subprocess.run(
            [sys.executable, "-m", "modicum", "key", "create", "ci"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    made = json.loads(modicum("key", "list", "--json"))[-1]
    one_line_and_no_trace(done, "could not be shown", f"modicum key revoke {made['id']}")
    modicum("key", "revoke", made["id"])


FULL = """
mount -t tmpfs -o size=256k tmpfs "$XDG_DATA_HOME" || exit 99
"$0" -m modicum key create first || exit 98
dd if=/dev/zero of="$XDG_DATA_HOME/ballast" bs=1k 2>/dev/null
for name in 1 2 3 4 5 6 7 8 9; do "$0" -m modicum key create $name && echo made $name; done
rm "$XDG_DATA_HOME/ballast"
"$0" -m modicum key list --json
"""


def test_on_a_disk_that_is_really_full_only_keys_that_exist_are_shown(home):
    (home / "XDG_DATA_HOME").mkdir()
    words = ["unshare", "--mount", "--map-root-user", "sh", "-c", FULL, sys.executable]
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no unshare, so no small disk of our own")
    if done.returncode != 0 and ("unshare" in done.stderr or done.returncode == 99):
        pytest.skip(f"no small disk can be mounted here: {done.stderr.splitlines()[0]}")

    shown, listed = done.stdout.split("[", 1)
    made = [line.removeprefix("made ") for line in shown.splitlines() if line.startswith("made ")]
    assert [key["name"] for key in json.loads("[" + listed)] == ["first", *made]
    assert len(made) < 9
    assert "Traceback" not in done.stderr
    assert "run the command again" in done.stderr or "cannot be used" in done.stderr


def test_a_broken_key_of_digests_is_said(home):
    modicum("key", "create", "ci")
    (home / "XDG_DATA_HOME" / "modicum" / "digest.key").write_bytes(b"half of it")

    said = modicum("key", "create", "other", status=2)

    assert "is broken (10 bytes instead of 32)" in said
    assert "Traceback" not in said


def test_an_import_into_a_full_disk_is_one_line(home):
    sample = os.path.join(os.path.dirname(__import__("modicum").__file__), "sample", "logs")  # noqa: PTH118, PTH120
    one_line_and_no_trace(on_a_full_disk("import", sample, "--ledger", "new.duckdb"), "new.duckdb", "make room")
    modicum("key", "create", "ci")  # and the key of digests
    modicum("ledger", "info", "--ledger", "old.duckdb")

    one_line_and_no_trace(on_a_full_disk("import", sample, "--ledger", "old.duckdb"), "old.duckdb", "make room")


@pytest.mark.parametrize("name", GARBAGE)
def test_doctor_names_a_garbage_journal_and_what_to_type(home, name):
    path = garbage(state_folder() / "journal", name)
    garbage(state_folder() / "spans", name)

    said = modicum("doctor", status=1)

    assert f"WRONG journal {path}: the journal cannot be read (" in said
    assert f"mv '{path}' '{path}.broken'" in said
    assert f"WRONG journal {state_folder() / 'spans' / path.name}" in said
    assert "Traceback" not in said


def journaled(number):
    async def write():
        journal = Journal(state_folder() / "journal")
        at = datetime.now(UTC)
        told = {"source": "gateway", "provider": "openai", "model": "gpt-4o-mini", "started": at, "usage": Usage(9, 9)}
        body = msgspec.msgpack.encode(Call(call_id=f"gateway:{number}", **told))
        await journal.append(Record(f"{number}", "call", body))
        journal.close()

    asyncio.run(write())


def test_doctor_counts_what_is_not_in_the_ledger_yet_and_names_what_was_set_aside(home):
    journaled(1)
    assert "1 records not in the ledger yet" in modicum("doctor")
    (state_folder() / "journal" / "gateway-2.sqlite.broken").write_text("x")
    (state_folder() / "events.sqlite").write_bytes(b"garbage " * 1000)

    said = modicum("doctor", status=1)

    assert f"WRONG file {state_folder() / 'journal' / 'gateway-2.sqlite.broken'}: it was broken" in said
    assert "WRONG file of keys: " in said


def test_bill_tells_the_calls_of_the_other_journals_while_one_is_garbage(home):
    (home / "modicum.toml").write_text(f'ledger = "{state_folder() / "ledger.duckdb"}"\n')
    garbage(state_folder() / "journal", "random")
    journaled(1)
    with LedgerProcess(state_folder()) as ledger:
        until(lambda: any("the journal cannot be read" in line for line in ledger.said))
        until(lambda: "gpt-4o-mini" in subprocess.run(
            [sys.executable, "-m", "modicum", "bill"], capture_output=True, text=True, check=False
        ).stdout)  # fmt: skip


def test_parts_that_are_started_again_take_no_other_settings_for_those_that_have_gone(home, monkeypatch):
    file = home / "modicum.toml"
    file.write_text(f'[gateway]\nlisten = "127.0.0.1:{free_port()}"\n')
    monkeypatch.setenv("MODICUM_CONFIG", "")  # so that it is put back at the end

    def run(supervisor):
        supervisor._bound.close()
        file.unlink()

    monkeypatch.setattr("modicum.cli.supervisor.Supervisor.run", run)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    up._up(read_settings(), 1)

    with pytest.raises(UserError, match="there is no such settings file"):
        read_settings()


def test_top_without_a_gateway_says_what_to_type(home):
    assert "modicum up" in modicum("top", "--once", status=2)


def test_up_meters_a_program_survives_a_kill_and_ends_on_sigterm(home):
    mock, gateway, console = free_port(), free_port(), free_port()
    settings = modicum("mock", "--settings", "--listen", f"127.0.0.1:{mock}")
    (home / "modicum.toml").write_text(
        f'{settings}\n[gateway]\nlisten = "127.0.0.1:{gateway}"\n[console]\nlisten = "127.0.0.1:{console}"\n'
    )
    words = [sys.executable, "-m", "modicum"]
    key = json.loads(modicum("key", "create", "ci", "--json"))["key"]
    with (
        subprocess.Popen([*words, "mock", "--listen", f"127.0.0.1:{mock}"], stderr=subprocess.DEVNULL) as provider,
        subprocess.Popen([*words, "up"], stderr=subprocess.PIPE, text=True) as up,
    ):
        try:
            ready(f"http://127.0.0.1:{gateway}/readyz")
            ready(f"http://127.0.0.1:{console}/readyz")
            ask(gateway, key)
            listed = eventually(lambda: json.loads(modicum("top", "--once", "--json"))["rows"])
            assert listed[0]["name"] == "gpt-4o-mini"
            assert json.loads(modicum("bill", "--json"))["calls"] == 1  # asked of the process that holds the ledger
            os.kill(eventually(lambda: part(up.pid, "gateway")), signal.SIGKILL)
            eventually(lambda: part(up.pid, "gateway"))
            ready(f"http://127.0.0.1:{gateway}/readyz")
            ask(gateway, key)
        finally:
            up.send_signal(signal.SIGTERM)
            provider.send_signal(signal.SIGTERM)
        said = up.stderr.read()

    assert up.returncode == 0
    assert f"OPENAI_BASE_URL=http://127.0.0.1:{gateway}/v1" in said
    assert "starting it again" in said
    assert json.loads(modicum("bill", "--json"))["calls"] == 2
    (exposed,) = json.loads(modicum("exposure", "--json"))["rows"]
    assert (exposed["calls"], exposed["calls_not_looked_at"]) == (2, 0)
    assert exposed["seen"] == {"email": 1}  # sent with both calls, booked with the first
    written = b"".join(path.read_bytes() for path in home.rglob("*") if path.is_file())
    assert b"ada.lovelace" not in written
    assert b"ada.lovelace" not in said.encode()


def ask(port, key):
    with openai.OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key=key, max_retries=0) as client:
        client.chat.completions.create(
            model="gpt-4o-mini", messages=[{"role": "user", "content": "write to ada.lovelace@engine.org"}]
        )


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
    listed = subprocess.run(
        ["ps", "-ww", "-o", "pid,ppid,args", "-e"], capture_output=True, text=True, check=True
    ).stdout
    for line in listed.splitlines()[1:]:
        pid, ppid, args = line.split(None, 2)
        if int(ppid) == parent and args.endswith(f"--part {name}"):
            return int(pid)
    return 0
