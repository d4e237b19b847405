"""The models of all upstreams in one list, read by the official clients."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import anthropic
import httpx2 as httpx
import openai
import pytest
from google import genai
from google.genai import types

from gateway.rig import running
from modicum.settings import GatewaySettings, Settings, UpstreamSettings

GPT = {"id": "gpt-5", "object": "model", "created": 7, "owned_by": "openai"}
CLAUDE = {"type": "model", "id": "claude-opus-4-6", "display_name": "Opus", "created_at": "2026-02-05T00:00:00Z"}
LISTS = {
    "/openai/models": {"object": "list", "data": [GPT]},
    "/anthropic/models": {"data": [CLAUDE]},
    "/gemini/models": {"models": [{"name": "models/gemini-3-pro", "inputTokenLimit": 9}, {"name": "models/aqa"}]},
}


class Lists(BaseHTTPRequestHandler):
    def do_GET(self):
        path = self.path.partition("?")[0]
        found = LISTS.get(path)
        body = json.dumps(found or {"error": {"message": "no such model", "type": "not_found_error"}}).encode()
        self.send_response(200 if found else 404)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Lists)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_address[1]}"

    def settings(_port):
        return Settings(
            gateway=GatewaySettings(listen="127.0.0.1:0"),
            upstreams={
                "openai": UpstreamSettings(url=f"{base}/openai", speaks="openai", models=("gpt-*",)),
                "anthropic": UpstreamSettings(url=f"{base}/anthropic", speaks="anthropic", models=("claude-*",)),
                "gemini": UpstreamSettings(url=f"{base}/gemini", speaks="gemini", models=("gemini-*",)),
                "down": UpstreamSettings(url="http://127.0.0.1:9/v1", speaks="openai", models=("qwen3", "odd-*")),
            },
            models={"best": "anthropic/claude-opus-4-6", "fast": "gemini/gemini-3-pro"},
        )

    with running(tmp_path_factory.mktemp("lists"), settings) as rig:
        yield rig
    server.shutdown()
    server.server_close()


def test_a_client_of_openais(rig):
    with openai.OpenAI(base_url=f"{rig.url}/v1", api_key=rig.key, max_retries=0) as client:
        models = {model.id: model for model in client.models.list()}
        assert set(models) == {"best", "fast", "gpt-5", "claude-opus-4-6", "gemini-3-pro", "qwen3"}
        assert (models["gpt-5"].owned_by, models["claude-opus-4-6"].created) == ("openai", 1770249600)
        assert client.models.retrieve("best").id == "best"
        with pytest.raises(openai.NotFoundError):
            client.models.retrieve("nobody-has-it")
        with pytest.raises(openai.NotFoundError):
            client.models.retrieve("gpt-4")  # its upstream serves such names, and says itself that it has none


def test_a_client_of_anthropics(rig):
    with anthropic.Anthropic(base_url=rig.url, api_key=rig.key, max_retries=0) as client:
        models = {model.id: model.display_name for model in client.models.list()}
        assert set(models) == {"best", "fast", "gpt-5", "claude-opus-4-6", "gemini-3-pro", "qwen3"}
        assert models["claude-opus-4-6"] == "Opus"
        assert client.models.retrieve("gpt-5").id == "gpt-5"


def test_a_client_of_googles(rig):
    options = types.HttpOptions(base_url=rig.url)
    with genai.Client(api_key=rig.key, http_options=options) as client:
        names = {model.name.removeprefix("models/") for model in client.models.list()}
        assert names == {"best", "fast", "gpt-5", "claude-opus-4-6", "gemini-3-pro", "qwen3"}
        assert client.models.get(model="gpt-5").name == "models/gpt-5"
        fast = client.models.get(model="fast")
    assert (fast.name, fast.input_token_limit) == ("models/fast", 9)


def test_a_key_for_some_models_sees_these(rig):
    key = rig.issue_key("narrow", models=("gpt-*", "best"))
    headers = {"authorization": f"Bearer {key}"}
    while (reply := httpx.get(f"{rig.url}/v1/models", headers=headers)).status_code == 401:
        pass  # until the gateway has read of the key
    assert {model["id"] for model in reply.json()["data"]} == {"best", "gpt-5"}
    assert httpx.get(f"{rig.url}/v1/models/qwen3", headers=headers).status_code == 403
