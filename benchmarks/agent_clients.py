"""Coding agents as clients: one task in one go, as a person types it, and what each says that it used."""

import contextlib
import json
import os
import re
import signal
import subprocess
import time
import urllib.request
from functools import partial

import peers

QUESTION = "What is the tide in Kiel? Answer in one sentence."
_LIMIT_S = 150
_TOOL = {"x-mock-tool-calls": "1"}
_SLOW = {"x-mock-chunk-delay-ms": "300", "x-mock-output-tokens": "60", "x-mock-chunks": "40"}


def _plain():
    return {
        name: value for name, value in os.environ.items() if "proxy" not in name.lower() and "ANTHROPIC" not in name
    }


def _run(command, environment, folder):
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        command,
        env=_plain() | environment,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_LIMIT_S,
        check=False,
    )
    return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")


def _leave(command, environment, folder, url):
    """Begins the task and leaves in the middle of its call."""
    folder.mkdir(parents=True, exist_ok=True)
    process = subprocess.Popen(
        command, env=_plain() | environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    until = time.monotonic() + 60
    while time.monotonic() < until and not _under_way(url):
        time.sleep(0.3)
    time.sleep(2.5)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _under_way(url):
    """Whether a call is under way at the gateway."""
    request = urllib.request.Request(f"{url}/metrics")
    with urllib.request.urlopen(request, timeout=5) as reply:
        found = re.search(rb"^modicum_calls_under_way ([0-9.]+)", reply.read(), re.MULTILINE)
    return found is not None and float(found[1]) > 0


def _version(command):
    shown = subprocess.run([*command, "--version"], capture_output=True, text=True, check=False, timeout=60).stdout
    found = re.search(r"\d+\.\d+\.\d+", shown)
    return found[0] if found else ""


def _cell(name, version, work):
    try:
        return {"cell": name, "version": version, "ok": True, "usage": work() or {}}
    except Exception as error:  # noqa: BLE001 - it is the result of the cell
        return {"cell": name, "version": version, "ok": False, "why": f"{type(error).__name__}: {error}"[:400]}


def _check(status, out, err):
    if status:
        raise RuntimeError(f"status {status}: {(err or out)[-300:]}")


def claude_code(url, keys, node, folder, model="claude-opus-4-6"):
    command = [str(node / "node_modules" / ".bin" / "claude"), "-p", QUESTION, "--output-format", "json"]
    version = _version(command[:1])

    def environment(key, headers=None):
        return {
            "HOME": str(folder),
            "ANTHROPIC_BASE_URL": url,
            "ANTHROPIC_API_KEY": key,
            "ANTHROPIC_MODEL": model,
            "ANTHROPIC_DEFAULT_HAIKU_MODEL": model,
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "CLAUDE_CODE_MAX_RETRIES": "0",
            "ANTHROPIC_CUSTOM_HEADERS": "\n".join(f"{name}: {value}" for name, value in (headers or {}).items()),
        }

    def asked(cell, headers=None):
        status, out, err = _run(command, environment(keys[cell], headers), folder)
        _check(status, out, err)
        used = json.loads(out)["modelUsage"].values()
        given = sum(one["inputTokens"] + one["cacheReadInputTokens"] + one["cacheCreationInputTokens"] for one in used)
        return {"input": given, "output": sum(one["outputTokens"] for one in used)}

    def errors():
        status, out, _ = _run(command, environment(keys["errors"], {"x-mock-fault": "server_error"}), folder)
        if not status and not json.loads(out)["is_error"]:
            raise RuntimeError("no error is shown")

    yield _cell("text", version, lambda: asked("text"))
    yield _cell("tools", version, lambda: asked("tools", _TOOL))
    yield _cell("errors", version, errors)
    yield _cell("cancel", version, lambda: _leave(command, environment(keys["cancel"], _SLOW), folder, url))


def codex(url, keys, node, folder):
    # Its own program: the one that npm starts leaves it behind when it is killed.
    program = str(next(node.glob("node_modules/@openai/codex-linux-*/vendor/*/bin/codex")))
    version = _version([program])

    def command(model, headers=None):
        options = {
            "model": model,
            "model_provider": "modicum",
            "model_providers.modicum.name": "modicum",
            "model_providers.modicum.base_url": f"{url}/v1",
            "model_providers.modicum.env_key": "MODICUM_KEY",
            "model_providers.modicum.wire_api": "responses",
        }
        words = [word for name, value in options.items() for word in ("-c", f"{name}={json.dumps(value)}")]
        words += [
            "-c",
            "model_providers.modicum.request_max_retries=0",
            "-c",
            "model_providers.modicum.stream_max_retries=0",
        ]
        table = ", ".join(f"{name} = {json.dumps(value)}" for name, value in (headers or {}).items())
        words += ["-c", f"model_providers.modicum.http_headers={{ {table} }}"]
        return [program, "exec", "--json", "--skip-git-repo-check", *words, QUESTION]

    def environment(key):
        (folder / ".codex").mkdir(parents=True, exist_ok=True)
        return {"HOME": str(folder), "CODEX_HOME": str(folder / ".codex"), "MODICUM_KEY": key}

    def asked(cell, model, headers=None):
        status, out, err = _run(command(model, headers), environment(keys[cell]), folder)
        _check(status, out, err)
        events = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
        usage = next(event["usage"] for event in reversed(events) if event["type"] == "turn.completed")
        return {"input": usage["input_tokens"], "output": usage["output_tokens"]}

    def errors():
        status, out, _ = _run(command("gpt-5", {"x-mock-fault": "server_error"}), environment(keys["errors"]), folder)
        if not status and '"type":"error"' not in out.replace(" ", ""):
            raise RuntimeError("no error is shown")

    yield _cell("text", version, lambda: asked("text", "gpt-5"))
    yield _cell("stream", version, lambda: asked("stream", "claude-opus-4-6"))  # Claude behind the door of responses
    yield _cell("tools", version, lambda: asked("tools", "claude-opus-4-6", _TOOL))
    yield _cell("errors", version, errors)
    yield _cell("cancel", version, lambda: _leave(command("gpt-5", _SLOW), environment(keys["cancel"]), folder, url))


def gemini_cli(url, keys, node, folder, model="gemini-2.5-flash"):
    command = [str(node / "node_modules" / ".bin" / "gemini"), "-m", model, "-p", QUESTION]
    command += ["--output-format", "json"]
    version = _version(command[:1])

    def environment(key):
        (folder / ".gemini").mkdir(parents=True, exist_ok=True)
        settings = {"security": {"auth": {"selectedType": "gemini-api-key"}}, "telemetry": {"enabled": False}}
        (folder / ".gemini" / "settings.json").write_text(json.dumps(settings))
        return {
            "HOME": str(folder),
            "GOOGLE_GEMINI_BASE_URL": url,
            "GEMINI_API_KEY": key,
            "GEMINI_CLI_TRUST_WORKSPACE": "true",
        }

    def text():
        status, out, err = _run(command, environment(keys["text"]), folder)
        _check(status, out, err)
        used = [one["tokens"] for one in json.loads(out[out.index("{") :])["stats"]["models"].values()]
        made = sum(one["candidates"] + one.get("thoughts", 0) for one in used)
        return {"input": sum(one["prompt"] for one in used), "output": made}

    def errors():
        asked = [*command, "-m", "nobody-has-it"]
        status, out, _ = _run(asked, environment(keys["errors"]), folder)
        if not status and '"error"' not in out:
            raise RuntimeError("no error is shown")
        return {"refused": True}  # by the gateway, which has no such model: no call

    yield _cell("text", version, text)
    yield _cell("errors", version, errors)


def opencode(url, keys, node, folder):
    program = str(node / "node_modules" / ".bin" / "opencode")
    version = _version([program])

    def environment(key, headers=None):
        models = {name: {"name": name} for name in ("claude-opus-4-6",)}
        options = {"baseURL": f"{url}/v1", "apiKey": key, "headers": headers or {}}
        provider = {"npm": "@ai-sdk/openai-compatible", "name": "modicum", "options": options, "models": models}
        model = "modicum/claude-opus-4-6"
        settings = {
            "provider": {"modicum": provider},
            "model": model,
            "small_model": model,
            "autoupdate": False,
            "share": "disabled",
        }
        return {
            "HOME": str(folder),
            "OPENCODE_CONFIG_CONTENT": json.dumps(settings),
            "OPENCODE_DISABLE_MODELS_FETCH": "1",
        }

    command = [program, "run", "--format", "json", QUESTION]

    def text():
        status, out, err = _run(command, environment(keys["text"]), folder)
        _check(status, out, err)
        events = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
        if not any(event.get("type") == "text" for event in events):
            raise RuntimeError(f"no answer: {out[-300:]}")

    yield _cell("text", version, text)
    yield _cell("cancel", version, lambda: _leave(command, environment(keys["cancel"], _SLOW), folder, url))


def aider(url, keys, node, folder):  # noqa: ARG001 - the shape of all of them
    program = peers.FOLDER / "clients" / "aider" / "bin" / "aider"
    version = _version([str(program)])
    command = [str(program), "--model", "openai/claude-opus-4-6", "--message", QUESTION, "--yes-always", "--no-git"]
    command += ["--no-check-update", "--no-analytics", "--no-show-model-warnings", "--no-stream", "--cache-prompts"]

    def environment(key):
        return {
            "HOME": str(folder),
            "OPENAI_API_BASE": f"{url}/v1",
            "OPENAI_API_KEY": key,
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        }

    def text():
        status, out, err = _run(command, environment(keys["text"]), folder)
        _check(status, out, err)
        if "Tokens:" not in out:
            raise RuntimeError(f"no answer: {out[-300:]}")

    yield _cell("text", version, text)


AGENTS = {
    "Claude Code": claude_code,
    "Claude Code, to GPT": partial(claude_code, model="gpt-5"),
    "Claude Code, to Gemini": partial(claude_code, model="gemini-2.5-flash"),
    "Codex, to GPT and Claude": codex,
    "Gemini CLI": gemini_cli,
    "Gemini CLI, to Claude": partial(gemini_cli, model="claude-opus-4-6"),
    "Gemini CLI, to GPT": partial(gemini_cli, model="gpt-5"),
    "opencode, to Claude": opencode,
    "aider, to Claude": aider,
}
