"""Claude Code transcripts: `~/.claude/projects/<folder>/<session>.jsonl`, and subagents in folders below.

Traps, each with a fixture (the shapes were verified on real transcripts of versions 2.0 and 2.1):

- One call stands in one to ten rows, one per content block, with the same message id; its output count grows from row
  to row, and the final count is never written. So rows are gathered by message id, the row with the greatest total
  stands, and output is a lower bound.
- Gateways leave out `requestId`, and side chains repeat a parent's message under a new one: the message id is the
  identity, and a row of the main chain stands above one of a side chain.
- Calls of subagents may stand only inside `progress` rows.
- Resumed and forked sessions repeat the calls of the session that they came from: same ids, so they are booked once.
- `<synthetic>` is no model and such a row no call.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import msgspec

from modicum.calls import NO_CHARGES, Basis, Call, ChargedUnit, Charges, Problem, Tier, Usage
from modicum.importers.array_items import MOST_VALUES, TOO_MUCH, holds_too_much
from modicum.importers.claude_code.attribution import AttributedRow, logged_tags
from modicum.importers.files import LineChunk, blocks
from modicum.importers.format import Found
from modicum.importers.line_values import HOLE, reason_unread, values
from modicum.importers.unpacking import plain_name
from modicum.providers.anthropic_messages import usage as anthropic
from modicum.providers.cache_diagnostics import cache_miss_from
from modicum.providers.fields import MOST_REPORTED_USD, label, mapping
from modicum.providers.json_values import tolerant

NAME = "claude-code"
NO_MODEL = "<synthetic>"
USAGE_MARK = b'"output_tokens"'
"""Stands in every row that carries usage and in few others: in quoted text the quotes are escaped."""


class CacheCreation(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    ephemeral_5m_input_tokens: int | None = 0
    ephemeral_1h_input_tokens: int | None = 0


class ServerTools(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    web_search_requests: int | None = 0
    web_fetch_requests: int | None = 0


class OutputDetails(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    thinking_tokens: int | None = 0


class UsageFields(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """A usage object of which every field is understood, read in a tenth of the time that any other takes."""

    input_tokens: int | None = 0
    output_tokens: int | None = 0
    cache_creation_input_tokens: int | None = 0
    cache_read_input_tokens: int | None = 0
    cache_creation: CacheCreation | None = None
    output_tokens_details: OutputDetails | None = None
    server_tool_use: ServerTools | None = None
    service_tier: str | None = None
    speed: Literal["standard", "fast"] | None = None
    inference_geo: Literal["not_available", "global", ""] | None = None

    def buckets(self) -> Usage:
        split = self.cache_creation or CacheCreation()
        return anthropic.buckets(
            self.input_tokens or 0,
            self.cache_read_input_tokens or 0,
            self.cache_creation_input_tokens or 0,
            split.ephemeral_5m_input_tokens or 0,
            split.ephemeral_1h_input_tokens or 0,
            self.output_tokens or 0,
            (self.output_tokens_details.thinking_tokens or 0) if self.output_tokens_details else 0,
        )


class RowUsage(msgspec.Struct, frozen=True, gc=False):
    """What a usage object says, however it was read."""

    usage: Usage
    is_counted: bool
    tier: Tier
    charges: Charges


def counted_usage(raw: msgspec.Raw, model: str) -> RowUsage:
    """The usage of a row.

    Raises:
        ValueError: a count is none.
    """
    try:
        fields = _known_usage.decode(raw)
    except msgspec.ValidationError:
        return _other_usage(mapping(msgspec.json.decode(raw)), model)
    tools = fields.server_tool_use
    searches = (tools.web_search_requests or 0) if tools else 0
    lane = fields.service_tier
    if lane is not None and lane not in anthropic.LANES:
        return _other_usage(mapping(msgspec.json.decode(raw)), model)
    charges = Charges({ChargedUnit.WEB_SEARCH.value: searches}) if searches else NO_CHARGES
    return RowUsage(fields.buckets(), fields.input_tokens is not None, anthropic.tier(lane, fields.speed), charges)


def _other_usage(counts: Mapping[str, Any], model: str) -> RowUsage:
    return RowUsage(
        anthropic.usage_from(counts),
        counts.get("input_tokens", 0) is not None,
        anthropic.tier_from(counts),
        anthropic.charges_from(counts, model),
    )


NO_USAGE = msgspec.Raw(b"null")
_known_usage = msgspec.json.Decoder(UsageFields)


class Message(msgspec.Struct, gc=False):
    id: str | None = None
    model: str | None = None
    stop_reason: str | None = None
    usage: msgspec.Raw = NO_USAGE
    diagnostics: Any = None

    @property
    def has_usage(self) -> bool:
        return self.usage is not NO_USAGE and bytes(self.usage) != b"null"


class TranscriptRow(AttributedRow, gc=False, rename="camel"):
    """What a bill needs of a row; everything else is passed over without being built."""

    timestamp: str | None = None
    session_id: str | None = None
    agent_id: str | None = None
    is_sidechain: bool | None = None
    cwd: str | None = None
    git_branch: str | None = None
    version: Any = None
    """Of the program; as `diagnostics` nothing that a bill needs, so that an odd one spoils no row."""
    cost_usd: float | None = msgspec.field(name="costUSD", default=None)
    """Version 1 wrote a cost."""
    message: Message | None = None
    data: "Progress | None" = None


class Progress(msgspec.Struct, gc=False, rename="camel"):
    agent_id: str | None = None
    message: TranscriptRow | None = None


class Best(msgspec.Struct, gc=False):
    """The row of a call that stands, and what all its rows tell together."""

    counted: RowUsage
    revision: int
    row: TranscriptRow
    outer: TranscriptRow
    first_at: datetime
    last_at: datetime


def revision(usage: Usage, *, is_main: bool, is_own_row: bool) -> int:
    """The main chain stands above a side chain, then the greater total, then a row above a progress row."""
    return (is_main << 61) | (usage.total_tokens << 1) | is_own_row


MAIN_AND_OWN = (1 << 61) | 1
"""The marks that a revision has of the main chain and of a row of its own: no later row can stand above it but by its
total."""


decode_row = tolerant(msgspec.json.Decoder(TranscriptRow).decode)


def read_usage(path: Path) -> Found:
    """The calls of one transcript, without what their contexts were made of."""
    calls: dict[str, Best] = {}
    for block in blocks(path):
        if isinstance(block, Problem):
            yield block
        else:
            yield from _gather(path, block, calls)
    yield from calls_of(calls, path)


def calls_of(calls: Mapping[str, Best], path: Path) -> Iterator[Call]:
    """The calls of a transcript, in order of their first rows.

    A conversation is named by session, agent and its first call: two files of one session may hold different
    conversations (the session went on elsewhere), or one the beginning of the other.
    """
    first: dict[tuple[str, str], str] = {}
    for message_id, best in calls.items():
        session, agent = _speakers(best, path)
        begun = first.setdefault((session, agent), message_id)
        yield call(message_id, best, session, agent, begun)


def _gather(path: Path, block: LineChunk, calls: dict[str, Best]) -> Iterator[Problem]:
    """Adds the usage rows of a block to `calls`. Rows without usage are not decoded: they cannot be billed."""
    data = block.data
    find = data.find
    standing: dict[str, bytes] = {}  # the usage of the row that stands, as it is written
    start, size, most = 0, len(data), MOST_VALUES
    while start < size:
        end = find(b"\n", start)
        if end < 0:
            end = size
        if end > start:
            reason = None
            if (mark := find(USAGE_MARK, start, end)) >= 0:
                name, usage = _is_reported(data, start, mark, end)
                best = calls.get(name)
                if best is None or standing.get(name) != usage or not _repeats(data, start, mark, end, best):
                    before = best.revision if best is not None else -1
                    reason = add_line(data[start:end], calls) or None
                    if reason is None and name in calls and calls[name].revision > before:
                        standing[name] = usage
            elif data[start] != 0x7B or data[end - 1] != 0x7D or end - start > most:
                reason = ""
            if reason is not None:  # rare: what stands on such a line is looked at value by value
                for found in _add_values(data[start:end], calls, reason):
                    yield Problem(str(path), found, block.line_at(start))
        start = end + 1


def _is_reported(data: bytes, start: int, mark: int, end: int) -> tuple[str, bytes]:
    """Message id and usage of a row, as they are written; empty where they are written in no usual way."""
    at = data.find(b'"id":"msg_', start, end)
    usage = data.rfind(b'"usage"', start, mark)
    if at < 0 or usage < 0:
        return "", b""
    name = data[at + 6 : data.find(b'"', at + 6, end)].decode("ascii", "replace")
    return name, data[usage : data.find(b"}", mark, end)]


def _repeats(data: bytes, start: int, mark: int, end: int, best: Best) -> bool:
    """Whether nothing more can be learned from a row that tells what the standing row of its call told: every second
    row does, and need not be decoded. Only its time is taken.
    """
    time = data.rfind(b'"timestamp":"', start, end)
    if best.revision & MAIN_AND_OWN != MAIN_AND_OWN or time < 0:
        return False
    if data[end - 1] not in b"}\r" or data.find(b'"usage"', mark, end) >= 0:
        return False  # another row may stand behind it
    try:
        at = moment(data[time + 13 : data.find(b'"', time + 13, end)].decode("ascii", "replace"))
    except ValueError:
        return False
    best.first_at, best.last_at = min(best.first_at, at), max(best.last_at, at)
    return True


def _add_values(line: bytes, calls: dict[str, Best], reason: str) -> Iterator[str]:
    """Adds what stands on a line that is no plain row. Gives all that is wrong with it.

    Args:
        line: the line, as it is written.
        calls: what is added to.
        reason: what was wrong with it when it was added as one row; empty if that was not tried.
    """
    if b"\x00" in line.strip():
        yield HOLE
    for value in values(line):
        if holds_too_much(value):
            yield TOO_MUCH
        elif USAGE_MARK not in value:
            if unread := reason_unread(value):
                yield unread
        elif unread := reason if value == line and reason else add_line(value, calls):
            yield unread


def add_line(line: bytes, calls: dict[str, Best]) -> str:
    """Adds one row to the calls. Returns what is wrong with it, or nothing."""
    if holds_too_much(line):
        return TOO_MUCH
    try:
        outer = decode_row(line)
        reason = add_row(outer, calls)
    except (ValueError, RecursionError) as error:  # msgspec's and the date's errors name places, never content
        return f"not counted: {error}"
    release_usage(outer)
    return reason


def release_usage(outer: TranscriptRow) -> None:
    """Lets go of the usage objects of a row that was read: as they are written they hold on to the whole block of the
    file.
    """
    for row in (outer, outer.data.message if outer.data is not None else None):
        if row is not None and row.message is not None:
            row.message.usage = NO_USAGE


def add_row(outer: TranscriptRow, calls: dict[str, Best]) -> str:
    """Adds a decoded row to the calls. Returns what is wrong with it, or nothing.

    Raises:
        ValueError: a token count or the time is none.
    """
    row, is_own_row = outer, True
    if outer.data is not None and outer.data.message is not None:
        row, is_own_row = outer.data.message, False
    message = row.message
    if message is None or not message.has_usage or message.model == NO_MODEL:
        return ""
    if not message.id or not message.model:
        return "not counted: a usage row without message id or model"
    counted = counted_usage(message.usage, message.model)
    usage = counted.usage
    at = moment(row.timestamp or outer.timestamp)
    rank = revision(usage, is_main=not row.is_sidechain, is_own_row=is_own_row)
    best = calls.get(message.id)
    if best is None:
        calls[message.id] = Best(counted, rank, row, outer, at, at)
        return ""
    best.first_at = min(best.first_at, at)
    best.last_at = max(best.last_at, at)
    disagree = best.counted.usage.prompt_tokens != usage.prompt_tokens
    if rank > best.revision:
        best.counted, best.revision, best.row, best.outer = counted, rank, row, outer
    return "disagrees with another row of its call on the input; the greater total stands" if disagree else ""


def moment(timestamp: str | None) -> datetime:
    """A time in UTC; one without zone is taken for UTC, as all versions write it.

    Raises:
        ValueError: it is no time.
    """
    try:
        at = datetime.fromisoformat(timestamp or "")
    except ValueError:
        raise ValueError("the timestamp is missing or no time") from None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def _speakers(best: Best, path: Path) -> tuple[str, str]:
    """Session and agent of a call."""
    row, outer = best.row, best.outer
    session = outer.session_id or plain_name(path.name).removesuffix(".jsonl")
    return session, (outer.data.agent_id if outer.data else None) or row.agent_id or ""


def call(message_id: str, best: Best, session: str, agent: str, begun: str) -> Call:
    """The call of a message; `begun` is the first one of its conversation."""
    row, outer = best.row, best.outer
    message = row.message
    assert message is not None  # noqa: S101 - add_row keeps only rows with a message
    counted = best.counted
    is_counted = Basis.counted(counted.is_counted)
    return Call(
        call_id=message_id,
        source=NAME,
        provider=provider_of(message_id, message.model or ""),
        model=message.model or "",
        started=best.first_at,
        finished=best.last_at,
        finish_reason=message.stop_reason or "",
        usage=counted.usage,
        usage_basis=is_counted,
        output_basis=Basis.LOWER_BOUND | is_counted,
        tier=counted.tier,
        charges=counted.charges.with_cache_miss(cache_miss_from({"diagnostics": message.diagnostics})),
        task=session,
        conversation=f"{session}/{agent}#{begun}",
        agent=agent,
        project=outer.cwd or "",
        client_version=label(outer.version),
        branch=outer.git_branch or "",
        reported_cost_usd=None
        if row.cost_usd is None or not 0 <= row.cost_usd < MOST_REPORTED_USD
        else Decimal(repr(row.cost_usd)),
        tags=logged_tags(row),
        place="" if row is outer else "progress",
        revision=best.revision,
    )


def _reported(usd: float | None) -> Decimal | None:
    return None if usd is None or not 0 <= usd < MOST_REPORTED_USD else Decimal(repr(usd))


def provider_of(message_id: str, model: str) -> str:
    """Who served a call, from the marks that hosts leave in message ids."""
    if message_id.startswith("msg_bdrk"):
        return "aws"
    if message_id.startswith("msg_vrtx"):
        return "google"
    return "anthropic" if model.startswith("claude") else ""
