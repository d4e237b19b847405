"""Cline, Roo Code and Kilo Code: a folder per task in the editor's storage, or Cline's own sessions.

`.../globalStorage/<extension>/tasks/<task>/ui_messages.json` (all three), `~/.cline/data/sessions/<session>/
*.messages.json` (Cline's newer ones). Written from the sources of Cline (August 2026) and Roo Code (April 2026). Kilo
Code's newer versions keep an OpenCode database. Traps, each with a fixture:

- A request is a message `api_req_started` whose text is JSON. In Cline `tokensIn` excludes what was read from and
  written to the cache; Roo and Kilo (which write `apiProtocol`) include it, but excluded it in older versions: the
  reading that leaves no bucket below zero stands. Cline's sessions include it.
- Cline writes a row when a request begins and another when it has ended. Roo fills in the one row; where it stayed
  empty, the editor went away and nobody knows.
- Model and provider stand at the message in Cline. Roo and Kilo name the model in what they sent, in
  `api_conversation_history.json` beside it.
- `cost` is what a router charged (OpenRouter, Cline), or else the tool's own estimate, which is not taken.
- Requests of subagents, and those whose messages were deleted, have sums alone; condensing has a cost and no counts.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from modicum.calls import Basis, Call, CallStatus, Charges, Problem, Usage
from modicum.calls.provider_names import provider_id
from modicum.calls.usage import is_counted
from modicum.importers.agents.row_calls import Row, row_calls
from modicum.importers.files import document, records
from modicum.importers.format import Found, LogFormat, Reading
from modicum.importers.recorded.aggregates import aggregated_count
from modicum.importers.tags import named
from modicum.providers.fields import dollars, label, listed, mapping, moment, parsed_mapping, text
from modicum.providers.token_buckets import disjoint
from modicum.providers.usage_guard import KnownFields, unknown_numbers

NAME = "cline"
EXTENSIONS = {
    "saoudrizwan.claude-dev": "cline",
    "rooveterinaryinc.roo-cline": "roo-code",
    "kilocode.kilo-code": "kilo-code",
}
EDITORS = ("Code", "Code - Insiders", "VSCodium", "Cursor", "Windsurf")
PROVIDERS = {"openai-native": "openai", "openai-codex": "openai", "gemini": "google", "moonshot": "moonshotai"}
"""Cline's ids of providers that go by no name of theirs, and genai-prices' for the same."""
ROUTERS = {"openrouter", "cline", "vercel-ai-gateway"}
"""Whose replies say what they cost."""
SUMS = {"subagent_usage": "subagents", "deleted_api_reqs": "deleted"}
KNOWN: KnownFields = {
    **dict.fromkeys(("tokensIn", "tokensOut", "cacheReads", "cacheWrites"), "priced"),
    **dict.fromkeys(("inputTokens", "outputTokens", "cacheReadTokens", "cacheWriteTokens"), "priced"),
    "cost": "taken where a router charged it",
    **dict.fromkeys(("request", "streamingFailedMessage"), "a text"),
    "retryStatus": "how often it was tried",
}
"""What is done with every number of a request."""
STATUS = {
    "user_cancelled": CallStatus.ABORTED,
    "streaming_failed": CallStatus.ERROR,
    "retries_exhausted": CallStatus.ERROR,
}
BESIDE = ("api_conversation_history.json", "task_metadata.json", "history_item.json")
"""Files beside a task's messages; what they hold of calls is read with those."""
_MODEL = re.compile(r"<model>([^<\n]{1,200})</model>")
_FOLDER = re.compile(r"Current Workspace Directory \(([^)\n]{1,1000})\)")


def read(path: Path, reading: Reading) -> Found:
    del reading
    if path.name in BESIDE:
        return
    start = next(iter(records(path)), None)
    if isinstance(start, tuple) and isinstance(start[1].get("messages"), list):
        session = _Session(path, start[1])
        yield from row_calls(path, enumerate(map(mapping, start[1]["messages"]), 1), session.calls_of)
        yield from session.problems()
        return
    yield from row_calls(path, records(path), _Task(path).calls_of)


class _Task:
    """One task of the editor's extension, read message by message."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.parent.name
        self.app = next((app for extension, app in EXTENSIONS.items() if extension in path.parts), "")
        self.sent: list[tuple[float, str]] | None = None
        self.project = ""

    def calls_of(self, row: Row) -> Iterator[Call]:
        say = text(row.get("say"))
        if row.get("type") != "say" or row.get("partial") is True:
            return
        if say == "api_req_started" or say in SUMS:
            counts = parsed_mapping(row.get("text"))
            if not counts and row.get("text"):
                raise ValueError("the text of a request is no JSON object")
            if any(counts.get(name) for name in ("tokensIn", "tokensOut", "cacheReads", "cacheWrites")):
                yield self._call(row, counts, CallStatus.OK)
            elif counts.get("cancelReason") == "user_cancelled" or (
                "apiProtocol" in counts and "tokensIn" not in counts and "cancelReason" not in counts
            ):
                yield self._call(row, {**counts, "tokensIn": None}, CallStatus.UNKNOWN)
        elif say == "condense_context":
            yield self._call(row, {"condensed": True}, CallStatus.OK)

    def _call(self, row: Row, counts: Mapping[str, Any], status: CallStatus) -> Call:
        at = moment(row.get("ts"))
        if at is None:
            raise ValueError("a request without time")
        kind = SUMS.get(text(row.get("say"))) or ("condense" if counts.get("condensed") else "")
        served = mapping(row.get("modelInfo"))
        self._read_history()
        model = text(served.get("modelId")) or ("" if kind or self.sent is None else self._model_of(row["ts"]))
        router = text(served.get("providerId"))
        usage = _buckets(counts, ("tokensIn", "tokensOut", "cacheReads", "cacheWrites"), inside="apiProtocol" in counts)
        status = STATUS.get(text(counts.get("cancelReason")), status)
        basis, output_basis = _bases(counts, "tokensIn", "tokensOut", status, usage)
        if counts.get("usageMissing") is True:
            basis = output_basis = Basis.UNKNOWN
        return Call(
            call_id=f"{NAME}:{self.name}:{label(row.get('ts'))}" + (f":{kind}" if kind else ""),
            source=NAME,
            provider=PROVIDERS.get(router) or provider_id(router),
            model=model,
            started=at,
            status=status,
            usage=usage,
            usage_basis=basis,
            output_basis=output_basis,
            charges=_charges(counts, router),
            task=self.name,
            project=self.project,
            tags=named(agent=self.app, kind=kind),
            revision=usage.total_tokens,
        )

    def _read_history(self) -> None:
        """The models that were named in what was sent, with the times at which that was; and the folder."""
        if self.sent is not None:
            return
        self.sent = []
        item = document(self.path.with_name("history_item.json"))
        self.project = text(mapping(item).get("workspace")) or text(mapping(item).get("cwdOnTaskInitialization"))
        for message in map(mapping, listed(document(self.path.with_name("api_conversation_history.json")))):
            for passage in _texts(message):
                if not self.project and (folder := _FOLDER.search(passage)):
                    self.project = folder[1]
                if (named_model := _MODEL.search(passage)) and message.get("role") == "user":
                    ts = message.get("ts")
                    self.sent.append((ts if isinstance(ts, int | float) else 0, named_model[1]))
        self.sent.sort(key=lambda sent: sent[0])

    def _model_of(self, ts: Any) -> str:
        """The model of a request, which is sent soon after its row was written; empty where that is not clear."""
        sent = self.sent or []
        if len({model for _, model in sent}) == 1:
            return sent[0][1]
        after = bisect_left(sent, ts, key=lambda one: one[0]) if isinstance(ts, int | float) else len(sent)
        return sent[after][1] if after < len(sent) else ""


def _texts(message: Mapping[str, Any]) -> Iterator[str]:
    content = message.get("content")
    if isinstance(content, str):
        yield content
    for block in map(mapping, listed(content)):
        yield text(block.get("text"))


class _Session:
    """One of Cline's own sessions: a document with all its messages, the usage at each reply."""

    def __init__(self, path: Path, session: Mapping[str, Any]) -> None:
        self.path = path
        origin = mapping(session.get("origin"))
        self.name = label(session.get("sessionId")) or path.name.split(".")[0]
        self.task = label(origin.get("parentThreadId")) or self.name
        self.agent = (label(origin.get("subagent")) or self.name) if self.task != self.name else ""
        self.folded = 0

    def calls_of(self, row: Row) -> Iterator[Call]:
        self.folded += bool(mapping(row.get("metadata")).get("usageBefore"))
        counts = mapping(row.get("metrics"))
        if row.get("role") != "assistant" or not counts:
            return
        at, served = moment(row.get("ts")), mapping(row.get("modelInfo"))
        name = label(row.get("id"))
        if at is None or not name:
            raise ValueError("a reply without time or id")
        router = text(served.get("provider"))
        usage = _buckets(counts, ("inputTokens", "outputTokens", "cacheReadTokens", "cacheWriteTokens"), inside=True)
        basis, output_basis = _bases(counts, "inputTokens", "outputTokens", CallStatus.OK, usage)
        yield Call(
            call_id=f"{NAME}:{self.name}:{name}",
            source=NAME,
            provider=PROVIDERS.get(router) or provider_id(router),
            model=text(served.get("id")),
            started=at,
            usage=usage,
            usage_basis=basis,
            output_basis=output_basis,
            charges=_charges(counts, router),
            task=self.task,
            conversation=self.name,
            agent=self.agent,
            tags=named(agent="cline"),
            revision=usage.total_tokens,
        )

    def problems(self) -> Iterator[Problem]:
        if self.folded:
            yield Problem(
                str(self.path),
                "the replies before a compaction have one sum without models (usageBefore): not counted here, only "
                "where they were read before",
            )


def _buckets(counts: Mapping[str, Any], names: tuple[str, str, str, str], *, inside: bool) -> Usage:
    prompt, output, read_, written = (aggregated_count(name, counts.get(name)) for name in names)
    if inside:
        return disjoint(prompt, output, read=read_, written=(written, 0))
    return Usage(prompt, read_, written, 0, output)


def _charges(counts: Mapping[str, Any], router: str) -> Charges:
    return Charges.of(
        caveats=unknown_numbers(counts, KNOWN),
        provider_cost_usd=dollars(counts.get("cost")) if router in ROUTERS else None,
    )


def _bases(
    counts: Mapping[str, Any], prompt: str, output: str, status: CallStatus, usage: Usage
) -> tuple[Basis, Basis]:
    basis = Basis.counted(is_counted(counts, prompt) and usage.prompt_tokens > 0)
    output_basis = basis | Basis.counted(is_counted(counts, output))
    if output_basis is Basis.EXACT and status in {CallStatus.ABORTED, CallStatus.ERROR}:
        output_basis = Basis.LOWER_BOUND
    return basis, output_basis


def recognises(path: Path, head: bytes) -> bool:
    """The messages of a task or session, or a file beside a task's messages, which holds no calls of its own."""
    if path.name in BESIDE:
        return path.with_name("ui_messages.json").is_file()
    start = head[:16384].translate(None, b" \t\r\n")
    if start.startswith(b"["):
        return b'"ts":' in start and (b'"say":"' in start or b'"ask":"' in start)
    return start.startswith(b'{"version":1,') and b'"origin":{' in start and b'"sessionId":"' in start


def places(home: Path, environment: Mapping[str, str]) -> list[Path]:
    settings = (
        home / ".config",
        home / "Library" / "Application Support",
        Path(environment.get("APPDATA") or home / "AppData" / "Roaming"),
    )
    roots = [
        folder / editor / "User" / "globalStorage" / name
        for folder in settings
        for editor in EDITORS
        for name in EXTENSIONS
    ]
    roots += [home / ".vscode-server" / "data" / "User" / "globalStorage" / name for name in EXTENSIONS]
    own = Path(environment.get("CLINE_DATA_DIR") or Path(environment.get("CLINE_DIR") or home / ".cline") / "data")
    sessions = Path(environment.get("CLINE_SESSION_DATA_DIR") or own / "sessions")
    tasks = [found for root in (*roots, own) for found in sorted(root.glob("tasks/*/ui_messages.json"))]
    return [*tasks, *sorted(sessions.glob("*/*.messages.json"))]


FORMAT = LogFormat(
    name=NAME,
    title="Cline, Roo Code and Kilo Code tasks",
    recognises=recognises,
    read=read,
    places=places,
    checked_against="documentation",
    lines=False,
)
