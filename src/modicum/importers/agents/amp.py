"""Amp: threads as JSON, `~/.local/share/amp/threads/T-*.json`, or exported (`amp threads export THREAD`).

Since 2025 Amp keeps its threads on its server, and the folder holds older ones: newer threads are read from exports.
Written from what users quote of their files in public issues; no file was at hand. Traps, each with a fixture:

- Usage stands at the reply (`inputTokens` without the cache; `totalInputTokens` with it, where the log has it: a reply
  whose parts do not add up is unknown).
- Older threads have a list of their own (`usageLedger.events`), without the cache; its events name the reply that they
  belong to. A reply that has usage itself is counted from there. An event alone lacks its cache: a lower bound.
- Amp bills credits, which are not dollars, and are not read.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from modicum.calls import Basis, Call, Charges, Problem, Usage
from modicum.calls.provider_names import provider_of_own_model
from modicum.calls.usage import checked_count, is_counted
from modicum.importers.agents.row_calls import Row, row_calls
from modicum.importers.files import document
from modicum.importers.format import Found, LogFormat, Reading
from modicum.providers.fields import label, listed, mapping, moment, text
from modicum.providers.usage_guard import KnownFields, unknown_numbers

NAME = "amp"
KNOWN: KnownFields = {
    **dict.fromkeys(("inputTokens", "cacheReadInputTokens", "cacheCreationInputTokens", "outputTokens"), "priced"),
    **dict.fromkeys(("input", "output"), "priced"),
    "totalInputTokens": "the sum",
    "maxInputTokens": "a limit",
    "thinkingBudget": "a limit",
    "credits": "Amp's own, no dollars",
    **dict.fromkeys(("model", "timestamp"), "no count"),
}
"""What is done with every number of a usage object."""


def read(path: Path, reading: Reading) -> Found:
    del reading
    found = document(path)
    if isinstance(found, Problem):
        yield found
        return
    thread = _Thread(path, mapping(found))
    yield from row_calls(path, enumerate(map(mapping, thread.messages), 1), thread.reply)
    yield from row_calls(path, enumerate(map(mapping, thread.events), 1), thread.event)


class _Thread:
    def __init__(self, path: Path, thread: Mapping[str, Any]) -> None:
        self.name = label(thread.get("id")) or path.name.split(".")[0]
        self.messages = listed(thread.get("messages"))
        self.events = listed(mapping(thread.get("usageLedger")).get("events"))
        self.created = moment(thread.get("created"))
        self.sent_at = self.created
        self.counted: set[str] = set()
        trees = listed(mapping(mapping(thread.get("env")).get("initial")).get("trees"))
        self.project = text(mapping(trees[0]).get("uri")).removeprefix("file://") if trees else ""

    def reply(self, message: Row) -> Iterator[Call]:
        self.sent_at = moment(mapping(message.get("meta")).get("sentAt")) or self.sent_at
        counts = mapping(message.get("usage"))
        if message.get("role") != "assistant" or not counts:
            return
        name = label(message.get("messageId"))
        at = moment(counts.get("timestamp")) or moment(message.get("timestamp")) or self.sent_at
        usage = Usage(
            checked_count("inputTokens", counts.get("inputTokens")),
            checked_count("cacheReadInputTokens", counts.get("cacheReadInputTokens")),
            checked_count("cacheCreationInputTokens", counts.get("cacheCreationInputTokens")),
            0,
            checked_count("outputTokens", counts.get("outputTokens")),
        )
        total = checked_count("totalInputTokens", counts.get("totalInputTokens"))
        is_sure = is_counted(counts, "inputTokens") and total in {0, usage.prompt_tokens}
        model = text(counts.get("model")) or text(message.get("model"))
        call = self._call(
            f"{NAME}:{self.name}:{name}", model, at, usage, Basis.counted(is_sure), counts, "outputTokens"
        )
        self.counted.add(name)
        yield call

    def event(self, event: Row) -> Iterator[Call]:
        if label(event.get("toMessageId")) in self.counted:
            return
        counts = mapping(event.get("tokens"))
        usage = Usage(
            input_uncached=checked_count("input", counts.get("input")),
            output_visible=checked_count("output", counts.get("output")),
        )
        basis = Basis.LOWER_BOUND if is_counted(counts, "input") else Basis.UNKNOWN
        name = label(event.get("id")) or label(event.get("timestamp"))
        at = moment(event.get("timestamp"))
        yield self._call(
            f"{NAME}:{self.name}:event:{name}", text(event.get("model")), at, usage, basis, counts, "output"
        )

    def _call(
        self, identity: str, model: str, at: Any, usage: Usage, basis: Basis, counts: Mapping[str, Any], output: str
    ) -> Call:
        if at is None or not model:
            raise ValueError("a reply without time or model")
        return Call(
            call_id=identity,
            source=NAME,
            provider=provider_of_own_model(model),
            model=model,
            started=at,
            usage=usage,
            usage_basis=basis,
            output_basis=Basis.counted(is_counted(counts, output)),
            charges=Charges.of(caveats=unknown_numbers(counts, KNOWN)),
            task=self.name,
            project=self.project,
            revision=usage.total_tokens,
        )


def recognises(path: Path, head: bytes) -> bool:
    """A document with a thread's id and its messages."""
    del path
    start = head[:16384].translate(None, b" \t\r\n")
    return start.startswith(b"{") and b'"id":"T-' in start and (b'"messages":[' in start or b'"usageLedger"' in start)


def places(home: Path, environment: Mapping[str, str]) -> list[Path]:
    chosen = environment.get("AMP_DATA_DIR")
    data = Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share")
    return [(Path(chosen) if chosen else data / "amp") / "threads"]


FORMAT = LogFormat(
    name=NAME,
    title="Amp threads",
    recognises=recognises,
    read=read,
    places=places,
    checked_against="documentation",
    lines=False,
)
