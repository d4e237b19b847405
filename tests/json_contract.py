"""What `--json` prints, held to the published schemas: every verb that a test runs in this process is checked.

`MODICUM_RECORD_JSON=FOLDER pytest` leaves what was printed there, a file for each verb and worker;
`scripts/json-schemas FOLDER` makes the schemas of it. Where a document has null, the type of the field in the code says
what else it may hold.
"""

import json
import os
from functools import cache
from pathlib import Path

import click

from json_types import declared_schema
from modicum.cli.terminal import output

SCHEMAS = Path(__file__).parents[1] / "docs" / "reference" / "json"
_faults: list[str] = []


def watch_printing():
    """From now on every document that a verb prints is checked; `faults_found` says what was wrong."""
    plain = output.json_text

    def watched(document):
        text = plain(document)
        context = click.get_current_context(silent=True)
        if context is not None and context.params.get("as_json"):
            _check(context, json.loads(text), document)
        return text

    output.json_text = watched


def faults_found():
    """What was wrong since the last time."""
    faults, _faults[:] = [*_faults], []
    return faults


def _check(context, document, source):
    verb = "-".join(context.command_path.split(" ")[1:])  # without `modicum`
    if folder := os.environ.get("MODICUM_RECORD_JSON"):
        _record(Path(folder), verb, document, declared_schema(source))
    elif (validator := _validator(verb)) is not None:
        _faults.extend(
            f"{verb} --json is not as docs/reference/json/{verb}.json says: {error.json_path}: {error.message[:200]}"
            for error in validator.iter_errors(document)
        )


@cache
def _validator(verb):
    path = SCHEMAS / f"{verb}.json"
    try:
        import jsonschema
    except ImportError:  # environments of single extras have none; the main one does
        return None
    return jsonschema.Draft202012Validator(json.loads(path.read_text())) if path.exists() else None


def _record(folder, verb, document, declared):
    """What is printed stands in no file: its schema does, joined with what was seen before."""
    from genson import SchemaBuilder  # only who records needs it, and the frameworks' environments do not have it

    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{verb}.{os.getpid()}.json"
    builder = SchemaBuilder()
    if path.exists():
        builder.add_schema(json.loads(path.read_text()))
    builder.add_object(document)
    if declared:
        builder.add_schema(declared)
    path.write_text(builder.to_json())
