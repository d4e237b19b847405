"""JSON schemas for providers that take a part of the language.

Claude's structured outputs want `additionalProperties: false` in each object and refuse bounds; what a bound says goes
into the description, where the model reads it. Source, 2026-11:
https://platform.claude.com/docs/en/build-with-claude/structured-outputs.
"""

from collections.abc import Mapping
from typing import Any

from modicum.providers.fields import mapping, text

BOUNDS = frozenset(
    {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength"}
    | {"maxItems", "uniqueItems", "minProperties", "maxProperties", "minContains", "maxContains"}
)
_BY_NAME = frozenset({"properties", "$defs", "definitions", "patternProperties"})
MOST_LEVELS = 100

Json = dict[str, Any]


def schema_for_claude(schema: Mapping[str, Any], left_out: list[str]) -> Json:
    """The schema as Claude takes it; the names of bounds that now stand in words are added to `left_out`."""
    return mapping_of(_claude(schema, left_out, MOST_LEVELS))


def mapping_of(value: Any) -> Json:
    return dict(mapping(value))


def _claude(schema: Any, left_out: list[str], levels: int) -> Any:
    if isinstance(schema, list):
        return [_claude(part, left_out, levels - 1) for part in schema] if levels else schema
    if not isinstance(schema, Mapping) or not levels:
        return schema
    wire: Json = {}
    in_words: list[str] = []
    for name, value in schema.items():
        if name in BOUNDS or (name == "minItems" and value not in {0, 1}):
            in_words.append(f"{name}: {value}")
            left_out.append(f"response_format.{name}")
        elif name in _BY_NAME:
            wire[name] = {key: _claude(part, left_out, levels - 1) for key, part in mapping(value).items()}
        elif name in {"enum", "const", "default", "examples", "required"}:
            wire[name] = value
        else:
            wire[name] = _claude(value, left_out, levels - 1)
    if in_words:
        before = text(wire.get("description"))
        wire["description"] = f"{before} ({', '.join(in_words)})" if before else ", ".join(in_words)
    if wire.get("type") == "object" or "properties" in wire:
        wire["additionalProperties"] = False
    return wire
