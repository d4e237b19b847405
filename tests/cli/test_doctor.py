"""`modicum doctor`, as a person types it."""

import json
import subprocess
import sys

import pytest

from cli.process_rig import free_port, journaled, run_modicum
from gateway.certificates import Authority
from ledger.faults import GARBAGE, garbage
from modicum.settings import state_folder


def test_doctor_names_file_line_and_what_is_accepted(folder):
    (folder / "modicum.toml").write_text('[gateway]\nmost_calls = "many"\n')

    said = run_modicum("doctor", status=1)

    assert "modicum.toml:2" in said
    assert "most_calls (int)" in said


def test_doctor_compares_open_files_and_memory_with_what_is_set(folder):
    (folder / "modicum.toml").write_text("[gateway]\nmost_calls = 100\nmost_bodies_mb = 300\nworkers = 2\n")
    said = run_modicum("doctor")
    assert "ok    open files: " in said
    assert "enough for 50 calls at once" in said
    assert "ok    memory of requests: 150 MB at once in each gateway process (gateway.most_bodies_mb)" in said

    lowered = f"ulimit -n 128 && exec {sys.executable} -m modicum doctor"
    done = subprocess.run(["bash", "-c", lowered], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "WRONG open files: 128 open files are enough for 32 calls at once in one process, not for 50" in done.stdout


def test_doctor_says_when_nobody_can_use_an_upstream(folder):
    text = '[upstreams.openai]\nurl = "https://api.openai.com/v1"\nspeaks = "openai"\n'
    (folder / "modicum.toml").write_text(text)
    assert "set upstreams.openai.key, or own_keys = true" in run_modicum("doctor", status=1)

    (folder / "modicum.toml").write_text(f"{text}own_keys = true\n")
    run_modicum("doctor")


def test_doctor_says_whether_spans_can_be_sent(folder):
    (folder / "modicum.toml").write_text(f'[otel]\nendpoint = "http://127.0.0.1:{free_port()}"\n')
    assert "WRONG otel: http://127.0.0.1:" in (said := run_modicum("doctor", status=1))
    assert "/v1/traces does not answer; is it the port and path of OTLP over HTTP?" in said

    (folder / "modicum.toml").write_text('[otel]\nendpoint = "http://127.0.0.1:4317"\nprotocol = "grpc"\n')
    assert "otel.protocol 'grpc' is not spoken" in run_modicum("doctor", status=1)


def test_doctor_says_who_sees_owners_and_where_alerts_go(folder):
    settings = folder / "modicum.toml"
    settings.write_text('[metrics]\ntoken = "env:NOT_SET_ANYWHERE"\n[alerts]\nwebhook = "file:nowhere"\n')
    printed = run_modicum("doctor", status=1)
    assert "WRONG metrics: metrics.token: NOT_SET_ANYWHERE is not set" in printed
    assert "WRONG alerts: alerts.webhook: nowhere cannot be read" in printed
    (folder / "token").write_text("abc")
    settings.write_text(f'[metrics]\ntoken = "file:{folder / "token"}"\n[alerts]\nwebhook = "http://h.example/s3"\n')
    printed = run_modicum("doctor")
    assert "who has the token of file:" in printed
    assert "posted to http://h.example; 'modicum alert test' tries it" in printed


def test_doctor_says_who_can_call_and_whether_it_is_encrypted(folder):
    def listener(text):
        (folder / "modicum.toml").write_text(f"[gateway]\n{text}\n")
        (said,) = [line for line in run_modicum("doctor").splitlines() if " listener: " in line]
        return said

    port = free_port()
    assert listener(f'listen = "127.0.0.1:{port}"').endswith(f"127.0.0.1:{port}, no TLS, only this machine can call")
    anybody = listener(f'listen = "0.0.0.0:{port}"')
    assert "no TLS: keys and prompts pass in clear" in anybody
    assert "answers to any name" in anybody
    assert "any name" not in listener(f'listen = "0.0.0.0:{port}"\nhosts = ["llm.example.com"]')
    certificate, key = Authority(folder).issue("llm.example.com", "10.0.0.1")
    files = f'tls_certificate_file = "{certificate.name}"\ntls_key_file = "{key.name}"'
    assert f"{port}, TLS for llm.example.com, 10.0.0.1 until 2" in listener(f'listen = "0.0.0.0:{port}"\n{files}')
    (folder / "modicum.toml").write_text('[gateway]\ntls_certificate_file = "none.pem"\n')
    assert "modicum.toml:2: gateway.tls_certificate_file: none.pem cannot be read" in run_modicum("doctor", status=1)


def test_doctor_looks_at_plans_of_teams(folder):
    (folder / "modicum.toml").write_text('[teams.support]\nplan = "plan.json"\n[teams.sales]\nplan = "sales.json"\n')
    plan = {"schema": "team-plan/1", "team": "support", "decision": "reduce", "agents": ["a", "b"], "rounds": 1}
    (folder / "plan.json").write_text(json.dumps(plan))
    (folder / "sales.json").write_text(json.dumps(plan, indent=1))

    said = run_modicum("doctor", status=1)

    assert "ok    plan of team support: plan.json, reduce, not verified" in said
    assert "WRONG plan of team sales: " in said
    assert "sales.json:3: made for the team 'support', not for 'sales'" in said
    assert "x-modicum-round" not in said

    with (folder / "modicum.toml").open("a") as file:
        file.write("[gateway]\nworkers = 2\n")
    said = run_modicum("doctor", status=1)
    assert "ok    rounds of teams: 2 workers, each of which knows only the calls that it saw: callers must" in said


@pytest.mark.parametrize("name", GARBAGE)
def test_doctor_names_a_garbage_journal_and_what_to_type(folder, name):
    path = garbage(state_folder() / "journal", name)
    garbage(state_folder() / "spans", name)

    said = run_modicum("doctor", status=1)

    assert f"WRONG journal {path}: the journal cannot be read (" in said
    assert f"mv '{path}' '{path}.broken'" in said
    assert f"WRONG journal {state_folder() / 'spans' / path.name}" in said
    assert "Traceback" not in said


def test_doctor_counts_what_is_not_in_the_ledger_yet_and_names_what_was_set_aside(folder):
    journaled(1)
    assert "1 record not in the ledger yet" in run_modicum("doctor")
    (state_folder() / "journal" / "gateway-2.sqlite.broken").write_text("x")
    (state_folder() / "events.sqlite").write_bytes(b"garbage " * 1000)

    said = run_modicum("doctor", status=1)

    assert f"WRONG file {state_folder() / 'journal' / 'gateway-2.sqlite.broken'}: it was broken" in said
    assert "WRONG file of keys: " in said


def test_doctor_looks_at_the_rest_where_no_folder_can_be_made(modicum, monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file" / "data"))
    said = modicum("doctor")

    assert said.status == 1
    assert f"WRONG folder: {tmp_path}/file/data" in said.out
    assert f"WRONG ledger: {tmp_path}/file/data" in said.out
    assert "ok    otel: " in said.out
