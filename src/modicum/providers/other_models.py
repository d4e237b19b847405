"""Models that a request names beside its own: those to fall back on, and those that a tool of the provider asks.

Providers and routers invent such fields freely (`models`, `fallbacks`, `advisor_model`, a tool's `model`), so they are
known by how they are called, wherever they stand; but for what is content and not instruction: messages, JSON schemas.
"""

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec

from modicum.providers.body_parsing import UNREADABLE, parse_request
from modicum.providers.facts import DialectError
from modicum.providers.openai.multipart import is_form

_CONTENT = frozenset(
    {
        "contents",
        "functions",
        "functiondeclarations",
        "input",
        "inputschema",
        "instructions",
        "jsonschema",
        "messages",
        "metadata",
        "prediction",
        "prompt",
        "responseformat",
        "responsejsonschema",
        "responseschema",
        "schema",
        "system",
        "systeminstruction",
    }
)
"""Fields in which a name of a model is said to the model, and asks for nothing."""
_NAMES = re.compile(r".*(models?|model(id|name)s?|fallbacks?(dict)?)")
_CHOOSERS = frozenset({"deployment", "deploymentid", "engine", "preset"})
"""What chooses a model by another name, where it stands at the top."""
_PLAIN_TOOLS = (None, "function", "custom")
"""Types of tools that the caller runs: their parameters are a schema. Those of a provider's tool are settings of it."""
_MAYBE = re.compile(rb"(?i)model|fallback|\\u00[4-7]")
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


def other_models(body: bytes) -> Iterator[tuple[str, str]]:
    """Field and name of each model that a request names, but for its own top-level `model`. Where a field within others
    comes twice, both are given: servers differ in which of them they read.

    Raises:
        DialectError: it is no JSON object, or nested too deeply.
    """
    if is_form(body):  # a form names one model, or is refused
        return
    try:
        for name, raw in parse_request(_fields, body).items():
            plain = _plain(name)
            if name == "model" or plain in _CONTENT:
                continue
            if plain in _CHOOSERS:
                yield from ((name, model) for model in _names_in(json.loads(bytes(raw))))
            elif _NAMES.fullmatch(plain) or _MAYBE.search(raw):
                yield from _in_field(name, json.loads(bytes(raw), object_pairs_hook=_Pairs))
    except UNREADABLE as wrong:
        raise DialectError(400, "the request body is not JSON, or nested too deeply") from wrong


class _Pairs(list[tuple[str, Any]]):
    """A JSON object, with fields that come twice."""


def _in_field(name: str, value: Any) -> Iterator[tuple[str, str]]:
    plain = _plain(name)
    if _NAMES.fullmatch(plain):
        yield from ((name, model) for model in _names_in(value))
    elif plain not in _CONTENT:
        yield from _in_value(value)


def _in_value(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, _Pairs):
        is_plain_tool = all(inner in _PLAIN_TOOLS for name, inner in value if name == "type")
        for name, inner in value:
            if is_plain_tool and _plain(name) in {"function", "parameters"}:
                continue
            yield from _in_field(name, inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _in_value(inner)


def _names_in(value: Any) -> Iterator[str]:
    """The names that a field of models holds: one, a list, objects with a `model`, or lists by the model that they
    stand in for.
    """
    if isinstance(value, str):
        yield value
    elif isinstance(value, _Pairs):
        named = [inner for name, inner in value if _NAMES.fullmatch(_plain(name))]
        for inner in named or [inner for _, inner in value]:
            yield from _names_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _names_in(inner)


@lru_cache(4096)
def _plain(name: str) -> str:
    """A field's name however it is written: `input_schema`, `inputSchema`."""
    return name.replace("_", "").replace("-", "").casefold()
