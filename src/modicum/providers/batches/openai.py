"""OpenAI's batches: a file of requests, and a file of results.

Sources: https://platform.openai.com/docs/api-reference/batch, https://platform.openai.com/docs/api-reference/files,
https://platform.openai.com/docs/api-reference/uploads.
"""

import re
from typing import Any

import msgspec

from modicum.providers.batches.facts import BatchFacts, BatchRow, BatchShape, BatchTarget
from modicum.providers.body_parsing import UNREADABLE, identifier, parse_request_object, parse_usage
from modicum.providers.fields import mapping
from modicum.providers.openai.usage import MAIN_COUNTS, usage_from

_ID = r"([0-9A-Za-z_-]{1,200})"
_PATHS = re.compile(
    rf"/v1(?:/batches(?:/{_ID}(/cancel)?)?|/files(?:/{_ID}(/content)?)?|/uploads(?:/{_ID}/(?:parts|complete|cancel))?)"
)
_OVER = frozenset({"completed", "expired", "cancelled"})
OK = 200


class _Answer(msgspec.Struct):
    status_code: int = 0
    body: msgspec.Raw = msgspec.Raw(b"")


class _Row(msgspec.Struct):
    id: str = ""
    custom_id: str = ""
    response: _Answer | None = None


_row = msgspec.json.Decoder(_Row)


class OpenAIBatches(BatchShape):
    create = "/v1/batches"
    area = re.compile(r"/v1/(?:batches|files|uploads)(?:/|$)")

    def find(self, method: str, path: str) -> BatchTarget | None:
        found = _PATHS.fullmatch(path)
        if found is None:
            return None
        batch, verb, file, content = found.groups()[:4]
        below = path.removeprefix("/v1")
        if path.startswith("/v1/uploads"):
            return BatchTarget(path=below) if method == "POST" else None
        if file is not None or path == "/v1/files":
            fits = method == "GET" or (method == "DELETE" and file and not content) or (method == "POST" and not file)
            is_results = bool(content)
            return BatchTarget(path=below, subject=file or "", is_results=is_results, is_file=True) if fits else None
        if method != ("POST" if verb else "GET"):
            return None
        return BatchTarget(path=below, subject=batch or "", is_batch=batch is not None)

    def model(self, body: bytes, path: str) -> str:  # noqa: ARG002 - the path tells nothing here
        parse_request_object(body)
        return ""

    def facts(self, batch: dict[str, Any]) -> BatchFacts | None:
        if batch.get("object") != "batch" or not (batch_id := identifier(batch.get("id"))):
            return None
        files = (identifier(batch.get(name)) for name in ("output_file_id", "error_file_id"))
        usage = parse_usage(usage_from, batch.get("usage"), MAIN_COUNTS)[0] if batch.get("status") in _OVER else None
        return BatchFacts(
            batch_id=batch_id,
            files=tuple(file for file in files if file),
            usage=usage,
            model=identifier(batch.get("model")),
        )

    def row(self, line: bytes) -> BatchRow | None:
        try:
            row = _row.decode(line)
        except UNREADABLE:
            return None
        if row.response is None or row.response.status_code != OK or not (key := row.id or row.custom_id):
            return None
        return BatchRow(key=key, reply=row.response.body)

    def is_result_file(self, file: dict[str, Any]) -> bool:
        return mapping(file).get("purpose") == "batch_output"
