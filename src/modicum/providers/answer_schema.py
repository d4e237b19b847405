"""The shape that a request asks its answer to have, where its API lets it ask for one."""

from collections.abc import Mapping
from typing import Any

import msgspec

from modicum.providers.body_parsing import parse_request_object
from modicum.providers.facts import DialectError

_PLACES = (
    ("response_format", "json_schema", "schema"),  # chat completions
    ("text", "format", "schema"),  # responses
    ("output_format", "schema"),  # messages
    ("output_config", "format", "schema"),
    ("generationConfig", "responseJsonSchema"),  # generateContent
    ("generationConfig", "responseSchema"),
)
_ANY_JSON = (
    ("response_format", "type", "json_object"),
    ("text", "format", "type", "json_object"),
    ("generationConfig", "responseMimeType", "application/json"),
)
"""Asked for without a schema."""


def answer_schema(body: bytes) -> Mapping[str, Any] | None:
    """The JSON schema of the answer; empty: any JSON will do; None: the request does not ask for JSON."""
    try:
        return schema_in(parse_request_object(body))
    except (DialectError, msgspec.DecodeError):
        return None


def schema_in(request: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The same, of a request that is decoded."""
    for place in _PLACES:
        schema = _at(request, place)
        if isinstance(schema, Mapping):
            return schema
    return {} if any(_at(request, place[:-1]) == place[-1] for place in _ANY_JSON) else None


def _at(request: Any, place: tuple[str, ...]) -> Any:
    for name in place:
        if not isinstance(request, Mapping):
            return None
        request = request.get(name)
    return request
