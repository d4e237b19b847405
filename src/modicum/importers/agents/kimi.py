"""Kimi CLI and Kimi Code: `wire.jsonl` of a session or of one of its agents.

Kimi Code: `~/.kimi-code/sessions/<folder>/<session>/agents/<agent>/wire.jsonl`; Kimi CLI, before it: `~/.kimi/sessions/
<folder>/<session>/wire.jsonl` and `.../subagents/<agent>/wire.jsonl`. Written from the sources of Kimi CLI (July 2026)
and the published package of Kimi Code 2.1. Traps, each with a fixture:

- `inputOther` excludes what was read from and written to the cache; `output` has reasoning inside, and nothing tells
  how much.
- A forked session repeats the rows of its parent, and Kimi CLI repeats a subagent's rows in its parent's file: a call
  is known by its reply's id, or by time and counts.
- Kimi Code names models by the user's alias; the request before says which model that is. Kimi CLI names none: a
  problem says so, since nothing can be priced.
- A reply without usage is written as zeros by Kimi Code: unknown, not free.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from modicum.calls import Basis, Call, Charges, Problem, Usage
from modicum.calls.provider_names import is_native_id, provider_of_model, provider_of_own_model
from modicum.calls.usage import checked_count, is_counted
from modicum.importers.agents.row_calls import Row, row_calls
from modicum.importers.files import records
from modicum.importers.format import Found, LogFormat, Reading
from modicum.providers.fields import label, mapping, moment, text
from modicum.providers.usage_guard import KnownFields, unknown_numbers

NAME = "kimi"
CODE_NAMES = ("inputOther", "output", "inputCacheRead", "inputCacheCreation")
CLI_NAMES = ("input_other", "output", "input_cache_read", "input_cache_creation")
KNOWN: KnownFields = dict.fromkeys((*CODE_NAMES, *CLI_NAMES), "priced")
"""What is done with every number of a usage object."""
PROTOCOLS = {"kimi": "moonshotai", "google-genai": "google", "vertexai": "google"}
"""Protocols that one provider alone speaks. OpenAI's and Anthropic's are spoken by others too."""
_CLI_ROWS = re.compile(rb'"type":"(?:TurnBegin|StatusUpdate)"').search


def read(path: Path, reading: Reading) -> Found:
    del reading
    wire = _Wire(path)
    yield from row_calls(path, records(path), wire.calls_of)
    if wire.unnamed:
        yield Problem(
            str(path),
            f"Kimi CLI does not log models: its calls ({wire.unnamed}) have counts and no price (Kimi Code logs them)",
        )


class _Wire:
    def __init__(self, path: Path) -> None:
        self.session, self.agent = _place(path)
        self.project = ""
        self.models: dict[str, tuple[str, str]] = {}
        """Alias -> provider and model."""
        self.unnamed = 0

    def calls_of(self, row: Row) -> Iterator[Call]:
        kind = row.get("type")
        if kind == "llm.request":
            alias = text(row.get("modelAlias")) or text(row.get("model"))
            provider = PROTOCOLS.get(text(row.get("provider"))) or provider_of_model(alias)
            self.models[alias] = provider, text(row.get("model"))
        elif kind in {"config.update", "profile.bind"}:
            self.project = text(mapping(row.get("environmentDisclosure")).get("cwd")) or self.project
        elif kind == "usage.record":
            alias = text(row.get("model"))
            provider, model = self.models.get(alias, (provider_of_model(alias), alias))
            yield self._call(row, mapping(row.get("usage")), CODE_NAMES, row.get("time"), provider, model)
        elif "message" in row:
            message = mapping(row["message"])
            if message.get("type") == "SubagentEvent":
                message = mapping(mapping(message.get("payload")).get("event"))
            payload = mapping(message.get("payload"))
            if message.get("type") == "StatusUpdate" and payload.get("token_usage") is not None:
                self.unnamed += 1
                yield self._call(payload, mapping(payload["token_usage"]), CLI_NAMES, row.get("timestamp"), "", "")

    def _call(
        self, source: Row, counts: Mapping[str, Any], names: tuple[str, ...], time: Any, provider: str, model: str
    ) -> Call:
        at = moment(time)
        if at is None:
            raise ValueError("a usage without time")
        uncached, output, read_, written = (checked_count(name, counts.get(name)) for name in names)
        usage = Usage(uncached, read_, written, 0, output)
        basis = Basis.counted(is_counted(counts, names[0]) and usage.prompt_tokens > 0)
        reply = text(source.get("message_id"))
        own = reply or f"{label(time) or time}:{model}"
        return Call(
            call_id=reply if is_native_id(reply) else f"{NAME}:{own}:{usage.total_tokens}",
            source=NAME,
            provider=provider or provider_of_own_model(model),
            model=model,
            started=at,
            finished=at,
            usage=usage,
            usage_basis=basis,
            output_basis=basis | Basis.counted(is_counted(counts, names[1])),
            charges=Charges.of(caveats=unknown_numbers(counts, KNOWN)),
            task=self.session,
            conversation=f"{self.session}/{self.agent}" if self.agent else self.session,
            agent=self.agent,
            project=self.project,
            revision=usage.total_tokens,
        )


def _place(path: Path) -> tuple[str, str]:
    """Session and agent (empty for the main one) of a wire file, from the folders that it lies in."""
    folder = path.absolute().parent
    if folder.parent.name in {"agents", "subagents"}:
        return folder.parent.parent.name, "" if folder.name == "main" else folder.name
    return folder.name, ""


def recognises(path: Path, head: bytes) -> bool:
    """A first row that names the version of the protocol, which old sessions lack, or rows that only Kimi writes."""
    del path
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").translate(None, b" ")
    if not start.startswith(b"{"):
        return False
    first = start.split(b"\n", 1)[0]
    is_named = b'"type":"metadata"' in first and b'"protocol_version"' in first
    is_code = b'"type":"usage.record"' in start and b'"inputOther"' in start
    return (
        is_named
        or is_code
        or (b'"message":{"type":"' in start and b'"payload":' in start and _CLI_ROWS(start) is not None)
    )


def places(home: Path, environment: Mapping[str, str]) -> list[Path]:
    code = Path(environment.get("KIMI_CODE_HOME") or home / ".kimi-code") / "sessions"
    cli = Path(environment.get("KIMI_SHARE_DIR") or home / ".kimi") / "sessions"
    return [*sorted(code.glob("**/wire.jsonl")), *sorted(cli.glob("**/wire.jsonl"))]


FORMAT = LogFormat(
    name=NAME,
    title="Kimi CLI and Kimi Code sessions",
    recognises=recognises,
    read=read,
    places=places,
    checked_against="documentation",
)
