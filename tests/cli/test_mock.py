"""`modicum mock`: its settings, and the provider that answers."""

import signal
import subprocess
import tomllib

import anthropic
import openai

from cli.process_rig import WORDS, free_port, ready
from modicum.cli.mock import settings_text


def test_its_settings_send_every_kind_of_call_to_it(folder, modicum):
    printed = modicum("mock", "--settings", "--listen", "127.0.0.1:4242").out
    (folder / "modicum.toml").write_text(printed)

    upstreams = tomllib.loads(printed)["upstreams"]
    assert {one["speaks"]: one["url"] for one in upstreams.values()} == {
        "openai": "http://127.0.0.1:4242/v1",
        "anthropic": "http://127.0.0.1:4242/v1",
        "gemini": "http://127.0.0.1:4242/v1beta",
    }
    checks = {check["what"]: check["said"] for check in modicum("doctor", "--json").json}
    assert checks["upstream openai"] == "http://127.0.0.1:4242/v1, billed by openai"


def test_all_models_that_are_used_in_examples_go_somewhere():
    upstreams = tomllib.loads(settings_text("http://mock.test"))["upstreams"]

    assert [name for name, one in upstreams.items() if "x-mock-*" not in one["pass_headers"]] == []
    assert upstreams["anthropic"]["models"] == ["claude-*"]


def test_an_address_without_a_port_is_refused(modicum):
    refused = modicum("mock", "--listen", "localhost")

    assert refused.status == 2
    assert "--listen" in refused.err


def test_the_official_clients_get_what_their_headers_ask_for():
    listen = f"127.0.0.1:{free_port()}"
    with subprocess.Popen([*WORDS, "mock", "--listen", listen], stderr=subprocess.PIPE, text=True) as provider:
        try:
            assert f"listens on http://{listen}; Ctrl-C ends it" in provider.stderr.readline()
            ready(f"http://{listen}/v1/models")
            with openai.OpenAI(base_url=f"http://{listen}/v1", api_key="any", max_retries=0) as client:
                reply = client.chat.completions.create(
                    model="gpt-4o-mini",
                    messages=[{"role": "user", "content": "hi"}],
                    extra_headers={"x-mock-says": "good morning"},
                )
            with anthropic.Anthropic(base_url=f"http://{listen}", api_key="any", max_retries=0) as client:
                message = client.messages.create(
                    model="claude-opus-4-5",
                    max_tokens=9,
                    messages=[{"role": "user", "content": "hi"}],
                    extra_headers={"x-mock-output-tokens": "3"},
                )
        finally:
            provider.send_signal(signal.SIGTERM)

    assert reply.choices[0].message.content == "good morning"
    assert message.usage.output_tokens == 3
