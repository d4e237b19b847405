"""Files and batches of the mock provider, of OpenAI and Anthropic: answered by the provider itself, all at once, and
over as soon as somebody has looked often enough.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from modicum.providers.body_parsing import UNREADABLE, encode, parse_request_object
from modicum.providers.dialect import Dialect
from modicum.providers.dialects import DIALECTS
from modicum.providers.facts import DialectError
from modicum.providers.fields import listed, mapping, text
from modicum.providers.mock.options import MockOptions
from modicum.providers.mock.provider import JSON, MockProvider, MockReply
from modicum.providers.openai.multipart import form_parts, form_texts, is_form

LINES = "application/x-ndjson"
MOST_KEPT = 1_000
_FILE = re.compile(r"/v1/files(?:/([\w-]+)(/content)?)?")
_BATCH = re.compile(r"/v1/(messages/)?batches(?:/([\w-]+)(/cancel|/results)?)?")


class _File(NamedTuple):
    wire: dict[str, Any]
    content: bytes


class _Batch(NamedTuple):
    wire: dict[str, Any]
    rows: tuple[bytes, ...]
    polls: int
    """How often its status is still to be asked for before it is over."""


class MockBatches:
    """The files and batches of one mock provider.

    Args:
        provider: answers each call of a batch.
    """

    def __init__(self, provider: MockProvider) -> None:
        self._provider = provider
        self._files: dict[str, _File] = {}
        self._batches: dict[str, _Batch] = {}
        self._count = 0

    def answer(
        self, dialect: Dialect, method: str, path: str, body: bytes, options: MockOptions, now: int
    ) -> MockReply | None:
        """What a request for files or batches gets; None: it is for something else."""
        try:
            if found := _BATCH.fullmatch(path):
                return self._batch(dialect, method, found, body, options, now)
            if found := _FILE.fullmatch(path):
                return self._file(dialect, method, found[1] or "", found[2] or "", body, now)
        except DialectError as wrong:
            return _error(dialect, wrong.status, wrong.message)
        return None

    def _file(self, dialect: Dialect, method: str, name: str, content: str, body: bytes, now: int) -> MockReply:
        if method == "POST" and not name:
            data, texts = _uploaded(body)
            return _json(self._add_file(data, texts.get("purpose", "user_data"), now))
        if not name:
            return _json({"object": "list", "data": [file.wire for file in self._files.values()], "has_more": False})
        file = self._files.get(name)
        if file is None:
            return _error(dialect, 404, f"no file {name}")
        if content:
            return MockReply(200, "application/octet-stream", (file.content,))
        if method == "DELETE":
            del self._files[name]
            return _json({"id": name, "object": "file", "deleted": True})
        return _json(file.wire)

    def _add_file(self, data: bytes, purpose: str, now: int) -> dict[str, Any]:
        name = self._name("file")
        wire = {"id": name, "object": "file", "bytes": len(data), "created_at": now, "filename": f"{name}.jsonl"}
        self._files[name] = _File(wire | {"purpose": purpose, "status": "processed"}, data)
        _forget_oldest(self._files)
        return self._files[name].wire

    def _batch(
        self, dialect: Dialect, method: str, found: re.Match[str], body: bytes, options: MockOptions, now: int
    ) -> MockReply:
        is_messages, name, verb = bool(found[1]), found[2], found[3]
        if name is None:
            if method != "POST":
                return _json({"object": "list", "data": [batch.wire for batch in self._batches.values()]})
            make = self._make_messages if is_messages else self._make
            return _json(make(parse_request_object(body), options, now))
        batch = self._batches.get(name)
        if batch is None:
            return _error(dialect, 404, f"no batch {name}")
        if verb == "/results":
            if batch.wire["processing_status"] != "ended":
                return _error(dialect, 404, "the batch has no results yet")
            return MockReply(200, LINES, batch.rows)
        if verb == "/cancel":
            batch = batch._replace(wire=batch.wire | _end_status(is_messages, "cancelled"), rows=())
        elif batch.polls > 0:
            batch = batch._replace(polls=batch.polls - 1)
        if batch.polls == 0 and verb is None:
            batch = self._end(batch, now, is_messages=is_messages)
        self._batches[name] = batch
        return _json(batch.wire)

    def _make(self, request: Mapping[str, Any], options: MockOptions, now: int) -> dict[str, Any]:
        file = self._files.get(text(request.get("input_file_id")))
        if file is None:
            raise DialectError(400, "input_file_id names no file that was uploaded")
        rows = tuple(self._rows(file.content, options, now))
        name = self._name("batch")
        wire = {"id": name, "object": "batch", "status": "validating", "created_at": now, "errors": None}
        wire |= {one: request.get(one) for one in ("endpoint", "input_file_id", "completion_window", "metadata")}
        counts = {"total": len(rows), "completed": 0, "failed": 0}
        return self._add(name, wire | {"request_counts": counts, "output_file_id": None}, rows, options)

    def _make_messages(self, request: Mapping[str, Any], options: MockOptions, now: int) -> dict[str, Any]:
        rows = []
        for one in map(mapping, listed(request.get("requests"))):
            reply = self._call("/v1/messages", encode(mapping(one.get("params"))), options, now)
            kind, field = ("succeeded", "message") if reply.status == 200 else ("errored", "error")
            result = {"type": kind, field: msgspec.Raw(reply.parts[0])}
            rows.append(encode({"custom_id": one.get("custom_id"), "result": result}) + b"\n")
        name = self._name("msgbatch")
        wire = {"id": name, "type": "message_batch", "processing_status": "in_progress", "results_url": None}
        counts = {"processing": len(rows), "succeeded": 0, "errored": 0, "canceled": 0, "expired": 0}
        return self._add(name, wire | {"request_counts": counts, "created_at": _time(now)}, tuple(rows), options)

    def _add(self, name: str, wire: dict[str, Any], rows: tuple[bytes, ...], options: MockOptions) -> dict[str, Any]:
        self._batches[name] = _Batch(wire, rows, options.batch_polls)
        _forget_oldest(self._batches)
        return wire

    def _end(self, batch: _Batch, now: int, *, is_messages: bool) -> _Batch:
        if is_messages:
            return batch._replace(wire=batch.wire | _end_status(is_messages, "ended"), polls=-1)
        file = self._add_file(b"".join(batch.rows), "batch_output", now)
        counts = {"total": len(batch.rows), "completed": len(batch.rows), "failed": 0}
        more = {"output_file_id": file["id"], "completed_at": now, "request_counts": counts}
        return batch._replace(wire=batch.wire | _end_status(is_messages, "completed") | more, polls=-1)

    def _rows(self, content: bytes, options: MockOptions, now: int) -> Iterator[bytes]:
        for line in content.splitlines():
            if not line.strip():
                continue
            try:
                row = mapping(msgspec.json.decode(line))
            except UNREADABLE:
                raise DialectError(400, "a line of the file is no JSON") from None
            reply = self._call(text(row.get("url")), encode(mapping(row.get("body"))), options, now)
            response = {"status_code": reply.status, "request_id": "", "body": msgspec.Raw(reply.parts[0])}
            one = {
                "id": self._name("batch_req"),
                "custom_id": row.get("custom_id"),
                "response": response,
                "error": None,
            }
            yield encode(one) + b"\n"

    def _call(self, path: str, body: bytes, options: MockOptions, now: int) -> MockReply:
        dialect = next((one for one in DIALECTS.values() if path in one.paths), None)
        if dialect is None:
            raise DialectError(400, f"the batch asks for {path[:60]}, which the mock provider does not have")
        reply = self._provider.answer(dialect, body, path, options, now)
        return reply if len(reply.parts) == 1 else MockReply(500, JSON, (b"{}",))

    def _name(self, kind: str) -> str:
        self._count += 1
        digest = hashlib.blake2b(f"{kind}{self._count}".encode(), digest_size=12).hexdigest()
        return f"{kind}-{digest}" if kind == "file" else f"{kind}_{digest}"


def _uploaded(body: bytes) -> tuple[bytes, Mapping[str, str]]:
    if not is_form(body):
        return body, {}
    file = next((part for part in form_parts(body) if part.is_file), None)
    return body[file.start : file.end] if file is not None else b"", form_texts(body)


def _end_status(is_messages: bool, status: str) -> dict[str, Any]:
    return {"processing_status": "ended"} if is_messages else {"status": status}


def _forget_oldest(kept: dict[str, Any]) -> None:
    while len(kept) > MOST_KEPT:
        del kept[next(iter(kept))]


def _time(now: int) -> str:
    return datetime.fromtimestamp(now, UTC).isoformat().replace("+00:00", "Z")


def _json(wire: Mapping[str, Any]) -> MockReply:
    return MockReply(200, JSON, (encode(wire),))


def _error(dialect: Dialect, status: int, message: str) -> MockReply:
    return MockReply(status, JSON, (dialect.error(status, message, "mock"),))
