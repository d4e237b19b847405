"""One message of OpenCode, as JSON files and its database hold it, and the session at the root of its own."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from modicum.calls import Basis, Call, CallStatus, Charges, Usage
from modicum.calls.outside.regular_file import read_regular
from modicum.calls.usage import checked_count, is_counted
from modicum.providers.fields import dollars, mapping, moment, text
from modicum.providers.json_values import decoded
from modicum.providers.usage_guard import KnownFields, unknown_numbers

NAME = "opencode"
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
KNOWN: KnownFields = {
    **dict.fromkeys(("input", "output", "reasoning"), "priced"),
    "cache": {"read": "priced", "write": "priced"},
    "total": "the sum",
}
"""What is done with every number of a message's tokens."""


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
        charges=Charges.of(caveats=unknown_numbers(tokens, KNOWN, "tokens")),
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
