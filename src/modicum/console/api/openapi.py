"""The API's description of itself (OpenAPI 3.1), made of its operations and their types."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from modicum import __version__
from modicum.console.api.documents import Fault
from modicum.console.api.operations import PREFIX, Operation

_PATH = re.compile(r"\{(\w+)\}")


def describe(operations: Sequence[Operation]) -> dict[str, Any]:
    """The OpenAPI document."""
    types = [Fault, *(one.gives for one in operations if one.gives), *(one.takes for one in operations if one.takes)]
    schemas, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    schema_of = dict(zip(map(str, types), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for one in operations:
        paths.setdefault(f"{PREFIX}{one.path}", {})[one.method.lower()] = _operation(one, schema_of)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "modicum console",
            "version": __version__,
            "description": "What the console's pages show and change. Tokens: 'modicum token create'.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "mt_..."}},
        },
        "security": [{"token": []}],
    }


def _operation(one: Operation, schema_of: dict[str, Any]) -> dict[str, Any]:
    text = {"schema": {"type": "string"}}
    parameters = [{"name": name, "in": "path", "required": True} | text for name in _PATH.findall(one.path)]
    parameters += [{"name": name, "in": "query", "required": False} | text for name in one.query]
    done = {"description": "Done"}
    if one.gives is not None:
        done = {"description": "The answer", "content": _json(schema_of[str(one.gives)])}  # type: ignore[dict-item]
    described: dict[str, Any] = {
        "operationId": _PATH.sub(r"of_\1", f"{one.method.lower()}{one.path}").replace("/", "_"),
        "summary": one.summary,
        "parameters": parameters,
        "responses": {
            "200" if one.gives is not None else "204": done,
            "default": {"description": "It cannot be done", "content": _json(schema_of[str(Fault)])},
        },
    }
    if one.takes is not None:
        described["requestBody"] = {"required": True, "content": _json(schema_of[str(one.takes)])}
    return described


def _json(schema: Any) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}
