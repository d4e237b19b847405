"""Real clients, unchanged, before a gateway and the mock provider behind it: what they get, and what the ledger says.

Each client has an environment of its own under the user's cache folder (`peers.FOLDER / "clients"`), installed once.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import NamedTuple

import agent_clients
import peers
from modicum.ledger.opening import open_store

HERE = Path(__file__).parent
FOLDER = peers.FOLDER / "clients"
NODE_PACKAGES = [
    *(
        "@anthropic-ai/claude-code",
        "@openai/codex",
        "@google/gemini-cli",
        "opencode-ai",
        "openai",
        "@anthropic-ai/sdk",
        "ai",
    ),
    *("@ai-sdk/openai", "@ai-sdk/anthropic", "@ai-sdk/openai-compatible"),
]
CELLS = ("text", "stream", "tools", "structured", "errors", "cancel")
_LIMIT_S = 240

PYTHON_CLIENTS = {
    "openai (Python)": ("openai", "openai_python.py", ["openai"]),
    "openai (Python), responses to Claude": ("openai", "openai_responses.py", []),
    "anthropic (Python)": ("sdks", "anthropic_python.py", ["anthropic", "google-genai", "instructor"]),
    "google-genai": ("sdks", "google_python.py", []),
    "google-genai, to GPT": ("sdks", "google_python.py", []),
    "google-genai, to Claude": ("sdks", "google_python.py", []),
    "instructor, to Claude": ("instructor", "instructor_program.py", ["instructor", "openai"]),
    "LangChain and LangGraph, to Gemini": ("langchain", "langchain_program.py", ["langchain-openai", "langgraph"]),
    "pydantic-ai, to Claude": ("pydantic-ai", "pydantic_ai_program.py", ["pydantic-ai-slim[openai]"]),
    "OpenAI Agents, to Claude": ("openai-agents", "openai_agents.py", ["openai-agents"]),
    "smolagents, to Claude": ("smolagents", "smolagents_program.py", ["smolagents[openai]"]),
    "LiteLLM SDK, to Claude": ("dspy", "litellm_program.py", ["dspy"]),
    "DSPy, to Claude": ("dspy", "dspy_program.py", []),
}
OTHER_MODELS = {"google-genai, to GPT": "gpt-5", "google-genai, to Claude": "claude-opus-4-6"}
"""What programs ask for that have a model of their own."""
NODE_CLIENTS = {
    "openai (Node)": "openai-node",
    "anthropic (Node), to GPT": "anthropic-node",
    "Vercel AI SDK, to Claude and Gemini": "vercel",
}


class CellResult(NamedTuple):
    client: str
    version: str
    cell: str
    ok: bool
    why: str = ""


def python_of(name, packages):
    """The interpreter of an environment, which is made if it is missing."""
    folder = FOLDER / name
    if not (folder / "bin" / "python").exists():
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        subprocess.run([folder / "bin" / "pip", "install", "--quiet", *packages], check=True)
    return folder / "bin" / "python"


def node_folder():
    folder = FOLDER / "node"
    if not (folder / "node_modules" / "ai").exists():
        folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(["npm", "install", "--silent", "--no-fund", *NODE_PACKAGES], cwd=folder, check=True)
    return folder


class Stand:
    """A gateway with the mock provider behind it, and a key for each cell of each client."""

    def __init__(self, folder):
        self.folder = folder
        self._mock_port, self._port, self._console, self.llama_port = (free_port() for _ in range(4))
        self.url = f"http://127.0.0.1:{self._port}"
        self.environment = {
            **os.environ,
            "MODICUM_CONFIG": str(folder / "modicum.toml"),
            "HOME": str(folder),
            **{f"XDG_{name}_HOME": str(folder / name.lower()) for name in ("DATA", "CONFIG", "CACHE")},
        }
        upstreams = "".join(
            f'[upstreams.{name}]\nurl = "http://127.0.0.1:{self._mock_port}/{version}"\nspeaks = "{name}"\n'
            f'provider = "{provider}"\nmodels = ["{models}"]\npass_headers = ["x-mock-*"]\n'
            for name, provider, version, models in (
                ("openai", "openai", "v1", "gpt-*"),
                ("anthropic", "anthropic", "v1", "claude-*"),
                ("gemini", "google", "v1beta", "gemini-*"),
            )
        )
        (folder / "modicum.toml").write_text(
            f'ledger = "{folder}/ledger.duckdb"\n[gateway]\nlisten = "127.0.0.1:{self._port}"\nown_keys = false\n'
            f'workers = 1\n[console]\npages_listen = ""\nlisten = "127.0.0.1:{self._console}"\n{upstreams}'
            f'[upstreams.llama]\nurl = "http://127.0.0.1:{self.llama_port}/v1"\nspeaks = "openai"\n'
            f'models = ["random-llama"]\n'
        )
        self._running = []

    def keys(self, names):
        """New keys, by their names."""
        program = (
            "import sys, json, getpass\nfrom datetime import UTC, datetime\nfrom modicum.calls import Owner\n"
            "from modicum.cli.key import _append_event\nfrom modicum.library import resources\n"
            "from modicum.governance.keys import issue\nmade = {}\n"
            "for name in json.load(sys.stdin):\n"
            "    key, event = issue(Owner(key=name), (), datetime.now(UTC), 'bench', resources.read_digest_key())\n"
            "    _append_event(event)\n    made[name] = key\nprint(json.dumps(made))\n"
        )
        made = subprocess.run(
            [sys.executable, "-c", program],
            input=json.dumps(names),
            check=False,
            env=self.environment,
            capture_output=True,
            text=True,
        )
        if made.returncode:
            raise SystemExit(made.stderr)
        return json.loads(made.stdout)

    def start(self):
        for words in (["mock", "--listen", f"127.0.0.1:{self._mock_port}"], ["up"]):
            log = (self.folder / f"{words[0]}.log").open("wb")
            self._running.append(
                subprocess.Popen(
                    [sys.executable, "-m", "modicum", *words],
                    env=self.environment,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            )
        until = time.monotonic() + 60
        while time.monotonic() < until:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/readyz", timeout=2):
                return
            time.sleep(0.3)
        raise SystemExit(f"the gateway does not start; see {self.folder}/up.log")

    def stop(self):
        for process in reversed(self._running):
            process.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def calls(self):
        """What the ledger has, by key."""
        store = open_store(str(self.folder / "ledger.duckdb"))
        found = {}
        for batch in store.entries():
            for entry in batch:
                found.setdefault(entry.call.owner.key, []).append(entry.call)
        store.close()
        return found


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def run_program(stand, client, command, keys, **more):
    """The cells of a program, as it reports them: dictionaries."""
    own = {cell: keys[f"{client}|{cell}"] for cell in CELLS}
    environment = {
        **{name: value for name, value in os.environ.items() if "proxy" not in name.lower()},
        "MODICUM_URL": stand.url,
        "MODICUM_KEYS": json.dumps(own),
        "HOME": str(stand.folder),
        "PYTHONPATH": str(HERE / "client_programs"),
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        **more,
    }
    with (stand.folder / "clients.log").open("ab") as log:
        try:
            done = subprocess.run(
                command, env=environment, stdout=subprocess.PIPE, stderr=log, timeout=_LIMIT_S, check=False
            )
            lines = done.stdout.decode().splitlines()
        except subprocess.TimeoutExpired as late:
            lines = (late.stdout or b"").decode().splitlines()
    found = [json.loads(line) for line in lines if line.startswith('{"cell"')]
    return found or [{"cell": "text", "version": "", "ok": False, "why": "the program does not run; see clients.log"}]


def checked(client, reported, calls):
    """One cell: the client's own verdict, and the ledger's."""
    cell, usage = reported["cell"], reported.get("usage") or {}
    booked = [call for call in calls if call.calls_count]
    why = reported.get("why", "")
    if not why and usage.get("refused") and not booked:
        return CellResult(client, reported["version"], cell, ok=True)
    if not why and not booked:
        why = "the ledger has no call"
    if not why and len({call.call_id for call in booked}) != len(booked):
        why = "a call is booked twice"
    if not why and cell == "errors" and "error" not in {call.status.value for call in booked}:
        why = f"booked as {[call.status.value for call in booked]}"
    if not why and cell == "tools" and client in agent_clients.AGENTS and len(booked) < 2:  # the call, and its result
        why = "no tool was called"
    statuses = [call.status.value for call in booked]
    most = len(booked) if client in agent_clients.AGENTS else 1  # agents have several calls under way, a title's too
    if not why and cell == "cancel" and ("aborted" not in statuses or "unknown" in statuses or len(booked) > most):
        why = f"booked as {statuses}"
    if not why and usage.get("input"):
        given = sum(call.usage.prompt_tokens for call in booked)
        made = sum(call.usage.completion_tokens for call in booked)
        if (given, made) != (usage["input"], usage["output"]):
            why = f"the client counts {usage['input']} and {usage['output']} tokens, the ledger {given} and {made}"
    if not why and (name := usage.get("request_id")) and name not in {call.tags.get("request_id") for call in booked}:
        why = f"{name} is not in the ledger"
    return CellResult(client, reported["version"], cell, not why, why)


class ServerCounters(NamedTuple):
    """What a real server counted itself, and what the ledger has of the same calls."""

    version: str
    calls: int
    server_prompt_tokens: int
    ledger_prompt_tokens: int
    server_made_tokens: int
    ledger_made_tokens: int
    named: str
    """What a bill by provider calls it."""

    @property
    def agree(self):
        prompts = self.server_prompt_tokens == self.ledger_prompt_tokens
        return prompts and self.server_made_tokens == self.ledger_made_tokens and self.calls > 0


def ask_llama(stand, key):
    """Calls to llama.cpp through the gateway, whole and streamed, plain and translated; its own counters after them."""
    python = python_of("llama", ["xllamacpp", "gguf"])
    command = [python, HERE / "client_programs" / "llama_server.py", str(stand.llama_port)]
    with (stand.folder / "llama.log").open("wb") as log:
        server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            version = server.stdout.readline().split()[-1]
            for number in range(6):
                words = f"Tell me of the tide, part {number}. " * 5
                asked = {
                    "model": "random-llama",
                    "messages": [{"role": "user", "content": words}],
                    "max_tokens": 20 + number,
                }
                path = (
                    "/v1/messages" if number % 3 == 2 else "/v1/chat/completions"
                )  # Anthropic's dialect is translated
                _post(stand.url + path, key, {**asked, "stream": number % 2 == 1})
            counters = (
                urllib.request.urlopen(f"http://127.0.0.1:{stand.llama_port}/metrics", timeout=10).read().decode()
            )
        finally:
            server.stdin.close()
            server.wait(30)
    return version, {
        name: int(
            float(next(line.split()[-1] for line in counters.splitlines() if line.startswith(f"llamacpp:{name} ")))
        )
        for name in ("prompt_tokens_total", "tokens_predicted_total")
    }


def _post(url, key, body):
    head = {"content-type": "application/json", "authorization": f"Bearer {key}"}
    with urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode(), head), timeout=60) as reply:
        return reply.read()


def llama_counters(told, calls):
    version, counters = told
    return ServerCounters(
        version,
        len(calls),
        counters["prompt_tokens_total"],
        sum(call.usage.input_uncached for call in calls),
        counters["tokens_predicted_total"],
        sum(call.usage.completion_tokens for call in calls),
        calls[0].tags.get("server", "") if calls else "",
    )


def run_all(folder, only=""):
    """Every cell of every client whose name holds `only`, and the counters of a real server beside the ledger's."""
    stand = Stand(folder)
    agents = agent_clients.AGENTS
    names = [name for name in (*PYTHON_CLIENTS, *NODE_CLIENTS, *agents) if only.lower() in name.lower()]
    keys = stand.keys([*(f"{client}|{cell}" for client in names for cell in CELLS), "llama"])
    stand.start()
    reported = {}
    try:
        llama = ask_llama(stand, keys["llama"])
        for client in names:
            print(client, file=sys.stderr, flush=True)
            if client in PYTHON_CLIENTS:
                environment, program, packages = PYTHON_CLIENTS[client]
                command = [python_of(environment, packages), HERE / "client_programs" / program]
                model = OTHER_MODELS.get(client, "")
                reported[client] = run_program(stand, client, command, keys, MODICUM_MODEL=model)
            elif client in NODE_CLIENTS:
                command = ["node", HERE / "client_programs" / "node_sdks.mjs", NODE_CLIENTS[client]]
                reported[client] = run_program(stand, client, command, keys, MODICUM_NODE=str(node_folder()))
            else:
                own = {cell: keys[f"{client}|{cell}"] for cell in CELLS}
                reported[client] = list(
                    agents[client](stand.url, own, node_folder(), folder / client.replace(" ", "-"))
                )
    finally:
        time.sleep(2)
        stand.stop()
    calls = stand.calls()
    rows = [
        checked(client, one, calls.get(f"{client}|{one['cell']}", []))
        for client, cells in reported.items()
        for one in cells
    ]
    return rows, llama_counters(llama, calls.get("llama", []))
