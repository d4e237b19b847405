"""What `--json` prints, held to the published schemas: every test that prints it checks them, and can record it.

`MODICUM_RECORD_JSON=FOLDER pytest` leaves what was printed there, a file for each verb and worker;
`scripts/json-schemas FOLDER` makes the schemas of it.
"""

import json
import os
from functools import cache
from pathlib import Path

import click

from modicum.cli import modicum

SCHEMAS = Path(__file__).parents[1] / "docs" / "reference" / "json"


def verb_of(words):
    """The verb and its own verb, as `plan-memory`; empty where the words name none."""
    context, command, names = click.Context(modicum), modicum, []
    for word in words:
        if not isinstance(command, click.Group):
            break
        found = command.get_command(context, word)
        if found is not None:
            command = found
            names.append(word)
    return "-".join(names)


def check_printed(words, text):
    """Fails where a document is not as the schema of its verb says."""
    verb = verb_of(words)
    try:
        document = json.loads(text)
    except ValueError:
        return  # an error of the command line, or lines that come one by one
    if folder := os.environ.get("MODICUM_RECORD_JSON"):
        _record(Path(folder), verb, document)
    elif (validator := _validator(verb)) is not None:
        errors = [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(document)]
        assert not errors, f"{verb} --json is not as docs/reference/json/{verb}.json says; {errors[:3]}"


@cache
def _validator(verb):
    path = SCHEMAS / f"{verb}.json"
    try:
        import jsonschema
    except ImportError:  # environments of single extras have none; the main one does
        return None
    return jsonschema.Draft202012Validator(json.loads(path.read_text())) if path.exists() else None


def _record(folder, verb, document):
    """What is printed stands in no file: its schema does, joined with what was seen before."""
    from genson import SchemaBuilder  # only who records needs it, and the frameworks' environments do not have it

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{verb}.{os.getpid()}.json"
    builder = SchemaBuilder()
    if path.exists():
        builder.add_schema(json.loads(path.read_text()))
    builder.add_object(document)
    path.write_text(builder.to_json())
