"""Errors as OpenAI words them, for its three APIs. Source: https://platform.openai.com/docs/guides/error-codes."""

from modicum.providers.bodies import encoded
from modicum.providers.fields import text

RATE_LIMITED = 429
SERVER_FAULT = 500


def error_body(status: int, message: str, kind: str) -> bytes:
    return encoded({"error": error_object(status, message, kind)})


def error_object(status: int, message: str, kind: str) -> dict[str, str | None]:
    return {"message": text(message), "type": error_type(status), "param": None, "code": text(kind) or None}


def error_type(status: int) -> str:
    if status == RATE_LIMITED:
        return "rate_limit_error"
    return "server_error" if status >= SERVER_FAULT else "invalid_request_error"
