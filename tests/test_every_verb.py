"""What holds for every verb, and what docs/verbs.md says of them."""

import ast
import json
import shutil
from pathlib import Path

import click

from cli.process_rig import journaled
from json_contract import SCHEMAS
from modicum.cli import modicum as command
from modicum.settings import data_folder, state_folder

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "verbs.md").read_text()

LISTS = {"doctor", "experiment log", "experiment status", "key list", "key log"}
"""Verbs whose `--json` is a list: they always were, and no other joins them."""
NO_FIGURES = {
    *("console", "mcp", "mock", "up", "watch"),  # they run until they are stopped
    *(
        "fix forget",
        "fix undo",
        "hooks act",
        "hooks install",
        "hooks observe",
        "hooks remove",
        "init",
    ),
}


def every_verb(command, *names):
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from every_verb(command.get_command(context, name), *names, name)
    else:
        yield " ".join(names), command


VERBS = dict(every_verb(command))


def options_of(verb):
    return {name for option in VERBS[verb].params for name in option.opts}


def test_every_verb_that_shows_something_shows_it_as_json():
    assert {verb for verb in VERBS if "--json" not in options_of(verb)} == NO_FIGURES


def test_every_verb_with_json_has_a_schema():
    verbs = {verb.replace(" ", "-") for verb in VERBS if "--json" in options_of(verb)}

    assert {path.stem for path in SCHEMAS.glob("*.json")} == verbs, "'scripts/json-schemas' writes them"


def null_alone(schema, place=""):
    """Places in a schema that allow nothing but null."""
    if isinstance(schema, list):
        schema = dict(enumerate(schema))
    if isinstance(schema, dict):
        if schema.get("type") in ("null", ["null"]):
            yield place
        for key, inner in schema.items():
            if key != "anyOf":
                yield from null_alone(inner, f"{place}/{key}")


def test_no_schema_takes_what_the_tests_have_not_printed_for_what_is_never_there():
    """A test whose calls have no price prints `cost_usd: null`: that a price may come is not ruled out by it."""
    places = [
        place
        for path in sorted(SCHEMAS.glob("*.json"))
        for place in null_alone(json.loads(path.read_text()), path.stem)
    ]

    assert places == []


def test_verbs_that_change_something_say_what_it_was(modicum, monkeypatch):
    """Beside the rest this holds them to their schemas."""
    monkeypatch.setenv("COLUMNS", "80")
    journaled(1)
    modicum("key", "create", "ci")
    assert modicum("key", "revoke", "ci", "--json").json["name"] == "ci"
    assert [event["name"] for event in modicum("key", "log", "--json").json] == ["ci", "ci"]
    modicum("user", "add", "ann", "owner")
    modicum("token", "create", "nightly", "--user", "ann")
    assert modicum("user", "link", "ann", "--json").json["hours"] > 0
    assert modicum("token", "revoke", "nightly", "--json").json["revoked"]
    assert modicum("outcome", "record", "T-1", "resolved", "1", "--json").json["value"] == 1
    change = ("--model", "gpt-4o", "--to", "gpt-4o-mini", "--outcome", "resolved")
    modicum("experiment", "start", "cheaper", *change)
    assert modicum("experiment", "stop", "cheaper", "--json").json["what"] == "stopped"
    modicum("backup", "create", "saved")
    shutil.rmtree(state_folder())
    (data_folder() / "digest.key").unlink()
    assert modicum("backup", "restore", "saved", "--json").json["files"]


def test_only_those_verbs_give_a_list_that_always_did():
    callers = set()
    for file in (ROOT / "src" / "modicum" / "cli").rglob("*.py"):
        for function in ast.walk(ast.parse(file.read_text())):
            if isinstance(function, ast.FunctionDef) and "print_json_list(" in ast.unparse(function.body):
                callers.add(f"{file.parent.name}/{file.stem}.{function.name}")

    assert callers == {
        "cli/doctor.command",
        "cli/key.list_",
        "cli/key.log",
        "experiments/verbs.log",
        "experiments/verbs.status",
    }
    assert [verb for verb in LISTS if f"`{verb}`" not in PAGE or verb not in VERBS] == []


def test_the_page_says_which_verbs_take_conditions_and_csv():
    rows = {cells[1].strip(" `"): cells[2] for line in PAGE.splitlines() if len(cells := line.split("|")) > 3}
    for option in ("--csv", "--html", "--where", "--found"):
        verbs = {verb for verb in VERBS if option in options_of(verb)}
        assert {verb.strip(" `") for verb in rows[option].split(",")} == verbs, option
