"""Errors in Google's words. Source: https://ai.google.dev/gemini-api/docs/troubleshooting."""

from typing import Any

from modicum.providers.fields import text

STATUS_WORDS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ABORTED",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
SERVER_FAULT = 500


def error_object(status: int, message: str, kind: str) -> dict[str, Any]:
    status_word = STATUS_WORDS.get(status) or ("INTERNAL" if status >= SERVER_FAULT else "FAILED_PRECONDITION")
    error: dict[str, Any] = {"code": status, "message": text(message), "status": status_word}
    if kind:
        info = "type.googleapis.com/google.rpc.ErrorInfo"
        error["details"] = [{"@type": info, "reason": text(kind).upper(), "domain": "modicum"}]
    return error
