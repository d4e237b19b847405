from cli.process_rig import journaled
from gateway.rig import running, usual
from ledger_process.rig import LedgerProcess, until
from modicum.cli.limits.headroom import headroom_rows
from modicum.settings import state_folder

METRICS = """\
modicum_provider_limit{upstream="openai",model="gpt-4o-mini",unit="requests"} 500.0
modicum_provider_limit_left{upstream="openai",model="gpt-4o-mini",unit="requests"} 490.0
modicum_provider_limit{upstream="openai",model="gpt-4o-mini",unit="tokens"} 10000.0
modicum_provider_limit_left{upstream="openai",model="gpt-4o-mini",unit="tokens"} 9000.0
modicum_provider_limit{upstream="old",model="m",unit="tokens"} NaN
modicum_provider_limit_left{upstream="old",model="m",unit="tokens"} NaN
modicum_provider_limit{upstream="idle",model="other",unit="requests"} 5.0
modicum_provider_limit_left{upstream="idle",model="other",unit="requests"} 5.0
"""


def test_more_users_fit_as_the_present_ones_use_it():
    live = [
        {"name": "gpt-4o-mini-2024-07-18", "calls": 50, "prompt_tokens": 9_000, "completion_tokens": 1_000, "users": 2},
        {"name": "gpt-5", "calls": 999, "prompt_tokens": 9, "completion_tokens": 9, "users": 9},
    ]
    idle, calls, tokens = headroom_rows(METRICS, live, 300.0)
    assert (calls.used_per_minute, calls.users, calls.more_users) == (10.0, 2, 98)
    assert (tokens.used_per_minute, tokens.left, tokens.more_users) == (2000.0, 9000, 8)
    assert (idle.upstream, idle.users, idle.more_users) == ("idle", 0, None)


def test_without_a_ledger_process_it_says_what_to_type(modicum):
    refused = modicum("headroom")
    assert refused.status == 2
    assert "start one with 'modicum up'" in refused.err


def test_it_asks_the_gateway_and_the_ledger_process(folder, modicum, tmp_path, monkeypatch):
    journaled(1)
    with LedgerProcess(state_folder()), running(tmp_path / "gateway", usual()) as rig:
        settings = tmp_path / "modicum.toml"
        settings.write_text(f'[gateway]\nlisten = "127.0.0.1:{rig.gateway.server.port}"\n')
        monkeypatch.setenv("MODICUM_CONFIG", str(settings))
        rig.gateway.parts.metrics.provider_limit("openai", "gpt-4o-mini", "requests", 500, 499)
        printed = until(
            lambda: (shown := modicum("headroom", "--seconds", "900", "--json")).json["limits"][0]["users"] and shown
        ).json
    (row,) = printed["limits"]
    assert (row["limit"], row["left"], row["users"]) == (500, 499, 1)
    assert row["more_users"] > 1000


def test_a_gateway_that_does_not_answer_is_an_error_with_the_next_step(folder, modicum, tmp_path, monkeypatch):
    settings = tmp_path / "modicum.toml"
    settings.write_text('[gateway]\nlisten = "127.0.0.1:9"\n')
    monkeypatch.setenv("MODICUM_CONFIG", str(settings))
    with LedgerProcess(state_folder()):
        refused = modicum("headroom")
    assert refused.status == 2
    assert "start it with 'modicum up'" in refused.err
