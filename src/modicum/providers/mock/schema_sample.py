"""A value that fits a JSON schema, the same one each time: what the mock provider says where a schema is asked for.

Types, enumerations, bounds, references, combinations and the usual formats are honoured; patterns only where a plain
word fits them. Google writes types in capitals.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from math import ceil
from typing import Any

from modicum.providers.fields import listed, mapping, text

DEEPEST = 12
_FORMATS = {
    "date": "2026-11-30",
    "date-time": "2026-11-30T12:00:00Z",
    "time": "12:00:00Z",
    "duration": "P1D",
    "email": "mock@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uri": "https://example.com/",
    "uuid": "00000000-0000-4000-8000-000000000000",
}
_WORDS = ("mock", "1", "A", "a1", "mock-1", "2026-11-30", "+15550100", "#aabbcc")


def sample(schema: Any) -> Any:
    """A value that fits."""
    return _sample(mapping(schema), mapping(schema), 0)


def _sample(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> Any:
    schema = _plain(schema, root)
    if "const" in schema:
        return schema["const"]
    if choices := listed(schema.get("enum")):
        return choices[0]
    for name in ("anyOf", "oneOf"):
        if options := listed(schema.get(name)):
            simple = [one for one in map(mapping, options) if _type(_plain(one, root)) != "object" or "$ref" not in one]
            return _sample(mapping((simple if depth > DEEPEST // 2 and simple else options)[0]), root, depth)
    return _of_type(_type(schema), schema, root, depth)


def _of_type(kind: str, schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> Any:
    if kind == "object":
        return _object(schema, root, depth)
    if kind == "array":
        return _array(schema, root, depth)
    if kind in {"integer", "number"}:
        return _number(schema, whole=kind == "integer")
    return {"boolean": True, "null": None}.get(kind, _text(schema))


def _plain(schema: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema with its reference followed, and what all of its parts say together."""
    for _ in range(DEEPEST):
        reference = text(schema.get("$ref"))
        if not reference.startswith("#"):
            break
        target: Any = root
        for name in reference.removeprefix("#").strip("/").split("/"):
            target = mapping(target).get(name) if name else target
        schema = {**mapping(target), **{name: value for name, value in schema.items() if name != "$ref"}}
    for part in listed(schema.get("allOf")):
        more = _plain(mapping(part), root)
        properties = {**mapping(schema.get("properties")), **mapping(more.get("properties"))}
        required = [*listed(schema.get("required")), *listed(more.get("required"))]
        schema = {**schema, **more, "properties": properties, "required": required}
    return schema


def _type(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    kinds = [text(one).lower() for one in (kind if isinstance(kind, list) else [kind])]
    named = next((one for one in kinds if one and one != "null"), kinds[0])
    if named:
        return named
    return "object" if "properties" in schema else "array" if "items" in schema else "string"


def _object(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> dict[str, Any]:
    properties = mapping(schema.get("properties"))
    required = [name for name in listed(schema.get("required")) if isinstance(name, str)]
    names = list(dict.fromkeys(required)) or ([] if depth > DEEPEST // 2 else list(properties))
    if depth >= DEEPEST:
        return {}
    return {name: _sample(mapping(properties.get(name)), root, depth + 1) for name in names}


def _array(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> list[Any]:
    first = [_sample(mapping(one), root, depth + 1) for one in listed(schema.get("prefixItems"))]
    least, most = _count(schema, "minItems", 0), _count(schema, "maxItems", 1 << 30)
    wants = 0 if depth >= DEEPEST // 2 else 1
    count = min(max(least, len(first), wants), most)
    items = mapping(schema.get("items"))
    more = [_sample(items, root, depth + 1) for _ in range(len(first), count)]
    if schema.get("uniqueItems") and len(more) > 1:
        choices = listed(_plain(items, root).get("enum"))
        more = choices[: len(more)] if choices else [_distinct(one, place) for place, one in enumerate(more)]
    return [*first, *more][:most]


def _distinct(value: Any, place: int) -> Any:
    if isinstance(value, str):
        return f"{value}{place}"
    return value + place if isinstance(value, int | float) and not isinstance(value, bool) else value


def _count(schema: Mapping[str, Any], name: str, usual: int) -> int:
    """Google writes counts as text."""
    value = schema.get(name)
    if isinstance(value, str) and value.isdigit():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 1 << 16 else usual


def _number(schema: Mapping[str, Any], *, whole: bool) -> int | float:
    step = _bound(schema, "multipleOf") or (1 if whole else 0)
    least, most = _bound(schema, "minimum"), _bound(schema, "maximum")
    above, below = _bound(schema, "exclusiveMinimum"), _bound(schema, "exclusiveMaximum")
    start = 1.0 if whole else 1.5
    if least is not None:
        start = max(start, least)
    if above is not None:
        start = max(start, above + (step or 0.5))
    if most is not None:
        start = min(start, most)
    if below is not None and start >= below:
        start = below - (step or 0.5)
    if step:
        start = ceil(round(start / step, 9)) * step
        if most is not None and start > most:
            start -= step
    return int(start) if whole or start == int(start) else start


def _bound(schema: Mapping[str, Any], name: str) -> float | None:
    value = schema.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _text(schema: Mapping[str, Any]) -> str:
    word = _FORMATS.get(text(schema.get("format")), "mock")
    if pattern := text(schema.get("pattern")):
        with suppress(re.error):
            word = next((one for one in (word, *_WORDS) if re.search(pattern, one)), word)
    least, most = _count(schema, "minLength", 0), _count(schema, "maxLength", 1 << 16)
    return (word + "x" * (least - len(word)))[:most]
