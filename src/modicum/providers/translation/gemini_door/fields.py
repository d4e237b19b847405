"""Fields of Google's JSON, which takes their names in camelCase and in snake_case; and its schemas."""

from collections.abc import Mapping
from typing import Any

from modicum.providers.body_parsing import snake_case
from modicum.providers.fields import listed, mapping

Json = dict[str, Any]

MOST_LEVELS = 100
_BY_NAME = frozenset({"properties", "defs", "$defs"})
_PLAIN: dict[str, str] = {
    "anyOf": "anyOf",
    "any_of": "anyOf",
    "defs": "$defs",
    "ref": "$ref",
    "minItems": "minItems",
} | {
    snake: camel
    for camel in ("minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties")
    for snake in (snake_case(camel),)
}
"""What Google's schemas call otherwise than JSON Schema."""
_NUMBERS = frozenset(_PLAIN.values()) - {"anyOf", "$defs", "$ref"}
"""Bounds that its clients may send as texts."""
_DROPPED = frozenset({"propertyOrdering", "property_ordering", "nullable", "example"})


def field(holder: Mapping[str, Any], name: str) -> Any:
    """A field in either spelling; None: it is not there."""
    return holder.get(name, holder.get(snake_case(name)))


def camel(holder: Mapping[str, Any]) -> Json:
    """The fields of one object by their names in camelCase; what stands in them is as it was."""
    return {_camel(name): value for name, value in holder.items()}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part[:1].upper() + part[1:] for part in rest)


def json_schema(schema: Any, levels: int = MOST_LEVELS) -> Any:
    """A schema as Google writes it (OpenAPI's, types in capitals, `nullable`) as JSON Schema."""
    if isinstance(schema, list):
        return [json_schema(part, levels - 1) for part in schema] if levels else schema
    if not isinstance(schema, Mapping) or not levels:
        return schema
    wire: Json = {}
    for name, value in schema.items():
        if name == "type" and isinstance(value, str):
            wire["type"] = value.lower()
        elif name in _BY_NAME and isinstance(value, Mapping):
            wire[_plain(name)] = {key: json_schema(part, levels - 1) for key, part in value.items()}
        elif name in {"enum", "required", "default"}:
            wire[name] = value
        elif name not in _DROPPED:
            plain = _plain(name)
            is_number = plain in _NUMBERS and isinstance(value, str) and value.isdigit()
            wire[plain] = int(value) if is_number else json_schema(value, levels - 1)
    if schema.get("nullable") is True and isinstance(wire.get("type"), str):
        wire["type"] = [wire["type"], "null"]
        if listed(wire.get("enum")):
            wire["enum"] = [*wire["enum"], None]
    return wire


def _plain(name: str) -> str:
    return _PLAIN.get(name, name)


def schema_of(holder: Mapping[str, Any], plain: str, written: str) -> Json | None:
    """The schema of a function or an answer: JSON Schema in the field `written`, or Google's own in `plain`."""
    if found := field(holder, written):
        return dict(mapping(found)) or None
    return json_schema(mapping(field(holder, plain))) or None
