"""Qwen Code chats: `~/.qwen/projects/<folder>/chats/<session>.jsonl`.

A row per message, in a tree by `uuid` and `parentUuid`; replies carry Gemini's `usageMetadata` and content parts,
whichever model served them. Traps, each with a fixture:

- The rows look like Claude Code's at first sight (`sessionId`, `parentUuid`); what tells them apart is that a message
  has `parts`.
- A branched session repeats the rows of its parent under another session, with the same `uuid`s: booked once.
- A compression row holds the history that the model sees from then on.
"""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from modicum.calls import Call, Problem, Segment, SegmentKind
from modicum.calls.provider_names import provider_of_own_model
from modicum.context.growing import Context
from modicum.importers.files import records
from modicum.importers.format import Found, LogFormat, Reading
from modicum.providers.fields import listed, mapping, moment, text
from modicum.providers.gemini_generate.usage import bases_of, charges_from, tier_from, usage_from
from modicum.providers.json_values import decoded
from modicum.providers.message_blocks import message_blocks

NAME = "qwen-code"


class QwenChat:
    def __init__(self, path: Path, reading: Reading) -> None:
        self.path = path
        self.reading = reading
        self.segmenter = reading.segmenter()
        self.context = Context()
        self.model = ""
        self.sent_at: datetime | None = None


def read(path: Path, reading: Reading) -> Found:
    chat = QwenChat(path, reading)
    for found in records(path):
        if isinstance(found, Problem):
            yield found
            continue
        number, row = found
        try:
            call = _row(chat, row)
        except (ValueError, RecursionError) as error:
            yield Problem(str(path), f"not counted: {error}", number)
        else:
            if call:
                yield call


def _row(chat: QwenChat, row: Mapping[str, Any]) -> Call | None:
    at = moment(row.get("timestamp"))
    if row.get("type") == "system":
        if row.get("subtype") == "chat_compression":
            _compression(chat, mapping(row.get("systemPayload")))
        return None
    call = None
    if row.get("type") == "assistant":
        chat.model = text(row.get("model")) or chat.model
        call = _call(chat, row, at)
    chat.sent_at = at or chat.sent_at
    if chat.reading.anatomy:
        segments = _segments(chat, row.get("message"))
        chat.context.grow(segments)
        if call:
            chat.reading.listener.on_reply(call.call_id, segments)
    return call


def _segments(chat: QwenChat, content: Any) -> list[Segment]:
    return chat.segmenter.segments(message_blocks(mapping(content)), chat.model)


def _call(chat: QwenChat, row: Mapping[str, Any], at: datetime | None) -> Call | None:
    counts = mapping(row.get("usageMetadata"))
    usage = usage_from(counts)
    if not usage.total_tokens:
        return None
    name, session = text(row.get("uuid")), text(row.get("sessionId")) or chat.path.name.split(".")[0]
    if at is None or not chat.model or not name:
        raise ValueError("a reply without time, model or id")
    agent = text(row.get("agentName")) or text(row.get("agentId"))
    branched_from = text(mapping(row.get("forkedFrom")).get("sessionId"))
    basis, output_basis = bases_of(counts)
    return Call(
        call_id=f"{NAME}:{name}",
        source=NAME,
        provider=provider_of(chat.model),
        model=chat.model,
        started=chat.sent_at if chat.sent_at and chat.sent_at <= at else at,
        finished=at,
        usage=usage,
        usage_basis=basis,
        output_basis=output_basis,
        tier=tier_from(counts),
        charges=charges_from(counts, model=chat.model),
        task=session,
        conversation=f"{session}/{text(row.get('agentId'))}" if row.get("agentId") else session,
        agent=agent,
        project=text(row.get("cwd")),
        branch=text(row.get("gitBranch")),
        revision=0 if branched_from else 1,  # the session that made the call stands above the one that copied it
        anatomy=chat.context.sent(usage.prompt_tokens) if chat.reading.anatomy else None,
    )


def provider_of(model: str) -> str:
    """Whoever serves a model of that name; Qwen's own service has no price list that we know."""
    return "google" if model.startswith("gemini") else provider_of_own_model(model)


def _compression(chat: QwenChat, payload: Mapping[str, Any]) -> None:
    history = listed(payload.get("compressedHistory"))
    if not chat.reading.anatomy or not history:
        return
    chat.context.cut(0, "compaction")
    for number, content in enumerate(history):
        kept = _segments(chat, content)
        if number == 0:  # the summary stands first; the rest of the history follows it
            kept = [Segment(SegmentKind.SUMMARY, part.tokens, part.digest) for part in kept]
        chat.context.grow(kept)


def recognises(path: Path, head: bytes) -> bool:
    """Rows of a session's tree whose messages have Gemini's parts. One of the first rows decides."""
    del path
    for line in head.split(b"\n", 20)[:20]:
        if not line.startswith(b"{") or b'"sessionId"' not in line or b'"parentUuid"' not in line:
            continue
        if b'"parts"' not in line and b'"systemPayload"' not in line:
            continue  # decoding every first row of every transcript would cost more than reading it
        try:
            row = decoded(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(mapping(row.get("message")).get("parts"), list) or "systemPayload" in row:
            return True
    return False


def places(home: Path, environment: Mapping[str, str]) -> list[Path]:
    del environment
    return sorted((home / ".qwen" / "projects").glob("*/chats"))


FORMAT = LogFormat(
    name=NAME,
    title="Qwen Code chats",
    recognises=recognises,
    read=read,
    places=places,
    checked_against="documentation",
)
