"""Gemini's batches and files. Results stand in the batch's own object, or in a file; what failed is not charged.

Uploads and downloads have paths of their own before the version (`/upload/v1beta/files`). Files of other APIs stand
under `/v1/files`, too: whose a request is, its client says. Sources, 2026-11: https://ai.google.dev/api/files,
https://ai.google.dev/api/batch-api, https://ai.google.dev/gemini-api/docs/batch-api.
"""

import re
from typing import Any

import msgspec

from modicum.providers.batches.facts import BatchFacts, BatchRow, BatchShape, BatchTarget
from modicum.providers.body_parsing import UNREADABLE, check_model_name, encode, identifier, parse_request_object
from modicum.providers.facts import DialectError
from modicum.providers.fields import listed, mapping

_ID = r"[0-9A-Za-z_-]{1,200}"
_CREATE = re.compile(r"/v1(?:beta)?(/models/([^/:]+):(?:batchGenerateContent|asyncBatchEmbedContent))")
_PATHS = re.compile(
    rf"(/upload|/download)?/v1(?:beta)?(/(?:(batches(?:/{_ID})?)(?::(cancel|delete))?|(files(?:/{_ID})?)(:download)?))"
)


class _Row(msgspec.Struct):
    response: msgspec.Raw = msgspec.Raw(b"")
    key: str = ""


_row = msgspec.json.Decoder(_Row)


class GeminiBatches(BatchShape):
    names_model = model_in_path = True
    area = re.compile(
        r"(?:/upload|/download)?/v1(?:beta)?/(?:batches|files)(?:[/:]|$)|/v1(?:beta)?/models/[^/]+:\w*[bB]atch[A-Z]"
    )

    def created(self, path: str) -> str:
        found = _CREATE.fullmatch(path)
        return found[1] if found else ""

    def find(self, method: str, path: str) -> BatchTarget | None:
        found = _PATHS.fullmatch(path)
        if found is None:
            return None
        root, below, batch, verb, file, download = found.groups()
        if batch is not None:
            is_one = batch != "batches"
            if root or (verb and not is_one) or method not in (("POST",) if verb else ("GET", "DELETE")):
                return None
            return BatchTarget(path=below, subject=batch if is_one else "", is_batch=is_one)
        is_one = file != "files"
        if root == "/upload":
            fits = method in {"POST", "PUT"} and not is_one and not download
            return BatchTarget(path=below, root=root) if fits else None
        if download or root:
            fits = method == "GET" and is_one and bool(download)
            return (
                BatchTarget(path=below, root=root or "", subject=file, is_results=True, is_file=True) if fits else None
            )
        fits = method == "GET" or (method == "DELETE" and is_one)
        return BatchTarget(path=below, subject=file if is_one else "", is_file=is_one) if fits else None

    def model(self, body: bytes, path: str) -> str:
        parse_request_object(body)
        found = _CREATE.match(path)
        if found is None:
            raise DialectError(404, "the path names no model and method that are served here", "not_found")
        return check_model_name(found[2])

    def facts(self, batch: dict[str, Any]) -> BatchFacts | None:
        name = identifier(batch.get("name"))
        if not name.startswith("batches/"):
            return None
        file = identifier(_outcome(batch).get("responsesFile"))
        return BatchFacts(batch_id=name, files=(file,) if file else ())

    def inline_results(self, batch: dict[str, Any]) -> bytes:
        inlined = mapping(_outcome(batch).get("inlinedResponses"))
        rows = [mapping(one) for one in listed(inlined.get("inlinedResponses"))]
        return b"".join(
            encode(
                {"key": identifier(mapping(row.get("metadata")).get("key")) or f"#{place}", "response": row["response"]}
            )
            + b"\n"
            for place, row in enumerate(rows)
            if "response" in row
        )

    def row(self, line: bytes) -> BatchRow | None:
        try:
            row = _row.decode(line)
        except UNREADABLE:
            return None
        return BatchRow(key=row.key, reply=row.response) if bytes(row.response) and row.key else None

    def target_for(self, path: str, model: str) -> str:
        found = _CREATE.fullmatch(f"/v1{path}")
        return f"/models/{model}:{path.rpartition(':')[2]}" if found else path

    def is_result_file(self, file: dict[str, Any]) -> bool:
        return file.get("source") == "GENERATED"


def _outcome(batch: dict[str, Any]) -> dict[str, Any]:
    """Where an operation has it when it is over, or the batch itself."""
    return dict(
        mapping(batch.get("response"))
        or mapping(batch.get("dest"))
        or mapping(mapping(batch.get("metadata")).get("output"))
    )
