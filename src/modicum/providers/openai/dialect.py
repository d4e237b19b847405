"""What OpenAI's APIs have in common: the key's header, errors, deployments. Sources:
https://platform.openai.com/docs/guides/error-codes, https://learn.microsoft.com/azure/ai-services/openai/reference.
"""

import re
from typing import Any

import msgspec

from modicum.providers.body_parsing import check_model_name, encode
from modicum.providers.dialect import Dialect, DialectApi
from modicum.providers.fields import text
from modicum.providers.limit_headers import OpenAILimitHeaders
from modicum.providers.openai.mock import MOCK

RATE_LIMITED = 429
SERVER_FAULT = 500
SAMPLING_FIELDS = frozenset(
    [
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "max_tokens",
        "model",
        "n",
        "presence_penalty",
        "seed",
        "stop",
        "stream",
        "stream_options",
        "temperature",
        "top_p",
        "user",
    ]
)
"""Fields of requests for words that say how these are drawn, and ask for nothing else."""
_DEPLOYMENT = re.compile(r"/deployments/([^/?]+)/")


class OpenAIRequest(msgspec.Struct):
    model: str | None = None
    stream: bool | None = None
    user: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    metadata: Any = None


class OpenAIReply(msgspec.Struct):
    id: Any = None
    model: Any = None
    usage: Any = None
    service_tier: Any = None
    error: Any = None
    object: Any = None


class OpenAIDialect(Dialect):
    api = DialectApi("openai", limits=OpenAILimitHeaders())
    mock = MOCK

    def error(self, status: int, message: str, kind: str) -> bytes:
        return encode({"error": error_object(status, message, kind)})


def error_object(status: int, message: str, kind: str) -> dict[str, Any]:
    return {"message": text(message), "type": error_type(status), "param": None, "code": text(kind) or None}


def error_type(status: int) -> str:
    if status == RATE_LIMITED:
        return "rate_limit_error"
    return "server_error" if status >= SERVER_FAULT else "invalid_request_error"


def model_in(model: str | None, path: str) -> str:
    """The deployment in an Azure path, which decides there, or else the model that a request names.

    Raises:
        DialectError: neither is a model name.
    """
    deployment = _DEPLOYMENT.search(path)
    return check_model_name(deployment[1] if deployment else model)
