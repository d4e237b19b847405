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
