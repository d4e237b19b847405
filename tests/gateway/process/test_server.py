"""A gateway that starts, changes, ends, and is killed."""

import asyncio
import json
import subprocess
import sys
import threading

import httpx2 as httpx
import msgspec
import openai
import pytest

from gateway.rig import CHAT, DIGEST_KEY, Rig, running, swallow, usual, wait_until
from ledger.faults import garbage, left_open
from modicum.calls import CallStatus, UserError
from modicum.gateway.process.server import Gateway
from modicum.gateway.process.workers import BOARD
from modicum.ledger.journal import Journal
from modicum.outbound.listener import bind_listener
from modicum.settings import GatewaySettings, Settings, UpstreamSettings


def test_calls_under_way_are_finished_before_it_ends_and_no_new_ones_are_taken(tmp_path):
    with running(tmp_path) as rig, openai.OpenAI(base_url=f"{rig.url}/v1", api_key=rig.key, max_retries=0) as client:
        got = []
        held = {"x-fixture": "openai-chat/usage_in_its_own_chunk.sse", "x-fault": "stall"}
        stream = client.chat.completions.create(**CHAT, stream=True, extra_headers=held)
        reading = threading.Thread(target=lambda: got.extend(stream))
        reading.start()
        url = rig.url
        rig.loop.call_soon_threadsafe(rig.gateway.server.drain)
        wait_until(lambda: rig.gateway.parts.readiness.draining)
        with pytest.raises(httpx.HTTPError):
            httpx.post(f"{url}/v1/chat/completions", json=CHAT, headers=rig.headers()).raise_for_status()
        rig.release()
        reading.join(10)

    assert got
    assert rig.records()[0].status is CallStatus.OK


def test_settings_that_are_wrong_are_told_and_the_old_ones_stay(tmp_path, capfd):
    file = tmp_path / "modicum.toml"
    file.write_text("one")
    current = {"models": {"fast": "openai/gpt-4o-mini"}}

    def settings(port):
        if file.read_text() == "wrong":
            raise UserError("modicum.toml:3: not like that")
        told = usual()(port)
        return msgspec.structs.replace(told, models=current["models"], file=str(file))

    with running(tmp_path / "state", settings) as rig:

        def status(model):
            told = CHAT | {"model": model}
            return httpx.post(f"{rig.url}/v1/chat/completions", json=told, headers=rig.headers()).status_code

        assert (status("fast"), status("slow")) == (200, 404)
        file.write_text("wrong")
        wait_until(lambda: "not like that" in capfd.readouterr().err)
        assert status("fast") == 200
        current["models"] = {"slow": "openai/gpt-5"}
        file.write_text("right again")
        wait_until(lambda: status("slow") == 200)
        assert status("fast") == 404


@pytest.mark.parametrize("trouble", ["the address is taken", "no file of batches", "a board that is a folder"])
def test_a_gateway_that_cannot_begin_leaves_no_file_open(tmp_path, monkeypatch, trouble):
    taken = bind_listener("test", "127.0.0.1", 0)
    taken.listen()
    port = taken.getsockname()[1] if trouble == "the address is taken" else 0
    if trouble == "no file of batches":
        garbage(tmp_path, "random").rename(tmp_path / "batches.sqlite")
    elif trouble == "a board that is a folder":
        (tmp_path / BOARD).mkdir()
    settings = Settings(gateway=GatewaySettings(listen=f"127.0.0.1:{port}"))

    def begin():
        with pytest.raises((UserError, OSError)):
            asyncio.run(Gateway(settings, tmp_path, DIGEST_KEY, lambda: settings).serve())

    with taken:
        assert left_open(monkeypatch, begin) == 0

    async def begin_again():
        Journal(tmp_path / "journal").close()

    asyncio.run(begin_again())  # nobody holds its lock


def test_an_address_that_is_taken_is_a_users_error(tmp_path):
    with running(tmp_path / "one") as rig:
        port = rig.gateway.server.port
        other = Rig(tmp_path / "two", lambda _: Settings(gateway=GatewaySettings(listen=f"127.0.0.1:{port}")))
        with pytest.raises(UserError, match="cannot be listened on"):
            other.start()
        other.thread.join(5)


def test_a_key_written_into_the_settings_is_refused(tmp_path):
    told = Settings(upstreams={"a": UpstreamSettings(url="https://api.openai.com/v1", speaks="openai", key="sk-clear")})
    rig = Rig(tmp_path, lambda _: told)

    with pytest.raises(UserError, match="env:NAME or file:PATH") as refusal:
        rig.start()

    assert "sk-clear" not in str(refusal.value)
    rig.thread.join(5)


def test_the_log_is_json_without_content(tmp_path, capfd):
    with running(tmp_path) as rig:
        httpx.post(f"{rig.url}/v1/chat/completions", json=CHAT, headers=rig.headers(x_fault="hang_up"))
        rig.issue_key("another")
        wait_until(lambda: len(rig.gateway.pipeline.in_force.owners.keys().all()) == 2)

    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert {line["event"] for line in lines} == {"keys_reloaded"}
    assert "France" not in str(lines)


def test_a_bug_costs_its_own_call_and_shows_no_content(tmp_path, capfd, monkeypatch):
    def bug(exchange):
        raise RuntimeError(f"unexpected: {exchange.body!r}")

    with running(tmp_path) as rig:
        post = {"url": f"{rig.url}/v1/chat/completions", "json": CHAT, "headers": rig.headers()}
        with monkeypatch.context() as patched:
            patched.setattr("modicum.gateway.sending.prepare", bug)
            broken = httpx.post(**post)
        fine = httpx.post(**post)

    assert (broken.status_code, broken.json()["error"]["code"], fine.status_code) == (500, "internal_error", 200)
    assert [call.status for call in rig.records()] == [CallStatus.ABORTED, CallStatus.OK]
    said = capfd.readouterr().err
    assert "RuntimeError" in said
    assert "France" not in said


def test_calls_that_outlast_the_drain_are_cut_and_on_record(tmp_path):
    with running(tmp_path, usual(drain_s=1.0)) as rig:
        rig.releases = False
        held = rig.headers(x_fixture="openai-chat/reasoning.sse", x_fault="stall")
        calling = threading.Thread(
            target=swallow, args=(f"{rig.url}/v1/chat/completions", CHAT | {"stream": True}, held)
        )
        calling.start()
        wait_until(lambda: rig.gateway.parts.journal.calls_under_way)

    calling.join(10)
    (call,) = rig.records()
    assert call.status is CallStatus.ABORTED
    assert call.usage.prompt_tokens > 0


def test_a_gateway_loads_no_arrays_and_no_price_list_before_anything_of_its_settings_needs_them():
    """Together they take 27 MB of every worker."""
    program = (
        "import sys, modicum.gateway.process.server; print({'numpy', 'genai_prices', 'pydantic'} & {*sys.modules})"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)

    assert ended.stdout.strip() == "set()"
