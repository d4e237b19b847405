"""Recorded requests and replies, as people keep them: bare bodies, pairs, batch output, streams.

What providers send is fixed; what is around it is whoever recorded it. These names are known (docs/formats/openai.md):

- the bodies: `request` and `response`, each either the body itself or an object with `body`
- the time: `timestamp`, `time`, `started`, `started_at`, `start_time`, `created_at`; the end: `finished`,
  `finished_at`, `ended_at`, `end_time`, or `duration_ms`, `latency_ms`; the first token: `first_token_at`, `ttft_ms`
- `url`, `status` or `status_code`, and for attribution `task`, `session_id`, `custom_id`, `user`, `metadata`
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from modicum.calls import Call, CallStatus, Owner, Problem, PromptEvent, Segment, SegmentKind
from modicum.context.breaks import change
from modicum.importers.files import HEAD_BYTES, records
from modicum.importers.format import Reading
from modicum.providers.anthropic_messages.dialect import user_and_session
from modicum.providers.blocks import Block
from modicum.providers.event_stream import BOM, event_data
from modicum.providers.fields import listed, mapping, moment, text
from modicum.providers.json_values import decoded

Record = Mapping[str, Any]

STARTS = ("timestamp", "time", "started", "started_at", "start_time", "created_at")
ENDS = ("finished", "finished_at", "ended_at", "end_time")
TASKS = ("task", "session_id", "sessionId", "custom_id")
MOST_MILLISECONDS = 86_400_000


@dataclass
class RecordedExchange:
    """One request and its reply. Bodies that were not recorded are empty."""

    record: Record
    request: Record
    response: Record
    events: list[Any]
    """The reply's events, if a stream was recorded."""
    line: int | None

    @property
    def metadata(self) -> Record:
        return mapping(self.record.get("metadata")) or mapping(self.request.get("metadata"))

    def named(self, *names: str) -> str:
        """The first of these fields that the record or its metadata has, as text."""
        for fields in (self.record, self.metadata):
            for name in names:
                if value := text(fields.get(name)):
                    return value
        return ""

    @property
    def task(self) -> str:
        return self.named(*TASKS) or self._user_and_session[1]

    @property
    def owner(self) -> Owner:
        return Owner(team=self.named("team"), app=self.named("app"), user=self._user_and_session[0])

    @property
    def _user_and_session(self) -> tuple[str, str]:
        """Claude Code writes both into one field; as one text they would make a user of each session."""
        user = self.named("user", "user_id") or text(self.request.get("user"))
        return user_and_session(user or text(mapping(self.request.get("metadata")).get("user_id")))

    @property
    def url(self) -> str:
        return text(self.record.get("url")) or text(mapping(self.record.get("request")).get("url"))

    @property
    def status_code(self) -> int | None:
        for fields in (self.record, mapping(self.record.get("response"))):
            for name in ("status_code", "status"):
                code = fields.get(name)
                if isinstance(code, int) and 100 <= code < 600:
                    return code
        return None

    @property
    def is_batch(self) -> bool:
        """Batch output names each request, and wraps its body or its result."""
        reply = self.record.get("response")
        is_wrapped = "result" in self.record or reply is None or "body" in mapping(reply)
        return "custom_id" in self.record and is_wrapped

    def times(self) -> tuple[datetime | None, datetime | None, datetime | None]:
        """Start, first token and end, as far as the record tells."""
        started = next(filter(None, (moment(self.record.get(name)) for name in STARTS)), None)
        ended = next(filter(None, (moment(self.record.get(name)) for name in ENDS)), None)
        first = moment(self.record.get("first_token_at"))
        if started:
            ended = ended or _after(started, self.record, "duration_ms", "latency_ms")
            first = first or _after(started, self.record, "ttft_ms", "time_to_first_token_ms")
        return started, first, ended


def _after(started: datetime, record: Record, *names: str) -> datetime | None:
    for name in names:
        waited = record.get(name)
        if isinstance(waited, int | float) and 0 < waited < MOST_MILLISECONDS:
            return started + timedelta(milliseconds=float(waited))
    return None


def exchanges(path: Path) -> Iterator[RecordedExchange | Problem]:
    """The exchanges of a file. A list that an API returned gives its items; rows of one stream are gathered by id."""
    streams: dict[str, RecordedExchange] = {}
    for found in records(path):
        if isinstance(found, Problem):
            yield found
            continue
        number, record = found
        if record.get("object") == "list" and isinstance(record.get("data"), list):
            yield from (_exchange(mapping(item), number) for item in record["data"])
        elif record.get("object") == "chat.completion.chunk":
            key = text(record.get("id"))
            streams.setdefault(key, RecordedExchange({}, {}, {}, [], number)).events.append(record)
        else:
            yield _exchange(record, number)
    yield from streams.values()


def _exchange(record: Record, line: int | None) -> RecordedExchange:
    if "request" not in record and "response" not in record and "result" not in record:
        return RecordedExchange({}, {}, record, [], line)
    reply = record.get("response")
    request = mapping(record.get("request"))
    request = mapping(request.get("body")) or request
    if isinstance(reply, Mapping) and "body" in reply:
        reply = reply["body"]
    if isinstance(reply, str):
        reply = _events(reply)
    return RecordedExchange(record, request, mapping(reply), listed(reply), line)


def _events(stream: str) -> Any:
    """A body that was recorded as text: JSON, or a stream of server-sent events. What cannot be read is left out."""
    body = stream.encode("utf-8", "replace").removeprefix(BOM)
    if body.lstrip().startswith((b"{", b"[")):
        return _read(body) or []
    return [event for event in map(_read, event_data(body)) if event is not None]


def _read(document: bytes) -> Any:
    try:
        found = decoded(document)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, Mapping | list) else None


def file_time(path: Path) -> datetime:
    """When the file was written: it stands for the time of records that have none, and is reported."""
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)


def status_of(exchange: RecordedExchange, response: Record) -> CallStatus:
    code = exchange.status_code
    ends = [mapping(choice).get("finish_reason") for choice in listed(response.get("choices"))]
    failed = response.get("error") or response.get("type") == "error" or "error" in ends
    if failed or (code is not None and code >= 400):
        return CallStatus.ERROR
    if response.get("status") in {"queued", "in_progress"}:
        return CallStatus.UNKNOWN
    return CallStatus.ABORTED if response.get("status") == "cancelled" else CallStatus.OK


class RecordedContexts:
    """The contexts of a file's requests. Bodies repeat the whole of it, and name no conversation.

    Requests of one task with the same first user message are taken for one conversation.
    """

    def __init__(self, source: str, reading: Reading) -> None:
        self._source, self._reading = source, reading
        self._segmenter = reading.segmenter()
        self._latest: dict[str, list[Segment]] = {}
        self._settings: dict[str, dict[PromptEvent, str]] = {}

    def conversation(self, exchange: RecordedExchange, blocks: list[Block]) -> str:
        name = exchange.named("conversation", "conversation_id", "thread_id")
        if not name and blocks:
            question = next((block.text for block in blocks if block.kind is SegmentKind.USER), "")
            name = f"{self._source}:{self._reading.digester.digest(exchange.task + question).hex()}"
        return name

    def with_anatomy(self, call: Call, blocks: list[Block], reply: list[Block], request: Record) -> Call:
        """The call, with what it changed in the context of the one before it in this file, if that is asked for."""
        if not self._reading.anatomy or not blocks:
            return call
        segments = self._segmenter.context(blocks, call.model)
        anatomy = change(self._latest.get(call.conversation, ()), segments)
        self._latest[call.conversation] = segments
        settings = settings_of(request, has_image=any(block.kind is SegmentKind.IMAGE for block in blocks))
        before = self._settings.get(call.conversation, settings)
        self._settings[call.conversation] = settings
        changed = tuple(sorted(name.value for name, value in settings.items() if before[name] != value))
        anatomy = msgspec.structs.replace(anatomy, events=changed)
        if reply:
            self._segmenter.on_reply(call.call_id, reply, call.model)
        return msgspec.structs.replace(call, anatomy=anatomy)


def settings_of(request: Record, *, has_image: bool) -> dict[PromptEvent, str]:
    """What of a request stands outside its content and yet decides what a cache can be read for, by the event that a
    change of it is. Compared at once, and kept nowhere.
    """
    thinking = request.get("thinking"), request.get("reasoning"), request.get("reasoning_effort")
    return {
        PromptEvent.THINKING: repr(thinking),
        PromptEvent.TOOL_CHOICE: repr(request.get("tool_choice")),
        PromptEvent.IMAGE: str(has_image),
    }


def first_record(path: Path, head: bytes, marks: Callable[[bytes], bool]) -> Record:
    """The first record of a file whose head has the marks of a format; empty where there is none.

    A first record longer than the head is read in full.
    """
    if not marks(head):
        return {}
    opening = head.decode("utf-8", "replace")
    try:
        return mapping(json.JSONDecoder().raw_decode(opening, opening.index("{"))[0])
    except (ValueError, RecursionError):
        if len(head) < HEAD_BYTES:
            return {}
    for found in records(path):
        return {} if isinstance(found, Problem) else found[1]
    return {}
