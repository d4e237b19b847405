"""Errors as Bedrock writes them. Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/CommonErrors.html and
the errors of https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html (2026-11).
"""

from modicum.providers.bedrock.frames import write_frame
from modicum.providers.body_parsing import encode
from modicum.providers.fields import text

_SERVER_FAULT = 500
_NAMES = {
    401: "AccessDeniedException",
    402: "ServiceQuotaExceededException",
    403: "AccessDeniedException",
    404: "ResourceNotFoundException",
    408: "ModelTimeoutException",
    424: "ModelErrorException",
    429: "ThrottlingException",
    503: "ServiceUnavailableException",
}


def error_name(status: int) -> str:
    """The exception that AWS's clients raise for a status."""
    return _NAMES.get(status) or ("InternalServerException" if status >= _SERVER_FAULT else "ValidationException")


def error_body(status: int, message: str) -> bytes:
    """A reply that says so. Clients read the name from `__type`, where no header has it."""
    return encode({"__type": error_name(status), "message": text(message)})


def error_frame(status: int, message: str) -> bytes:
    """The same in a stream that has begun."""
    name = error_name(status)
    return write_frame(name[0].lower() + name[1:], encode({"message": text(message)}), is_exception=True)
