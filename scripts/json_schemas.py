"""Joins the schemas that tests recorded into one for each verb, and writes the page that lists their keys.

A key that every document had is required. Objects may hold more: new keys join, and those that are there keep name, place
and type. Further inside, where keys are often data, none is required.
"""

import json
import sys
from collections import defaultdict
from functools import reduce
from pathlib import Path
from typing import Any

from genson import SchemaBuilder

FOLDER = Path(__file__).parents[1] / "docs" / "reference" / "json"
VERSION = 1
"""Of the schemas: raised when a key goes, moves, or changes its type."""


def main(recorded: Path, *, joins: bool) -> None:
    """Writes a schema for each verb that was recorded; where it `joins`, what the published one allows stays allowed."""
    parts = defaultdict(list)
    for path in sorted(recorded.glob("*.json")):
        parts[path.name.split(".")[0]].append(json.loads(path.read_text(encoding="utf-8")))
    FOLDER.mkdir(parents=True, exist_ok=True)
    for verb, schemas in sorted(parts.items()):
        builder = SchemaBuilder()
        for schema in schemas:
            builder.add_schema(schema)
        schema = loosen(builder.to_schema())
        if joins and (published := FOLDER / f"{verb}.json").exists():
            schema = joined(json.loads(published.read_text(encoding="utf-8")), schema)
        schema |= {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": f"urn:modicum:json:{verb}:{VERSION}",
            "title": f"modicum {verb.replace('-', ' ', 1)} --json",
        }
        text = json.dumps(dict(sorted(schema.items())), indent=1, sort_keys=True)
        (FOLDER / f"{verb}.json").write_text(text + "\n", encoding="utf-8")
    sys.stdout.write(f"{len(parts)} schemas in {FOLDER}\n")


def loosen(schema: dict[str, Any], name: str = "", depth: int = 0) -> dict[str, Any]:
    """Integers are numbers, since a figure without a fraction is printed as one; what is unknown is null, wherever it
    stands. Keys are required in the document and in its rows; further inside many are data (models, buckets, tags).
    """
    for each in schema.pop("anyOf", ()):
        schema |= joined(schema, each)
    kinds = schema.get("type", [])
    kinds = {"number" if kind == "integer" else kind for kind in ([kinds] if isinstance(kinds, str) else kinds)}
    if kinds == {"null"}:
        del schema["type"]  # no test printed a value: of what type one would be is not known
    elif kinds:
        schema["type"] = sorted(kinds | {"null"}) if name else min(kinds) if len(kinds) == 1 else sorted(kinds)
    if depth > 0:
        schema.pop("required", None)
    for key, inner in schema.get("properties", {}).items():
        loosen(inner, key, depth + 1)
    if isinstance(schema.get("items"), dict):
        loosen(schema["items"], name, depth - 1 if depth <= 1 else depth)
    return schema


def joined(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """A schema that allows what either does. One without a type says nothing: no test printed a value."""
    one, other = _without_choices(one), _without_choices(other)
    both = {**one, **other}
    kinds = {kind for schema in (one, other) for kind in _kinds(schema)}
    if kinds:
        both["type"] = min(kinds) if len(kinds) == 1 else sorted(kinds)
    if "properties" in one and "properties" in other:
        inner = {**one["properties"], **other["properties"]}
        for name in one["properties"].keys() & other["properties"].keys():
            inner[name] = joined(one["properties"][name], other["properties"][name])
        both["properties"] = inner
        both["required"] = sorted({*one.get("required", ())} & {*other.get("required", ())})
        if not both["required"]:
            del both["required"]
    if "items" in one and "items" in other:
        both["items"] = joined(one["items"], other["items"])
    return both


def _without_choices(schema: dict[str, Any]) -> dict[str, Any]:
    """Choices as one schema: what it says of objects does not concern its other kinds."""
    return reduce(joined, schema["anyOf"]) if "anyOf" in schema else schema


def _kinds(schema: dict[str, Any]) -> list[str]:
    kinds = schema.get("type", [])
    return [kinds] if isinstance(kinds, str) else kinds


if __name__ == "__main__":
    main(Path(sys.argv[1]), joins="--join" in sys.argv)
