"""Codex CLI rollouts: `~/.codex/sessions/YYYY/MM/DD/rollout-*.jsonl`, and `archived_sessions`.

Traps, each with a fixture:

- A `token_count` row is written again whenever the screen or a rate limit changes: only a changed total is a call, and
  the call is the difference between two totals.
- A fork or a spawned agent may begin with a copy of its parent's rows, stamped with the time of the copy. The copy is
  dropped as far as it equals the parent's own rows; counters that start at 0, or that go on from the parent's totals
  without a copy, are not.
- When the context window is exceeded, Codex sets the totals to the window's size: no call was made.
- Newer versions write a `token_usage_record` with the provider's response id before the `token_count`: it is the call.
- The price lane is that of the settings in force (`thread_settings_applied`, versions since August 2026), from the
  next turn on; older versions do not log it. A lane that changes while a turn runs is doubtful until its end.
- The start of a request is not logged. A call starts with the last thing that was sent (a turn, a tool's output) and
  finishes when its count is written.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from modicum.calls import Call, Charges, Problem, Segment, SegmentKind
from modicum.calls.caveats import CHANGED_LANE
from modicum.calls.provider_names import provider_of_own_model
from modicum.calls.usage import checked_count, is_counted
from modicum.calls.words.counted_nouns import number_of
from modicum.context.growing import Context
from modicum.importers.agents.codex_parents import FIELDS, ParentRows, parent_rollout
from modicum.importers.files import lines
from modicum.importers.format import Found, LogFormat, Reading
from modicum.importers.line_values import reason_unread
from modicum.importers.unpacking import plain_name
from modicum.providers.blocks import Block, plain, schemas
from modicum.providers.fields import listed, mapping, moment, text
from modicum.providers.json_values import tolerant
from modicum.providers.openai.blocks import item_blocks
from modicum.providers.openai.usage import LANES, buckets, tier_from
from modicum.providers.usage_guard import KnownFields, unknown_numbers, word

NAME = "codex"
PROVIDERS = {"openai": "openai", "azure": "azure", "openrouter": "openrouter", "amazon-bedrock": "aws"}
COUNTED = (
    *(b'"token_count"', b'"token_usage_record"', b'"session_meta"', b'"turn_context"', b'"task_', b'"turn_'),
    b'"thread_settings_applied"',
)
"""Rows that a bill needs; the others are decoded only for anatomy."""
SENT = (b'"user_message"', b'_output"')
TIMESTAMP = re.compile(rb'"timestamp"\s*:\s*"([^"]{10,40})"')
BURST = timedelta(seconds=1)

KNOWN: KnownFields = {**dict.fromkeys(FIELDS, "priced"), "total_tokens": "the sum"}
"""What is done with every number of a usage object."""

Counts = tuple[int, ...]


class RolloutRow(msgspec.Struct, gc=False):
    type: str | None = None
    timestamp: str | None = None
    payload: Any = None


_decode = tolerant(msgspec.json.Decoder(RolloutRow).decode)


class Rollout:
    """What is known while one file is read."""

    def __init__(self, path: Path, reading: Reading) -> None:
        self.path = path
        self.reading = reading
        self.segmenter = reading.segmenter()
        self.context = Context()
        self.replied: list[Segment] = []
        """Segments of the reply under way: part of the context only of the call after it."""
        self.turns: list[int] = []
        self.fixed = 0
        """Leading segments that a compaction leaves."""
        self.meta: Mapping[str, Any] = {}
        self.began: datetime | None = None
        self.parent = ParentRows(None)
        self.model = ""
        self.cwd = ""
        self.total: Counts | None = None
        self.changes = 0
        self.has_record = False
        self.sent_at: datetime | None = None
        self.turn_at: datetime | None = None
        self.pending: list[Call] = []
        """The calls of the present turn; its end tells when the first token of the first one came."""
        self.early = 0
        self.lane = ""
        """The word for the price lane in force."""
        self.next_lane: str | None = None
        """One that was set while a turn runs; None where none was."""
        self.is_in_turn = False

    def thread(self) -> str:
        return text(self.meta.get("id")) or plain_name(self.path.name).removesuffix(".jsonl")


def read(path: Path, reading: Reading) -> Found:
    rollout = Rollout(path, reading)
    for found in lines(path):
        if isinstance(found, Problem):
            yield found
            continue
        number, line = found
        try:
            yield from _row(rollout, line)
        except (ValueError, RecursionError) as error:  # msgspec's and the counts' errors name places, never content
            yield Problem(str(path), f"not counted: {error}", number)
    yield from rollout.pending
    if rollout.early > 1 and parent_of(rollout.meta) and not rollout.parent.found:
        yield Problem(
            str(path),
            f"{number_of(rollout.early, 'call')} in the second in which this thread was made look like a copy of its "
            "parent's, whose log is not there to compare with; they are counted",
        )


def _row(rollout: Rollout, line: bytes) -> Iterator[Call]:
    if any(mark in line for mark in SENT) and (stamp := TIMESTAMP.search(line)):
        rollout.sent_at = moment(stamp[1].decode("ascii", "replace")) or rollout.sent_at
    if any(mark in line for mark in COUNTED):
        yield from _decoded_row(rollout, line)
        return
    if reason := reason_unread(line):
        raise ValueError(reason)
    if rollout.reading.anatomy:
        with suppress(ValueError, RecursionError):  # no bill would read it: it is no problem of the log
            yield from _decoded_row(rollout, line)


def _decoded_row(rollout: Rollout, line: bytes) -> Iterator[Call]:
    row = _decode(line)
    payload = mapping(row.payload)
    at = moment(row.timestamp)
    if row.type == "session_meta":
        _session(rollout, payload, at)
    elif row.type == "turn_context":
        _turn(rollout, payload, at)
    elif row.type == "token_usage_record":
        _record(rollout, payload, at)
    elif row.type == "event_msg":
        yield from _event(rollout, payload, at)
    elif row.type == "response_item":
        _item(rollout, payload)
    elif row.type == "compacted":
        _compaction(rollout, payload)


def _session(rollout: Rollout, payload: Mapping[str, Any], at: datetime | None) -> None:
    if rollout.meta:  # a copy of the parent's rows brings the parent's own
        return
    rollout.meta, rollout.began = payload, at
    rollout.cwd = text(payload.get("cwd"))
    if parent := parent_of(payload):
        rollout.parent = ParentRows(parent_rollout(rollout.path, parent))
    if rollout.reading.anatomy:
        blocks = schemas(payload.get("dynamic_tools"))
        if instructions := mapping(payload.get("base_instructions")).get("text"):
            blocks.append(Block(SegmentKind.SYSTEM, plain(instructions)))
        rollout.context.grow(rollout.segmenter.segments(blocks, rollout.model))
        rollout.fixed = len(rollout.context)


def parent_of(meta: Mapping[str, Any]) -> str:
    """The thread that this one was forked from or spawned by."""
    return (
        text(meta.get("forked_from_id"))
        or text(meta.get("parent_thread_id"))
        or text(_spawned(meta).get("parent_thread_id"))
    )


def _spawned(meta: Mapping[str, Any]) -> Mapping[str, Any]:
    return mapping(mapping(mapping(meta.get("source")).get("subagent")).get("thread_spawn"))


def _turn(rollout: Rollout, payload: Mapping[str, Any], at: datetime | None) -> None:
    rollout.model = text(payload.get("model")) or rollout.model
    if "service_tier" in payload:
        rollout.lane, rollout.next_lane = _lane(payload), None
    rollout.cwd = text(payload.get("cwd")) or rollout.cwd
    rollout.sent_at = at or rollout.sent_at
    _take_reply(rollout)
    rollout.turns.append(len(rollout.context))


def _take_reply(rollout: Rollout, reasoning_tokens: int = 0) -> None:
    """The reply becomes context. Its reasoning is mostly encrypted, so its tokens come from the provider's count."""
    for number, segment in enumerate(rollout.replied):
        if reasoning_tokens and segment.kind is SegmentKind.REASONING:
            rollout.replied[number] = msgspec.structs.replace(segment, tokens=reasoning_tokens)
            reasoning_tokens = 0
    rollout.context.grow(rollout.replied)
    rollout.replied = []


def _event(rollout: Rollout, payload: Mapping[str, Any], at: datetime | None) -> Iterator[Call]:
    kind = text(payload.get("type"))
    if kind == "token_count":
        _count(rollout, payload, at)
    elif kind in {"task_started", "turn_started"}:
        yield from rollout.pending
        rollout.pending, rollout.turn_at = [], at
        _take_lane(rollout)
        rollout.is_in_turn = True
        rollout.sent_at = at or rollout.sent_at
    elif kind in {"task_complete", "turn_complete", "turn_aborted"}:
        rollout.is_in_turn = False
        _take_lane(rollout)
        if kind != "turn_aborted":
            yield from _finished_turn(rollout, payload)
    elif kind == "thread_settings_applied":
        rollout.next_lane = _lane(mapping(payload.get("thread_settings")))
        if not rollout.is_in_turn:
            _take_lane(rollout)
    elif kind == "thread_rolled_back":
        count = checked_count("num_turns", payload.get("num_turns"))
        _take_reply(rollout)
        if 0 < count <= len(rollout.turns):
            rollout.context.cut(rollout.turns[-count], "rewind")
            del rollout.turns[-count:]


def _lane(settings: Mapping[str, Any]) -> str:
    """The word for the lane; nothing is the standard one."""
    lane = settings.get("service_tier")
    return "" if lane is None else text(lane) or "?"


def _take_lane(rollout: Rollout) -> None:
    """A turn that runs goes on in its lane; what was set meanwhile is for the next one."""
    if rollout.next_lane is not None:
        rollout.lane, rollout.next_lane = rollout.next_lane, None


def _finished_turn(rollout: Rollout, payload: Mapping[str, Any]) -> Iterator[Call]:
    calls, rollout.pending = rollout.pending, []
    waited = payload.get("time_to_first_token_ms")
    if calls and rollout.turn_at and isinstance(waited, int) and 0 < waited < 86_400_000:
        first = rollout.turn_at + timedelta(milliseconds=waited)
        if calls[0].finished and calls[0].started <= first <= calls[0].finished:
            calls[0] = msgspec.structs.replace(calls[0], first_token=first)
    yield from calls


def counts_of(usage: Mapping[str, Any]) -> Counts:
    """The five counts of a usage object, in the order of FIELDS.

    Raises:
        ValueError: a count is no count of tokens.
    """
    if not all(is_counted(usage, name, may_lack=True) for name in ("input_tokens", "output_tokens")):
        raise ValueError("input_tokens or output_tokens was not counted")
    return tuple(checked_count(name, usage.get(name)) for name in FIELDS)


def _count(rollout: Rollout, payload: Mapping[str, Any], at: datetime | None) -> None:
    info = mapping(payload.get("info"))
    if not info.get("total_token_usage"):
        return
    usages = [mapping(info["total_token_usage"]), mapping(info.get("last_token_usage"))]
    total, last = map(counts_of, usages)
    before, rollout.total = rollout.total, total
    if total == before:
        return
    rollout.changes += 1
    rollout.model = rollout.model or text(info.get("model"))
    had_record, rollout.has_record = rollout.has_record, False
    spent = difference(before, total, last)
    caveats = _unknown(usages)
    if had_record and caveats and rollout.pending:
        record = rollout.pending[-1]
        rollout.pending[-1] = msgspec.structs.replace(record, charges=record.charges.with_caveats(*caveats))
    if had_record or rollout.parent.repeats((*total, *last)) or not any(spent):
        _take_reply(rollout)
        return
    if at is None:
        raise ValueError("the row has no time")
    if rollout.began and at - rollout.began <= BURST:
        rollout.early += 1
    _book(rollout, f"{NAME}:{rollout.thread()}:{rollout.changes}", spent, at, caveats)


def _unknown(usages: Iterable[Mapping[str, Any]]) -> list[str]:
    return [path for usage in usages for path in unknown_numbers(usage, KNOWN)]


def difference(before: Counts | None, total: Counts, last: Counts) -> Counts:
    """What one call added to the totals.

    A file's first total may go on from another thread's, and a total below the one before was set back: there the
    call's own counts stand.
    """
    if before is None:
        goes_on = any(last) and all(mine <= all_ for mine, all_ in zip(last, total, strict=True))
        return last if goes_on else total
    spent = tuple(now - then for now, then in zip(total, before, strict=True))
    if min(spent) < 0:
        return last if any(last) else total
    return spent


def _record(rollout: Rollout, payload: Mapping[str, Any], at: datetime | None) -> None:
    response_id = text(payload.get("response_id"))
    spent = counts_of(mapping(payload.get("usage")))
    if not response_id or not any(spent):
        return
    if rollout.total is not None and counts_of(mapping(payload.get("thread_token_usage"))) == rollout.total:
        return  # its token_count came first and was booked
    if at is None:
        raise ValueError("the row has no time")
    rollout.has_record = True
    rollout.model = rollout.model or text(payload.get("model"))
    caveats = _unknown([mapping(payload.get("usage")), mapping(payload.get("thread_token_usage"))])
    _book(rollout, response_id, spent, at, caveats)


def _book(rollout: Rollout, call_id: str, spent: Counts, at: datetime, caveats: list[str]) -> None:
    prompt, read_, written, completion, reasoning = spent
    usage = buckets(prompt=prompt, read=read_, written=written, completion=completion, reasoning=reasoning)
    if not rollout.model:
        raise ValueError("no row before names the model")
    meta, thread = rollout.meta, rollout.thread()
    is_agent = bool(_spawned(meta)) or text(meta.get("thread_source")) == "subagent"
    task = text(meta.get("session_id")) or (parent_of(meta) if is_agent else "") or thread
    started = rollout.sent_at if rollout.sent_at and rollout.sent_at <= at else at
    rollout.pending.append(
        Call(
            call_id=call_id,
            source=NAME,
            provider=_provider(meta, rollout.model),
            model=rollout.model,
            started=started,
            finished=at,
            usage=usage,
            tier=tier_from({"service_tier": rollout.lane}),
            charges=Charges.of(caveats=caveats + _doubts_of_lane(rollout)),
            task=task,
            conversation=thread,
            agent=_agent(meta, thread) if is_agent else "",
            project=rollout.cwd,
            branch=text(mapping(meta.get("git")).get("branch")),
            anatomy=rollout.context.sent(usage.prompt_tokens) if rollout.reading.anatomy else None,
        )
    )
    rollout.sent_at = at
    rollout.reading.listener.on_reply(call_id, rollout.replied)
    _take_reply(rollout, reasoning)


def _doubts_of_lane(rollout: Rollout) -> list[str]:
    has_changed = rollout.next_lane is not None and rollout.next_lane != rollout.lane
    return word("service_tier", rollout.lane, LANES) + [CHANGED_LANE] * has_changed


def _provider(meta: Mapping[str, Any], model: str) -> str:
    if named := text(meta.get("model_provider")):
        return PROVIDERS.get(named.lower(), "")
    return provider_of_own_model(model)


def _agent(meta: Mapping[str, Any], thread: str) -> str:
    spawned = _spawned(meta)
    for name in ("agent_role", "agent_nickname"):
        if named := text(meta.get(name)) or text(spawned.get(name)):
            return named
    return thread


def _item(rollout: Rollout, payload: Mapping[str, Any]) -> None:
    blocks = item_blocks(payload)
    segments = rollout.segmenter.segments(blocks, rollout.model)
    is_reply = any(
        block.kind in {SegmentKind.ASSISTANT, SegmentKind.REASONING, SegmentKind.TOOL_CALL} for block in blocks
    )
    if is_reply or rollout.replied:
        rollout.replied += segments
    else:
        rollout.context.grow(segments)


def _compaction(rollout: Rollout, payload: Mapping[str, Any]) -> None:
    """The history is replaced, by items that the row holds or by a summary. What stands in front of it stays."""
    _take_reply(rollout)
    rollout.context.cut(rollout.fixed, "compaction")
    rollout.turns = []
    blocks = []
    for item in listed(payload.get("replacement_history")):
        is_summary = text(mapping(item).get("type")) in {"compaction", "compaction_summary", "context_compaction"}
        blocks += (
            [Block(SegmentKind.SUMMARY, text(mapping(item).get("encrypted_content")))]
            if is_summary
            else item_blocks(mapping(item))
        )
    if message := text(payload.get("message")):
        blocks.append(Block(SegmentKind.SUMMARY, message))
    rollout.context.grow(rollout.segmenter.segments(blocks, rollout.model))


def recognises(path: Path, head: bytes) -> bool:
    """A row with `timestamp`, `type` and `payload`, of one of the types that Codex writes."""
    del path
    first = head.lstrip().split(b"\n", 1)[0]
    if b'"payload"' not in first or not first.startswith(b"{"):
        return False
    kinds = rb'"type"\s*:\s*"(session_meta|turn_context|event_msg|response_item|compacted|token_usage_record)"'
    return re.search(kinds, first[:4096]) is not None


def places(home: Path, environment: Mapping[str, str]) -> list[Path]:
    """`CODEX_HOME` stands above the usual folder."""
    folder = Path(environment.get("CODEX_HOME") or home / ".codex")
    return [folder / "sessions", folder / "archived_sessions"]


FORMAT = LogFormat(
    name=NAME,
    title="Codex CLI rollouts",
    recognises=recognises,
    read=read,
    places=places,
    checked_against="documentation",
)
