"""One public class name for one thing, and functions that say what they do."""

import ast
from collections import defaultdict
from functools import cache
from pathlib import Path

import modicum

SOURCE = Path(modicum.__file__).parent
VAGUE = {
    *("told", "said", "heard", "found", "kept", "asked", "wanted", "known", "taken"),
    *("noted", "seen", "given", "done", "look", "began", "ended"),
}
"""Words that name a function by what happened to it, and so say nothing to whoever reads the call."""
NO_NOUNS = {"told", "said", "heard", "wanted", "asked"}
"""Words that no variable, parameter, attribute or class is named by: a noun says what it holds."""
FIELDS_OF_JSON = {("doctor.py", "said")}
"""What `--json` printed before keeps its name."""


@cache
def names_in_source():
    """Names of classes, of functions, and of values that are bound, each with its file: read once for all tests."""
    classes, functions, values = [], [], []
    for path in sorted(SOURCE.rglob("*.py")):
        place = str(path.relative_to(SOURCE))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                classes.append((place, node.name))
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                functions.append((place, node.name))
            elif isinstance(node, ast.arg):
                values.append((place, node.arg, node.lineno))
            elif isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Store):
                values.append((place, node.id if isinstance(node, ast.Name) else node.attr, node.lineno))
    return classes, functions, values


def test_a_public_class_name_stands_for_one_thing():
    places = defaultdict(list)
    for path, name in names_in_source()[0]:
        if not name.startswith("_"):
            places[name].append(path)

    assert len(places) > 300
    assert {name: paths for name, paths in places.items() if len(paths) > 1} == {}


def test_functions_are_named_by_plain_verbs():
    functions = names_in_source()[1]

    assert len(functions) > 2000
    assert [(path, name) for path, name in functions if name.lstrip("_") in VAGUE] == []


def test_values_are_named_by_nouns():
    values = names_in_source()[2]

    assert len(values) > 10_000
    assert [
        f"{place}:{line}: {name}"
        for place, name, line in values
        if name.strip("_").lower() in NO_NOUNS and (Path(place).name, name) not in FIELDS_OF_JSON
    ] == []


def test_classes_are_named_by_nouns():
    assert [(path, name) for path, name in names_in_source()[0] if name.strip("_").lower() in VAGUE] == []
