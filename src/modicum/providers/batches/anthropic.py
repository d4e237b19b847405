"""Anthropic's batches: requests in the body, results as lines. What failed, expired or was cancelled is not charged.

Sources: https://docs.claude.com/en/api/creating-message-batches,
https://docs.claude.com/en/api/retrieving-message-batch-results, https://docs.claude.com/en/api/files-create.
"""

import re
from typing import Any

import msgspec

from modicum.providers.batches.facts import BatchFacts, BatchRow, BatchShape, BatchTarget
from modicum.providers.body_parsing import UNREADABLE, check_model_name, identifier, parse_request
from modicum.providers.facts import DialectError

_ID = r"([0-9A-Za-z_-]{1,200})"
_PATHS = re.compile(rf"/v1(?:/messages/batches(?:/{_ID}(/cancel|/results)?)?|/files(?:/{_ID}(/content)?)?)")


class _Params(msgspec.Struct):
    model: str | None = None


class _Part(msgspec.Struct):
    params: _Params


class _Request(msgspec.Struct):
    requests: list[_Part] = []


class _Result(msgspec.Struct):
    type: str = ""
    message: msgspec.Raw = msgspec.Raw(b"")


class _Row(msgspec.Struct):
    custom_id: str
    result: _Result


_request = msgspec.json.Decoder(_Request)
_row = msgspec.json.Decoder(_Row)


class AnthropicBatches(BatchShape):
    create = "/v1/messages/batches"
    names_model = True
    area = re.compile(r"/v1/(?:messages/batches|files)(?:/|$)")

    def find(self, method: str, path: str) -> BatchTarget | None:
        found = _PATHS.fullmatch(path)
        if found is None:
            return None
        batch, verb, file, content = found.groups()
        below = path.removeprefix("/v1")
        if file is not None or path == "/v1/files":
            fits = method == "GET" or (method == "DELETE" and file and not content) or (method == "POST" and not file)
            return BatchTarget(path=below) if fits else None
        if verb == "/results":
            return BatchTarget(path=below, subject=batch, is_results=True) if method == "GET" else None
        if method not in (("POST",) if verb else ("GET", "DELETE") if batch else ("GET",)):
            return None
        return BatchTarget(path=below, subject=batch or "", is_batch=batch is not None)

    def model(self, body: bytes, path: str) -> str:  # noqa: ARG002 - the path tells nothing here
        parts = parse_request(_request, body).requests
        if not parts:
            raise DialectError(400, "the batch holds no 'requests'")
        names = {check_model_name(one.params.model) for one in parts}
        if len(names) > 1:
            raise DialectError(
                400, "the batch names several models: ask for one batch a model, so that each goes where it is served"
            )
        return names.pop()

    def facts(self, batch: dict[str, Any]) -> BatchFacts | None:
        if batch.get("type") != "message_batch" or not (batch_id := identifier(batch.get("id"))):
            return None
        return BatchFacts(batch_id=batch_id)

    def row(self, line: bytes) -> BatchRow | None:
        try:
            row = _row.decode(line)
        except UNREADABLE:
            return None
        return BatchRow(key=row.custom_id, reply=row.result.message) if row.result.type == "succeeded" else None
