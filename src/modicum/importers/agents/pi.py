"""pi (coding agent): `~/.pi/agent/sessions/--<folder>--/<time>_<session>.jsonl`.

A row per entry, in a tree by `id` and `parentId`. Written from pi's documentation of its session files and the source
of versions 0.74 and 1.6; checked against two sessions that its repository publishes. Traps, each with a fixture:

- `input` excludes what was read from and written to the cache, whoever served the call; `output` includes reasoning,
  and `cacheWrite1h` is a part of `cacheWrite`.
- Until early 2026 replies of `openai-completions` had their reasoning added to an output that held it already. Such
  rows lack `reasoning`, which later versions always write there; their output may be too large, and is no exact count.
- Not only replies cost: a `usage` entry (a cache kept warm), the summaries of a compaction and of a branch, and tools
  that ask a model have usage of their own. Of the last three the log names no model.
- A forked or cloned session repeats rows: booked once. Rows of old sessions got their ids later, in each copy another
  one, so a row is known by its times and counts; a reply's own id is used where the log has it.
- `cost` is worked out from pi's own list unless `totalFromProvider` says otherwise; only then it is what was billed.
- Replies without a count stand as zeros. One that was aborted or came through is then unknown; one that failed is none.
- No service tier is logged, though an extension may ask for one.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from modicum.calls import Basis, Call, CallStatus, Charges, Usage
from modicum.calls.provider_names import is_native_id
from modicum.calls.usage import checked_count, is_counted
from modicum.importers.agents.opencode_messages import PROVIDERS as SHARED_PROVIDERS
from modicum.importers.agents.row_calls import Row, row_calls
from modicum.importers.files import records
from modicum.importers.format import Found, LogFormat, Reading
from modicum.importers.tags import named
from modicum.providers.fields import dollars, label, mapping, moment, text
from modicum.providers.token_buckets import disjoint
from modicum.providers.usage_guard import KnownFields, unknown_numbers

NAME = "pi"
PROVIDERS = SHARED_PROVIDERS | {
    "azure-openai-responses": "azure",
    "openai-codex": "openai",
    "google-gemini-cli": "google",
    "google-antigravity": "google",
    "fireworks": "fireworks",
    "together": "together",
    "zai": "zai",
}
"""pi's ids of providers, and genai-prices' for the same."""
STATUS = {"error": CallStatus.ERROR, "aborted": CallStatus.ABORTED, "pending": CallStatus.UNKNOWN}
WITHOUT_MODEL = ("compaction", "branch_summary")
KNOWN: KnownFields = {
    **dict.fromkeys(("input", "output", "cacheRead", "cacheWrite", "cacheWrite1h", "reasoning"), "priced"),
    "totalTokens": "the sum",
    "cost": "pi's own estimate, or taken",
    "premiumRequests": "the unit of a plan, no dollars",
}
"""What is done with every number of a usage object."""


class _Session:
    """What the rows before one say about it."""

    def __init__(self, path: Path) -> None:
        self.name = path.name.split(".")[0].partition("_")[2] or path.name.split(".")[0]
        self.project = ""
        self.sent_at: datetime | None = None

    def calls_of(self, row: Row) -> Iterator[Call]:
        kind, at = row.get("type"), moment(row.get("timestamp"))
        message = mapping(row.get("message"))
        if kind == "session":
            self.name, self.project = label(row.get("id")) or self.name, text(row.get("cwd"))
        elif kind in {"usage", *WITHOUT_MODEL} and row.get("usage"):
            yield self._call(row, row, at)
        elif _is_call(message):
            yield self._call(row, message, at)
        if kind == "message":
            self.sent_at = at or self.sent_at

    def _call(self, row: Row, source: Mapping[str, Any], at: datetime | None) -> Call:
        counts = mapping(source.get("usage"))
        usage, basis, output_basis = usage_from(source)
        model = text(source.get("responseModel")) or text(source.get("model"))
        is_reply = source.get("role") == "assistant"
        if at is None or (is_reply and not model):
            raise ValueError("a reply without time or model")
        cost = mapping(counts.get("cost"))
        started = (moment(source.get("timestamp")) or self.sent_at) if is_reply else None
        return Call(
            call_id=_identity(row, source, usage),
            source=NAME,
            provider=PROVIDERS.get(text(source.get("provider")), ""),
            model=model,
            started=started if started and started <= at else at,
            finished=at,
            status=STATUS.get(text(source.get("stopReason")), CallStatus.OK),
            finish_reason=text(source.get("stopReason")),
            usage=usage,
            usage_basis=basis,
            output_basis=output_basis,
            charges=Charges.of(
                caveats=unknown_numbers(counts, KNOWN),
                provider_cost_usd=dollars(cost.get("total")) if cost.get("totalFromProvider") is True else None,
            ),
            task=self.name,
            conversation=self.name,
            project=self.project,
            tags=named(kind="" if is_reply else row.get("kind") or source.get("toolName") or row.get("type")),
            revision=usage.total_tokens,
        )


def _is_call(message: Mapping[str, Any]) -> bool:
    """Whether a provider may have charged for it: not for an error before which nothing was counted."""
    counts = mapping(message.get("usage"))
    if message.get("role") == "toolResult":
        return bool(counts)
    is_counted_error = any(counts.get(name) for name in ("input", "output", "totalTokens"))
    return message.get("role") == "assistant" and (message.get("stopReason") != "error" or is_counted_error)


def _identity(row: Row, source: Mapping[str, Any], usage: Usage) -> str:
    reply = text(source.get("responseId"))
    if is_native_id(reply):
        return reply
    own = label(row.get("id")) if source is row else label(source.get("timestamp"))
    return f"{NAME}:{label(row.get('timestamp'))}:{own}:{usage.total_tokens}"


def usage_from(source: Mapping[str, Any]) -> tuple[Usage, Basis, Basis]:
    """The counts of a reply as buckets, and how input and output are known.

    Raises:
        ValueError: a count is no count of tokens.
    """
    counts = mapping(source.get("usage"))
    read_ = checked_count("cacheRead", counts.get("cacheRead"))
    written = checked_count("cacheWrite", counts.get("cacheWrite"))
    for_an_hour = checked_count("cacheWrite1h", counts.get("cacheWrite1h"))
    if for_an_hour > written:
        raise ValueError("cacheWrite1h is more than cacheWrite, of which it is a part")
    usage = disjoint(
        checked_count("input", counts.get("input")) + read_ + written,
        checked_count("output", counts.get("output")),
        read=read_,
        written=(written - for_an_hour, for_an_hour),
        reasoning=checked_count("reasoning", counts.get("reasoning")),
    )
    basis = Basis.counted(is_counted(counts, "input") and usage.prompt_tokens > 0)
    output_basis = basis | Basis.counted(is_counted(counts, "output"))
    if output_basis is Basis.EXACT and source.get("api") == "openai-completions" and "reasoning" not in counts:
        output_basis = Basis.ESTIMATED
    if output_basis is Basis.EXACT and source.get("stopReason") in {"aborted", "error", "pending"}:
        output_basis = Basis.LOWER_BOUND
    return usage, basis, output_basis


def recognises(path: Path, head: bytes) -> bool:
    """A first row that opens a session with its folder and time, or one of its messages (a log cut off in front)."""
    del path
    first = head.lstrip(b"\xef\xbb\xbf \t\r\n").split(b"\n", 1)[0].replace(b'": "', b'":"')
    if not first.startswith(b"{") or b'"timestamp":' not in first:
        return False
    is_start = b'"type":"session"' in first[:4096] and b'"cwd":' in first
    is_reply = b'"type":"message"' in first[:4096] and b'"cacheRead":' in first and b'"role":"assistant"' in first
    return is_start or is_reply


def read(path: Path, reading: Reading) -> Found:
    del reading
    yield from row_calls(path, records(path), _Session(path).calls_of)


def places(home: Path, environment: Mapping[str, str]) -> list[Path]:
    """Pi's folder, and that of oh-my-pi, which goes on from pi and writes the same files."""
    agent = Path(environment.get("PI_CODING_AGENT_DIR") or home / ".pi" / "agent")
    chosen = environment.get("PI_CODING_AGENT_SESSION_DIR")
    return [Path(chosen or agent / "sessions"), home / ".omp" / "agent" / "sessions"]


FORMAT = LogFormat(
    name=NAME,
    title="pi sessions",
    recognises=recognises,
    read=read,
    places=places,
    checked_against="real exports",
)
