"""init, key, doctor, top, mock and up, as a person types them."""

import json
import os
import signal
import ssl
import subprocess
import sys
import time

import httpx2 as httpx
import openai
import pytest

from gateway.certificates import Authority
from modicum.settings import listening


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
    bound = listening("test", "127.0.0.1:0")
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
