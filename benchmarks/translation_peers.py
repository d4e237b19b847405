"""What arrives upstream of the cases: by our translation, and by LiteLLM's proxy."""

import json
import os
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import NamedTuple

import msgspec

import peers
from modicum.providers.facts import DialectError
from modicum.providers.translation.translations import TRANSLATIONS
from recording_upstream import RecordingUpstream
from translation_cases import EVERY_CASE
from translation_cases.case import CHAT, GEMINI, MESSAGES, RESPONSES, missing_pieces

_KEY = "sk-translation-bench"
_PATHS = {CHAT: "/v1/chat/completions", MESSAGES: "/v1/messages", RESPONSES: "/v1/responses"}
_PROVIDERS = {CHAT: ("openai", "/v1"), MESSAGES: ("anthropic", ""), GEMINI: ("gemini", "")}


def _path(case):
    return f"/v1beta/models/{case.upstream_model}:generateContent" if case.door == GEMINI else _PATHS[case.door]


class CaseResult(NamedTuple):
    """How one program took one case."""

    served: bool
    right: bool
    why: str = ""


def ours(case):
    body = msgspec.json.encode({"model": "asked", **case.request})
    try:
        translated = TRANSLATIONS[case.door, case.upstream].request(body, case.upstream_model)
    except DialectError as refusal:
        return CaseResult(served=False, right=case.rightly_refused, why=refusal.message)
    except KeyError:
        return CaseResult(served=False, right=False, why="there is no translation")
    return _judged(case, msgspec.json.decode(translated.body))


def _judged(case, arrived):
    lost = missing_pieces(case, arrived)
    if case.rightly_refused:
        return CaseResult(served=True, right=False, why="served, and means something else")
    return CaseResult(served=True, right=not lost, why="; ".join(lost)[:300])


class LiteLLM:
    """Its proxy, set as kindly as it can be: what a provider lacks it may drop, and mend."""

    def __init__(self, folder, upstream):
        self._upstream = upstream
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        models = []
        for name, dialect in sorted({(case.upstream_model, case.upstream) for case in EVERY_CASE}):
            provider, base = _PROVIDERS[dialect]
            address = f"http://127.0.0.1:{upstream.port}{base}"
            models.append(
                {
                    "model_name": name,
                    "litellm_params": {"model": f"{provider}/{name}", "api_base": address, "api_key": "sk-x"},
                }
            )
        config = Path(folder) / "litellm.yaml"
        settings = {"drop_params": True, "modify_params": True, "num_retries": 0, "telemetry": False}
        config.write_text(
            json.dumps({"model_list": models, "litellm_settings": settings, "general_settings": {"master_key": _KEY}})
        )
        environment = {**os.environ, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "LITELLM_LOG": "ERROR", "NO_PROXY": "*"}
        # Its usual way from messages to OpenAI is the responses API: here it is to answer in the dialect of the cases.
        environment["LITELLM_USE_CHAT_COMPLETIONS_URL_FOR_ANTHROPIC_MESSAGES"] = "true"
        command = [*peers.litellm(), "--config", str(config), "--port", str(self._port), "--host", "127.0.0.1"]
        self._log = (Path(folder) / "litellm.log").open("wb")
        self._process = subprocess.Popen(command, env=environment, stdout=self._log, stderr=subprocess.STDOUT)

    def wait(self, seconds=180):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/health/liveliness", timeout=5):
                    return
            except OSError:
                time.sleep(1)
        raise SystemExit("LiteLLM's proxy does not answer")

    def take(self, case):
        self._upstream.last = None
        body = {"model": case.upstream_model, **case.request}
        body.pop("stream", None)  # the recorder answers in one piece; the request upstream is the same otherwise
        asked = urllib.request.Request(
            f"http://127.0.0.1:{self._port}{_path(case)}",
            json.dumps(body).encode(),
            {"content-type": "application/json", "authorization": f"Bearer {_KEY}", "anthropic-version": "2023-06-01"},
        )
        try:
            with urllib.request.urlopen(asked, timeout=60) as reply:
                reply.read()
        except urllib.error.HTTPError as refusal:
            why = refusal.read().decode("utf-8", "replace")[:300]
            if self._upstream.last is None:
                return CaseResult(served=False, right=case.rightly_refused, why=why)
        if self._upstream.last is None:
            return CaseResult(served=False, right=False, why="nothing arrived upstream")
        return _judged(case, self._upstream.last)

    def stop(self):
        self._process.terminate()
        self._process.wait()
        self._log.close()


def compare():
    """Each case with our result and LiteLLM's."""
    upstream = RecordingUpstream()
    with tempfile.TemporaryDirectory() as folder:
        peer = LiteLLM(folder, upstream)
        try:
            peer.wait()
            return [(case, ours(case), peer.take(case)) for case in EVERY_CASE]
        finally:
            peer.stop()
            upstream.stop()
