"""One public class name for one thing, and functions that say what they do."""

import ast
from collections import defaultdict
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


def definitions(kinds):
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, kinds):
                yield str(path.relative_to(SOURCE)), node.name


def test_a_public_class_name_stands_for_one_thing():
    places = defaultdict(list)
    for path, name in definitions(ast.ClassDef):
        if not name.startswith("_"):
            places[name].append(path)

    assert len(places) > 300
    assert {name: paths for name, paths in places.items() if len(paths) > 1} == {}


def test_functions_are_named_by_plain_verbs():
    functions = list(definitions((ast.FunctionDef, ast.AsyncFunctionDef)))

    assert len(functions) > 2000
    assert [(path, name) for path, name in functions if name.lstrip("_") in VAGUE] == []


def named_values(tree):
    """Names that are bound in a file, with their lines: variables, parameters, attributes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr, node.lineno


def test_values_are_named_by_nouns():
    vague, count = [], 0
    for path in sorted(SOURCE.rglob("*.py")):
        for name, line in named_values(ast.parse(path.read_text(encoding="utf-8"))):
            count += 1
            if name.strip("_").lower() in NO_NOUNS and (path.name, name) not in FIELDS_OF_JSON:
                vague.append(f"{path.relative_to(SOURCE)}:{line}: {name}")

    assert count > 10_000
    assert vague == []


def test_classes_are_named_by_nouns():
    classes = list(definitions(ast.ClassDef))

    assert [(path, name) for path, name in classes if name.strip("_").lower() in VAGUE] == []
