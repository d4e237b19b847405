"""What the types of the code say of a document in places where it holds null."""

import dataclasses

import msgspec
from msgspec import inspect

_SCALARS = {
    inspect.NoneType: "null",
    inspect.BoolType: "boolean",
    inspect.IntType: "number",
    inspect.FloatType: "number",
    inspect.DecimalType: "number",
    inspect.StrType: "string",
    inspect.DateTimeType: "string",
    inspect.DateType: "string",
    inspect.TimeType: "string",
    inspect.UUIDType: "string",
}
_ARRAYS = inspect.ListType, inspect.SetType, inspect.FrozenSetType, inspect.VarTupleType
_OBJECTS = inspect.StructType, inspect.DataclassType, inspect.TypedDictType


def declared_schema(document, kind=None):
    """A schema of no more than the places whose value is null where a type says more; empty if there is none.

    Args:
        document: what is printed.
        kind: what a type says of it; None: nothing.
    """
    found = {}
    if document is None:
        found = schema_of(kind)
    elif isinstance(document, dict):
        values = getattr(_part(kind, inspect.DictType), "value_type", None)
        found = _of_object({str(key): declared_schema(value, values) for key, value in document.items()})
    elif isinstance(document, msgspec.Struct) or dataclasses.is_dataclass(document):
        fields = inspect.type_info(type(document)).fields
        found = _of_object({one.encode_name: declared_schema(getattr(document, one.name), one.type) for one in fields})
    elif isinstance(document, list | tuple) and not hasattr(document, "_fields"):
        items = getattr(_part(kind, _ARRAYS), "item_type", None)
        choices = [found for found in (declared_schema(one, items) for one in document) if found]
        found = {"type": "array", "items": _joined(choices)} if choices else {}
    return found


def _part(kind, wanted):
    """That of the types of a union."""
    return next((one for one in getattr(kind, "types", (kind,)) if isinstance(one, wanted)), None)


def schema_of(kind):
    """What a type is printed as; empty: anything, or what only its data says."""
    found = {}
    if (scalar := _SCALARS.get(type(kind))) is not None:
        found = {"type": scalar}
    elif isinstance(kind, inspect.LiteralType | inspect.EnumType):
        values = kind.values if isinstance(kind, inspect.LiteralType) else [one.value for one in kind.cls]
        kinds = {"string" if isinstance(value, str) else "number" for value in values if value is not None}
        found = {"type": kinds.pop()} if len(kinds) == 1 else {}
    elif isinstance(kind, inspect.UnionType):
        found = _joined([schema_of(one) for one in kind.types if not isinstance(one, inspect.NoneType)])
    elif isinstance(kind, _ARRAYS):
        items = schema_of(kind.item_type)
        found = {"type": "array"} | ({"items": items} if items else {})
    elif isinstance(kind, inspect.DictType):
        found = {"type": "object"}  # its keys are data
    elif isinstance(kind, _OBJECTS):
        found = {"type": "object"} | _of_object({one.encode_name: schema_of(one.type) for one in kind.fields})
    return found


def _of_object(fields):
    known = {name: schema for name, schema in fields.items() if schema}
    return {"type": "object", "properties": known} if known else {}


def _joined(schemas):
    """A schema of what any of them allows; empty if one allows anything."""
    if not all(schemas):
        return {}
    from genson import SchemaBuilder  # as where documents are recorded

    builder = SchemaBuilder()
    for schema in schemas:
        builder.add_schema(schema)
    found = builder.to_schema()
    found.pop("$schema", None)
    return found
