"""Fields of a request that nobody here has read about, taken out where they stand beside what is understood.

Clients send back what replies brought them, and add marks of their own. Within messages and tools such a field changes
no word of what is said; at the top it may mean anything.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

MOST_NAMED = 20
"""Fields that are named; a header has bounds."""


def without_unknown(document: Any, kind: Any) -> tuple[Any, list[str]]:
    """The document with only what `kind` knows of its inner objects, and the names of what was taken out (nulls, which
    ask for nothing, unnamed). The outermost object keeps all but nulls.
    """
    info, gone = _info(kind), list[str]()
    if not isinstance(document, Mapping) or not isinstance(info, inspect.StructType):
        return document, gone
    types = {field.encode_name: field.type for field in info.fields}
    cleaned = {
        name: _cleaned(value, types[name], name, gone) if name in types else value
        for name, value in document.items()
        if value is not None or name in types
    }
    return cleaned, gone[:MOST_NAMED]


@cache
def _info(kind: Any) -> inspect.Type:
    return inspect.type_info(kind)


def _cleaned(value: Any, info: inspect.Type, place: str, gone: list[str]) -> Any:
    if isinstance(info, inspect.UnionType):
        fitting = _member(value, info)
        return value if fitting is None else _cleaned(value, fitting, place, gone)
    if isinstance(info, inspect.ListType) and isinstance(value, list):
        return [_cleaned(item, info.item_type, place, gone) for item in value]
    if not isinstance(info, inspect.StructType) or not isinstance(value, Mapping):
        return value
    types = {field.encode_name: field.type for field in info.fields}
    cleaned: dict[str, Any] = {}
    for name, inner in value.items():
        where = f"{place}.{name}"
        if name in types:
            cleaned[name] = _cleaned(inner, types[name], where, gone)
        elif name == info.tag_field:
            cleaned[name] = inner
        elif inner is not None and where not in gone and where.isascii() and where.isprintable():
            gone.append(where[:100])
    return cleaned


def _member(value: Any, info: inspect.UnionType) -> inspect.Type | None:
    """The part of a union that the value can be."""
    for member in info.types:
        if isinstance(member, inspect.ListType) and isinstance(value, list):
            return member
        if isinstance(member, inspect.StructType) and isinstance(value, Mapping) and _is_of(value, member):
            return member
    return None


def _is_of(value: Mapping[str, Any], member: inspect.StructType) -> bool:
    return member.tag_field is None or value.get(member.tag_field) == member.tag


def is_unknown_field(error: msgspec.ValidationError) -> bool:
    return "unknown field" in str(error)
