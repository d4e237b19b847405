"""The contexts of Claude Code's calls, put together again from its transcripts.

A transcript holds what was said, not what was sent: system prompt, tool schemas and reminders are missing, and Claude
has no public tokenizer. But the provider counted every prompt. So the segments are counted with the nearest public
tokenizer and then fitted, call by call, to the growth of the prompt that the provider counted:

- what the first prompt holds beyond the visible text is the `prefix` (system prompt and tool schemas);
- the blocks that came since the call before share the growth of the prompt in proportion to their counts;
- growth that the visible blocks cannot explain is a segment of its own, `unlogged` (reminders, attachments);
- a prompt that shrank without a compaction row lost reasoning of earlier turns, or old tool results.

So the segments of every call sum to the prompt that was billed, and only their shares are estimated.
"""

from collections.abc import Iterable, Iterator
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any

import msgspec

from modicum.calls import Anatomy, Basis, Call, Problem, Segment, SegmentKind
from modicum.context.growing import Context
from modicum.context.segmenter import Segmenter
from modicum.importers.claude_code.attachments import attachment_blocks
from modicum.importers.claude_code.attribution import SUBAGENT_TOOLS, ThreadAttribution, subagent_of
from modicum.importers.claude_code.events import EventLog
from modicum.importers.claude_code.usage import (
    NO_MODEL,
    USAGE_MARK,
    Best,
    Message,
    Progress,
    TranscriptRow,
    add_line,
    add_row,
    calls_of,
    counted_usage,
    release_usage,
)
from modicum.importers.files import lines
from modicum.importers.format import Found, Reading
from modicum.importers.line_values import reason_unread
from modicum.metering.calibration import shipped_calibrations
from modicum.providers.blocks import Block, picture, tool_call, tool_result
from modicum.providers.fields import label, text
from modicum.providers.json_values import tolerant

MODEL = "claude"
"""Whatever its version: their tokenizer is the same, as far as anybody knows."""
MOST_MISFIT = 3.0
"""The nearest tokenizer's counts are off by up to this factor either way (base64, indented code, images); growth beyond
it has another cause."""


class TranscriptPart(msgspec.Struct, gc=False):
    """A content block of a message."""

    type: str | None = None
    text: str | None = None
    thinking: str | None = None
    id: str | None = None
    name: str | None = None
    input: msgspec.Raw = msgspec.Raw()
    tool_use_id: str | None = None
    content: "str | list[TranscriptPart] | None" = None
    source: msgspec.Raw = msgspec.Raw()
    """Of a picture."""
    is_error: bool | None = None


class FullMessage(Message, gc=False):
    content: str | list[TranscriptPart] | None = None


class FullRow(TranscriptRow, gc=False, rename="camel"):
    type: str | None = None
    subtype: str | None = None
    uuid: str | None = None
    parent_uuid: str | None = None
    is_compact_summary: bool | None = None
    is_meta: bool | None = None
    is_api_error_message: Any = None
    permission_mode: Any = None
    thinking_metadata: msgspec.Raw = msgspec.Raw()
    attachment: msgspec.Raw = msgspec.Raw()
    parent_tool_use_id: Any = msgspec.field(name="parentToolUseID", default=None)
    """Of a progress row: the call of a tool that started the subagent."""
    message: FullMessage | None = None
    data: "FullProgress | None" = None


class FullProgress(Progress, gc=False, rename="camel"):
    message: FullRow | None = None


_decode = tolerant(msgspec.json.Decoder(FullRow).decode)


def read(path: Path, reading: Reading) -> Found:
    """The calls of a transcript with their anatomy. The same calls as without; only what they held is added."""
    calls: dict[str, Best] = {}
    threads = Threads(reading)
    for item in lines(path):
        if isinstance(item, Problem):
            yield item
            continue
        number, line = item
        reason = _add(line, calls, threads)
        if reason:
            yield Problem(str(path), reason, number)
    yield from map(threads.with_anatomy, calls_of(calls, path))


def _add(line: bytes, calls: dict[str, Best], threads: "Threads") -> str:
    try:
        row = _decode(line)
    except (ValueError, RecursionError):
        # A row whose content has an unknown shape is still billed. Its text counts as `unlogged` of the next prompt.
        return add_line(line, calls) if USAGE_MARK in line else reason_unread(line)
    if USAGE_MARK not in line:
        threads.add(row)
        return ""
    try:
        reason = add_row(row, calls)
    except ValueError as error:
        return f"not counted: {error}"
    threads.add(row)
    release_usage(row)
    return reason


class Threads:
    """The conversations within one transcript: the main one and those of its subagents."""

    def __init__(self, reading: Reading) -> None:
        self._segmenter = reading.segmenter()
        self._listener = reading.listener
        self._threads: dict[str, TranscriptThread] = {}
        self._side_roots: dict[str, str] = {}
        self._sent: dict[str, Sent] = {}
        self._subagents: dict[str, str] = {}
        """Names of subagents by the call of a tool that starts them."""

    def add(self, outer: FullRow) -> None:
        row = outer
        if outer.data is not None and outer.data.message is not None:
            row = outer.data.message
        if row.type == "system" and row.subtype == "compact_boundary":
            self._thread_of(outer, row).compact()
        elif row.is_api_error_message is True or (row.type == "system" and row.subtype == "api_error"):
            self._thread_of(outer, row).events.add_error()
        elif row.type == "attachment":
            parts = self._segmenter.segments(attachment_blocks(row.attachment), MODEL)
            self._thread_of(outer, row).attach(row, parts)
        elif row.type in {"user", "assistant"} and row.message is not None and row.message.model != NO_MODEL:
            thread = self._thread_of(outer, row)
            if row.uuid not in thread.seen:
                thread.seen.add(row.uuid or "")
                self._speak(thread, row, row.message)

    def with_anatomy(self, found: Call) -> Call:
        sent = self._sent.get(found.call_id)
        if sent is None:
            return found
        output = None  # a log without content tells nothing of the output
        if sent.output_tokens:
            output = shipped_calibrations().convert(sent.output_tokens, found.model).tokens
        return msgspec.structs.replace(
            found,
            anatomy=sent.anatomy,
            turn=sent.turn,
            output_tokens_estimated=output,
            tags={**sent.tags, **found.tags},
        )

    def _speak(self, thread: "TranscriptThread", row: FullRow, message: FullMessage) -> None:
        if row.type == "user":
            thread.hear(row, message, self._segmenter)
            return
        if message.id is None or not message.has_usage:
            return
        sent = self._sent.get(message.id)
        if sent is None:
            usage = counted_usage(message.usage, message.model or "").usage
            events = thread.events.take(label(row.version))
            sent = thread.send(usage.prompt_tokens, usage.cache_read_tokens, events)
            self._sent[message.id] = sent
        elif sent is not thread.last:
            return  # a copy of an earlier reply
        segments = thread.reply(row, message, self._segmenter)
        if isinstance(message.content, list):
            thread.events.add_reply(part.name for part in message.content)
            for part in message.content:
                if part.name in SUBAGENT_TOOLS and part.id:
                    self._subagents[part.id] = subagent_of(part.input)
            thread.attribution.add_reply(
                sent.tags,
                [(part.name, part.input) for part in message.content if part.type == "tool_use" and part.name],
            )
        sent.output_tokens += sum(part.tokens for part in segments)
        self._listener.on_reply(message.id, segments)

    def _thread_of(self, outer: FullRow, row: FullRow) -> "TranscriptThread":
        name = self._name(outer, row)
        if name not in self._threads:
            subagent = self._subagents.get(text(outer.parent_tool_use_id) or "", "") if name else ""
            self._threads[name] = TranscriptThread(subagent)
        return self._threads[name]

    def _name(self, outer: FullRow, row: FullRow) -> str:
        """Subagents have an id; in older versions a side chain is known only by its first row."""
        agent = (outer.data.agent_id if outer.data else None) or row.agent_id
        if agent or not row.is_sidechain:
            return agent or ""
        root = self._side_roots.get(row.parent_uuid or "", row.uuid or "")
        self._side_roots[row.uuid or ""] = root
        return f"side {root}"


class Sent(msgspec.Struct):
    """A call as its conversation saw it."""

    anatomy: Anatomy
    turn: int
    output_tokens: int = 0
    tags: dict[str, str] = {}


class TranscriptThread:
    """One conversation: what was said since the last call, and the context that the last call had."""

    def __init__(self, subagent: str = "") -> None:
        self.events = EventLog()
        self.attribution = ThreadAttribution(subagent)
        self.seen: set[str] = set()
        self.last: Sent | None = None
        self._context = Context()
        self._rows: list[str] = []
        self._fresh: list[Segment] = []
        self._fresh_rows: list[str] = []
        self._turn = 0

    def compact(self) -> None:
        """The conversation so far was replaced by a summary; what was fixed in front of it stays."""
        self._fresh, self._fresh_rows = [], []
        self._cut(1, "compaction")

    def hear(self, row: FullRow, message: FullMessage, segmenter: Segmenter) -> None:
        """What the user or a tool said."""
        kind = SegmentKind.SUMMARY if row.is_compact_summary else SegmentKind.USER
        blocks = list(content_blocks(kind, message.content))
        is_result = any(block.kind is SegmentKind.TOOL_RESULT for block in blocks)
        if any(block.kind is SegmentKind.IMAGE for block in blocks):
            self.events.add_image()
        if row.is_meta:
            self.events.add_meta_row()
            self.attribution.add_meta_row()
        elif not is_result:
            words = "\n".join(block.text for block in blocks if block.kind is kind)
            self.events.add_prompt(words, bytes(row.thinking_metadata), text(row.permission_mode))
            self.attribution.add_prompt(words)
        if not row.is_meta and not is_result:
            self._rewind_to(row.parent_uuid or "")
        self._take(row, segmenter.segments(blocks, MODEL))

    def attach(self, row: FullRow, parts: Iterable[Segment]) -> None:
        """What the client put into the next prompt beside what is said."""
        if row.uuid not in self.seen:
            self.seen.add(row.uuid or "")
            self._take(row, parts)

    def reply(self, row: FullRow, message: FullMessage, segmenter: Segmenter) -> list[Segment]:
        """What the model said; it is part of the next prompt."""
        segments = segmenter.segments(content_blocks(SegmentKind.ASSISTANT, message.content), MODEL)
        self._take(row, segments)
        return segments

    def send(self, prompt_tokens: int, cache_read_tokens: int, events: tuple[str, ...] = ()) -> Sent:
        """A call is sent with a prompt of that size: fits the segments to it."""
        held = self._context.tokens
        grown = prompt_tokens - held
        counted = sum(part.tokens for part in self._fresh)
        if not self._context.segments:
            prefix = max(prompt_tokens - counted, 0)
            self._grow([Segment(SegmentKind.PREFIX, prefix)], [""])
            self._grow(fitted(self._fresh, prompt_tokens - prefix), self._fresh_rows)
        elif counted / MOST_MISFIT <= grown <= counted * MOST_MISFIT:
            self._grow(fitted(self._fresh, grown), self._fresh_rows)
        elif grown > counted:
            self._grow(self._fresh, self._fresh_rows)
            self._grow([Segment(SegmentKind.UNLOGGED, grown - counted)], [""])
        else:
            self._shrink(prompt_tokens, cache_read_tokens, counted)
        self._fresh, self._fresh_rows = [], []
        sent = msgspec.structs.replace(self._context.sent(), events=events)
        self.last = Sent(sent, self._turn, tags=self.attribution.tags())
        self._turn += 1
        return self.last

    def _shrink(self, prompt_tokens: int, cache_read_tokens: int, counted: int) -> None:
        """The prompt is smaller than what was held and heard. Reasoning of earlier turns is dropped when the user
        speaks again; otherwise all behind what the provider still had in its cache may have been edited.
        """
        parts, rows = self._context.segments, self._rows
        reasoning = sum(part.tokens for part in parts if part.kind is SegmentKind.REASONING)
        room = prompt_tokens - (self._context.tokens - reasoning)
        if reasoning and counted / MOST_MISFIT <= room <= counted * MOST_MISFIT:
            first = next(at for at, part in enumerate(parts) if part.kind is SegmentKind.REASONING)
            kept = [
                (p, r) for p, r in zip(parts[first:], rows[first:], strict=True) if p.kind is not SegmentKind.REASONING
            ]
            self._cut(first, "reasoning dropped")
            self._grow([part for part, _ in kept], [row for _, row in kept])
            self._grow(fitted(self._fresh, room), self._fresh_rows)
            return
        intact = min(cache_read_tokens, prompt_tokens)
        offsets = list(accumulate((part.tokens for part in parts), initial=0))
        first = max(at for at, offset in enumerate(offsets) if offset <= intact)
        changed, changed_rows = [*parts[first:], *self._fresh], [*rows[first:], *self._fresh_rows]
        self._cut(first, "edited")
        self._grow(fitted(changed, prompt_tokens - offsets[first]), changed_rows)

    def _rewind_to(self, parent: str) -> None:
        """A prompt whose parent stands before an earlier prompt: the user went back and goes on from there."""
        if parent not in self.seen or parent in self._fresh_rows or parent not in self._rows:
            return
        end = len(self._rows) - self._rows[::-1].index(parent)
        if any(part.kind is SegmentKind.USER for part in self._context.segments[end:]):
            self._fresh, self._fresh_rows = [], []
            self._cut(end, "rewind")

    def _take(self, row: FullRow, parts: Iterable[Segment]) -> None:
        for part in parts:
            if part.basis is Basis.UNKNOWN:  # a picture
                part = msgspec.structs.replace(part, tokens=IMAGE_TOKENS, basis=Basis.ESTIMATED)  # noqa: PLW2901
            self._fresh.append(part)
            self._fresh_rows.append(row.uuid or "")

    def _grow(self, parts: Iterable[Segment], rows: Iterable[str]) -> None:
        self._context.grow(parts)
        self._rows.extend(rows)

    def _cut(self, position: int, cause: str) -> None:
        self._context.cut(position, cause)
        del self._rows[position:]


IMAGE_TOKENS = 1500
"""What an image of usual size takes (width x height / 750, docs.claude.com/en/docs/build-with-claude/vision); fitted to
the growth of the prompt like any block."""


def content_blocks(kind: SegmentKind, content: str | list[TranscriptPart] | None) -> Iterator[Block]:
    """What a message holds; `kind` is that of its texts."""
    if isinstance(content, str):
        yield Block(kind, content)
        return
    for part in content or ():
        if part.type == "tool_use":
            arguments = bytes(part.input).decode("utf-8", "replace")
            yield tool_call(part.name, arguments, part.id)
        elif part.type == "tool_result":
            yield from _result(part)
        elif part.type in {"image", "document"}:
            yield _picture(part)
        elif part.type in {"thinking", "redacted_thinking"}:
            yield Block(SegmentKind.REASONING, part.thinking or "")
        else:
            yield Block(kind, part.text or "")


def _result(part: TranscriptPart) -> Iterator[Block]:
    """A tool's result: its text, and the pictures in it."""
    inner = part.content if isinstance(part.content, list) else []
    pictures = [_picture(one) for one in inner if one.type == "image"]
    result_text = part.content if isinstance(part.content, str) else ""
    result_text = result_text or "\n".join(one.text or "" for one in inner if one.type != "image")
    if result_text or not pictures:
        yield tool_result(result_text, part.tool_use_id, is_error=bool(part.is_error))
    yield from pictures


def _picture(part: TranscriptPart) -> Block:
    source = msgspec.json.decode(part.source) if bytes(part.source) else None
    return picture(SegmentKind.IMAGE if part.type == "image" else SegmentKind.DOCUMENT, {"source": source})


def fitted(parts: list[Segment], total: int) -> list[Segment]:
    """The parts with tokens in the same proportion that sum to `total`."""
    counted = sum(part.tokens for part in parts)
    if counted == 0:
        return [*parts, Segment(SegmentKind.UNLOGGED, total)] if total > 0 else parts
    bounds = [round(before * total / counted) for before in accumulate((part.tokens for part in parts), initial=0)]
    return [
        msgspec.structs.replace(part, tokens=end - start)
        for part, (start, end) in zip(parts, pairwise(bounds), strict=True)
    ]
