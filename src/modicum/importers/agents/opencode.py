"""OpenCode: `~/.local/share/opencode/opencode*.db` (SQLite), and the JSON files of older versions below `storage/`.

Each reply is one message with its tokens; its parts (text, reasoning, tool calls with their results) lie beside it. In
the database all messages of a session are there, and calls carry their anatomy; the JSON files hold one message each
and give calls alone. Traps, each with a fixture:

- `tokens.input` excludes what was read from and written to the cache, whoever served the call.
- `tokens.output` includes reasoning in older versions and excludes it in newer ones. Where `total` does not tell which,
  the smaller reading stands as a lower bound.
- `cost` is 0 for subscriptions and unknown models: 0 is no cost that anybody knows.
- An agent's session has a `parentID`; the task is the session at the root.
- A reply without tokens that was aborted may still be billed: its counts are unknown. Others are no calls.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from modicum.calls import Basis, Call, CallStatus, Problem, Usage
from modicum.calls.regular_file import open_regular, read_regular
from modicum.calls.usage import checked_count, is_counted
from modicum.importers.files import document
from modicum.importers.format import Found, LogFormat, Reading
from modicum.providers.fields import dollars, mapping, moment, text
from modicum.providers.json_values import decoded

NAME = "opencode"
SQLITE = b"SQLite format 3\x00"
PROVIDERS = {
    "anthropic": "anthropic",
    "openai": "openai",
    "google": "google",
    "google-vertex": "google",
    "google-vertex-anthropic": "google",
    "amazon-bedrock": "aws",
    "azure": "azure",
    "openrouter": "openrouter",
    "groq": "groq",
    "xai": "x-ai",
    "deepseek": "deepseek",
    "mistral": "mistral",
    "togetherai": "together",
    "fireworks-ai": "fireworks",
    "moonshotai": "moonshotai",
    "cerebras": "cerebras",
    "github-copilot": "github-copilot",
}
"""OpenCode's provider ids (those of models.dev), and genai-prices' for the same."""
MOST_PARENTS = 20


def read(path: Path, reading: Reading) -> Found:
    if is_database(path):
        from modicum.importers.agents.opencode_database import read_database

        yield from read_database(path, reading)
        return
    found = document(path)
    if isinstance(found, Problem):
        yield found
        return
    message = mapping(found)
    try:
        call = call_of(message, root_session(path, text(message.get("sessionID"))))
    except ValueError as error:
        yield Problem(str(path), f"not counted: {error}")
    else:
        if call:
            yield call


def is_database(path: Path) -> bool:
    try:
        with open_regular(path) as stream:
            return stream.read(len(SQLITE)) == SQLITE
    except OSError:
        return False


def call_of(message: Mapping[str, Any], root: str) -> Call | None:
    """A message as a call; None where it was none. `root` is the session that its session belongs to.

    Raises:
        ValueError: a count, the time, or what else a call needs is not there.
    """
    if message.get("role") != "assistant":
        return None
    usage, output_basis = usage_from(mapping(message.get("tokens")), text(message.get("providerID")))
    error = text(mapping(message.get("error")).get("name"))
    is_aborted = error == "MessageAbortedError"
    if not usage.total_tokens and not is_aborted:
        return None
    times = mapping(message.get("time"))
    started, finished = moment(times.get("created")), moment(times.get("completed"))
    name, model, session = text(message.get("id")), text(message.get("modelID")), text(message.get("sessionID"))
    if not name or not model or started is None:
        raise ValueError("a reply without id, model or time")
    agent = text(message.get("agent")) or text(message.get("mode"))
    tokens = mapping(message.get("tokens"))
    is_known = bool(usage.total_tokens) and is_counted(tokens, "input")
    if not is_counted(tokens, "output"):
        output_basis = Basis.UNKNOWN
    return Call(
        call_id=f"{NAME}:{name}",
        source=NAME,
        provider=PROVIDERS.get(text(message.get("providerID")), ""),
        model=model,
        started=started,
        finished=finished if finished and finished >= started else None,
        status=CallStatus.ABORTED if is_aborted else CallStatus.ERROR if error else CallStatus.OK,
        finish_reason=text(message.get("finish")),
        usage=usage,
        usage_basis=Basis.EXACT if is_known else Basis.UNKNOWN,
        output_basis=output_basis if is_known else Basis.UNKNOWN,
        reported_cost_usd=dollars(message.get("cost")),
        task=root or session,
        conversation=session,
        agent=(agent or session) if root not in {"", session} else "",
        project=text(mapping(message.get("path")).get("cwd")) or text(mapping(message.get("path")).get("root")),
        revision=usage.total_tokens,
    )


def usage_from(tokens: Mapping[str, Any], provider: str) -> tuple[Usage, Basis]:
    """The counts as buckets, and how the output is known.

    Raises:
        ValueError: a count is no count of tokens.
    """
    cache = mapping(tokens.get("cache"))
    uncached = checked_count("input", tokens.get("input"))
    read_ = checked_count("cache.read", cache.get("read"))
    written = checked_count("cache.write", cache.get("write"))
    output = checked_count("output", tokens.get("output"))
    reasoning = checked_count("reasoning", tokens.get("reasoning"))
    total = checked_count("total", tokens.get("total"))
    basis, visible = Basis.EXACT, output
    if 0 < reasoning <= output:
        if total:
            is_inside = total in {uncached + read_ + written + output, uncached + output}
        else:
            is_inside = provider not in {"google", "google-vertex"}  # whose counts are apart in every version
            basis = Basis.LOWER_BOUND if is_inside else Basis.EXACT
        visible = output - reasoning if is_inside else output
    return Usage(uncached, read_, written, 0, visible, reasoning), basis


def root_session(path: Path, session: str) -> str:
    """The session at the root of an agent's, from the session files beside the messages; itself where none are."""
    storage = next((folder.parent for folder in path.absolute().parents if folder.name == "message"), None)
    root = session
    for _ in range(MOST_PARENTS):
        parent = _parent(storage, root) if storage else ""
        if not parent or parent == session:
            return root
        root = parent
    return root


@lru_cache(maxsize=4096)
def _parent(storage: Path, session: str) -> str:
    """The parent of a session, which never changes."""
    if not session.replace("_", "").isalnum():
        return ""
    for found in (storage / "session").glob(f"*/{session}.json"):
        try:
            return text(mapping(decoded(read_regular(found))).get("parentID"))
        except (OSError, ValueError, RecursionError):
            return ""
    return ""


def recognises(path: Path, head: bytes) -> bool:
    """A database with OpenCode's tables, or one of its JSON files; those that are no messages hold no calls."""
    if head.startswith(SQLITE):
        from modicum.importers.agents.opencode_database import is_opencode

        return is_opencode(path)
    start = head.lstrip()[:2048]
    if not start.startswith(b"{"):
        return False
    is_message = b'"sessionID"' in start and (b'"msg_' in start or b'"messageID"' in start)
    is_session = b'"ses_' in start and b'"projectID"' in start
    return is_message or is_session


def places(home: Path, environment: Mapping[str, str]) -> list[Path]:
    """The databases, and the older messages (their parts and sessions beside them hold no calls)."""
    folder = Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share") / "opencode"
    return [*sorted(folder.glob("opencode*.db")), folder / "storage" / "message"]


FORMAT = LogFormat(
    name=NAME,
    title="OpenCode sessions (database and JSON files)",
    recognises=recognises,
    read=read,
    places=places,
    checked_against="documentation",
    lines=False,
)
