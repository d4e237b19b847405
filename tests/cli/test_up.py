"""`modicum up`, with its parts as processes of their own."""

import json
import os
import resource
import signal
import ssl
import subprocess
import sys

import httpx2 as httpx
import pytest

from cli.process_rig import WORDS, ask, eventually, free_port, logged_line, part, ready, run_modicum
from gateway.certificates import Authority
from modicum.calls import UserError
from modicum.cli import up
from modicum.cli.up import welcome_text
from modicum.settings import GatewaySettings, OtelSettings, Settings, read_settings


def test_up_meters_a_program_survives_a_kill_and_ends_on_sigterm(folder):
    mock, gateway, console = free_port(), free_port(), free_port()
    settings = run_modicum("mock", "--settings", "--listen", f"127.0.0.1:{mock}")
    (folder / "modicum.toml").write_text(
        f'{settings}\n[gateway]\nlisten = "127.0.0.1:{gateway}"\n'
        f'[console]\npages_listen = ""\nlisten = "127.0.0.1:{console}"\n'
    )
    key = json.loads(run_modicum("key", "create", "ci", "--json"))["key"]
    with (
        subprocess.Popen([*WORDS, "mock", "--listen", f"127.0.0.1:{mock}"], stderr=subprocess.DEVNULL) as provider,
        subprocess.Popen([*WORDS, "up"], stderr=subprocess.PIPE, text=True) as up,
    ):
        try:
            ready(f"http://127.0.0.1:{gateway}/readyz")
            ready(f"http://127.0.0.1:{console}/readyz")
            ask(gateway, key)
            listed = eventually(lambda: json.loads(run_modicum("top", "--once", "--json"))["rows"])
            assert listed[0]["name"] == "gpt-4o-mini"
            assert json.loads(run_modicum("bill", "--json"))["calls"] == 1  # asked of the process that holds the ledger
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
    assert json.loads(run_modicum("bill", "--json"))["calls"] == 2
    (exposed,) = json.loads(run_modicum("exposure", "--json"))["rows"]
    assert (exposed["calls"], exposed["calls_not_looked_at"]) == (2, 0)
    assert exposed["seen"] == {"email": 1}  # sent with both calls, booked with the first
    written = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert b"ada.lovelace" not in written
    assert b"ada.lovelace" not in said.encode()


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="limits of other processes can be read on Linux only")
def test_up_raises_the_limit_of_open_files_for_all_its_processes(folder):
    (folder / "modicum.toml").write_text(
        f'[gateway]\nlisten = "127.0.0.1:{free_port()}"\n'
        f'[console]\npages_listen = ""\nlisten = "127.0.0.1:{free_port()}"\n'
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


def test_workers_speak_tls_and_doctor_sees_whether_they_show_the_certificate_that_is_set(folder, monkeypatch):
    authority, gateway, console = Authority(folder), free_port(), free_port()
    authority.issue("localhost")
    (folder / "modicum.toml").write_text(
        f'[gateway]\nlisten = "127.0.0.1:{gateway}"\nworkers = 2\ntls_certificate_file = "server.pem"\n'
        f'tls_key_file = "server.key"\n[console]\npages_listen = ""\nlisten = "127.0.0.1:{console}"\n'
    )
    web = httpx.Client(verify=ssl.create_default_context(cafile=str(authority.file)))

    def ready():
        try:
            return web.get(f"https://localhost:{gateway}/readyz").status_code == 200
        except httpx.HTTPError:
            return False

    with (
        (folder / "log").open("w+") as log,
        subprocess.Popen([*WORDS, "up"], stderr=log) as up,
    ):
        try:
            eventually(ready)
            assert f"OPENAI_BASE_URL=https://127.0.0.1:{gateway}/v1" in (folder / "log").read_text()
            assert f"gateway: on 127.0.0.1:{gateway}: ready" in run_modicum("doctor")
            authority.issue("localhost", to="other")
            files = (folder / "modicum.toml").read_text()
            (folder / "other.toml").write_text(files.replace("server.", "other."))
            monkeypatch.setenv("MODICUM_CONFIG", str(folder / "other.toml"))
            assert "shows another certificate than other.pem" in run_modicum("doctor", status=1)
            (folder / "other.toml").write_text(f'[gateway]\nlisten = "127.0.0.1:{gateway}"\n')
            assert "speaks no plain HTTP" in run_modicum("doctor", status=1)
        finally:
            web.close()
            up.send_signal(signal.SIGTERM)
            up.wait(60)


def test_parts_that_are_started_again_take_no_other_settings_for_those_that_have_gone(folder, monkeypatch):
    file = folder / "modicum.toml"
    file.write_text(f'[gateway]\nlisten = "127.0.0.1:{free_port()}"\n')
    monkeypatch.setenv("MODICUM_CONFIG", "")  # so that it is put back at the end

    def run(supervisor):
        supervisor._bound.close()
        file.unlink()

    monkeypatch.setattr("modicum.cli.supervisor.Supervisor.run", run)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    up._run_supervisor(read_settings(), 1)

    with pytest.raises(UserError, match="there is no such settings file"):
        read_settings()


@pytest.mark.parametrize(
    ("gateway", "base"),
    [
        (GatewaySettings(), "http://127.0.0.1:4000"),
        (GatewaySettings(listen="[::1]:4000"), "http://[::1]:4000"),
        (GatewaySettings(listen="0.0.0.0:80"), "http://127.0.0.1:80"),
        (GatewaySettings(listen="0.0.0.0:80", hosts=("llm.example.com",)), "http://llm.example.com:80"),
        (GatewaySettings(tls_certificate_file="a.pem", tls_key_file="a.key"), "https://127.0.0.1:4000"),
    ],
)
def test_it_prints_the_addresses_to_set_as_callers_have_to_write_them(gateway, base):
    lines = welcome_text(Settings(gateway=gateway)).splitlines()

    assert lines[0].startswith(f"gateway on {base}, ledger ")
    assert [line.strip() for line in lines[1:4]] == [
        f"OPENAI_BASE_URL={base}/v1",
        f"ANTHROPIC_BASE_URL={base}",
        f"GOOGLE_GEMINI_BASE_URL={base}",
    ]


def test_it_prints_how_many_workers_there_are_and_where_spans_go():
    printed = welcome_text(Settings(otel=OtelSettings(endpoint="http://collector.test:4318")), 4)

    assert "(4 workers)" in printed
    assert printed.endswith("\nspans go to http://collector.test:4318/v1/traces")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ('[otel]\nendpoint = "http://127.0.0.1:4317"\nprotocol = "grpc"\n', "otel.protocol 'grpc' is not spoken"),
        (
            '[gateway]\ntls_certificate_file = "none.pem"\n',
            "modicum.toml:2: gateway.tls_certificate_file: none.pem cannot be read",
        ),
        ('[console]\npages_listen = ""\nlisten = "here"\n', "console.listen"),
    ],
)
def test_settings_that_cannot_work_are_refused_before_any_part_starts(folder, settings, message):
    (folder / "modicum.toml").write_text(settings)

    refused = run_modicum("up", status=2)

    assert message in refused
    assert len(refused.splitlines()) == 1
