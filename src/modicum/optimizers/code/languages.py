"""Programming languages whose code is read, by tree-sitter's grammars (the extra `code`)."""

import re
from functools import cache
from typing import Any, NamedTuple

from modicum.calls.extras import is_installed, load_extra, missing_extra

EXTRA, PACKAGE = "code", "tree_sitter"
_PURPOSE = "reading code"
_LOOKED_AT_LINES = 200


class CodeLanguage(NamedTuple):
    """A language, and where functions stand in its trees."""

    name: str
    module: str
    """The package of its grammar."""
    endings: tuple[str, ...]
    """Of names of files."""
    marks: re.Pattern[str]
    """Lines by which a text is known to be in this language."""
    functions: frozenset[str]
    """Kinds of nodes that declare a function with a body."""
    inner_functions: frozenset[str] = frozenset()
    """Functions without a name, which may stand around others."""
    grammar: str = "language"
    """The function of the package that gives the grammar."""
    has_braces: bool = True
    """Whether a line of its own may end a body."""


_JAVASCRIPT = frozenset({"function_declaration", "generator_function_declaration", "method_definition"})
_ARROWS = frozenset({"arrow_function", "function_expression", "generator_function"})
_JAVASCRIPT_MARKS = (
    r"(?:import\b.*\bfrom ['\"]|import ['\"]|export (?:default |async |const |function |class )|"
    r"(?:async )?function\*? \w+\(|"
    r"(?:const|let|var) \w+ = (?:require\(|async |\(|function))"
)
LANGUAGES = (
    CodeLanguage(
        "python",
        "tree_sitter_python",
        (".py", ".pyi"),
        re.compile(r"(?:def \w+\(|class \w+[(:]|from [\w.]+ import |import [\w.]+(?: as \w+)?$|\s+def \w+\(self)"),
        frozenset({"function_definition"}),
        has_braces=False,
    ),
    CodeLanguage(
        "go",
        "tree_sitter_go",
        (".go",),
        re.compile(r"(?:package \w+$|func (?:\([^)]*\) )?\w+[\[(]|type \w+ (?:struct|interface) \{)"),
        frozenset({"function_declaration", "method_declaration"}),
        frozenset({"func_literal"}),
    ),
    CodeLanguage(
        "rust",
        "tree_sitter_rust",
        (".rs",),
        re.compile(
            r"\s*(?:(?:pub(?:\(\w+\))? )?(?:async )?fn \w+[<(]|use [\w:]+::.*;|impl\b.*\{|(?:pub )?(?:struct|enum) \w+)"
        ),
        frozenset({"function_item"}),
        frozenset({"closure_expression"}),
    ),
    CodeLanguage(
        "java",
        "tree_sitter_java",
        (".java",),
        re.compile(
            r"\s*(?:package [\w.]+;|import (?:static )?[\w.*]+;|"
            r"(?:public|private|protected) .*\b(?:class|interface|void)\b)"
        ),
        frozenset({"method_declaration", "constructor_declaration"}),
        frozenset({"lambda_expression"}),
    ),
    CodeLanguage(
        "typescript",
        "tree_sitter_typescript",
        (".ts", ".mts", ".cts"),
        re.compile(
            r"(?:(?:export )?(?:interface \w+|type \w+(?:<.*>)? =|(?:abstract )?class \w+|enum \w+)|import type |"
            r".*\bfunction \w+\(.*\w: \w|\s+(?:private|public|readonly) \w+)"
        ),
        _JAVASCRIPT,
        _ARROWS,
        "language_typescript",
    ),
    CodeLanguage("tsx", "tree_sitter_typescript", (".tsx",), re.compile(r"(?!)"), _JAVASCRIPT, _ARROWS, "language_tsx"),
    CodeLanguage(
        "javascript",
        "tree_sitter_javascript",
        (".js", ".jsx", ".mjs", ".cjs"),
        re.compile(_JAVASCRIPT_MARKS),
        _JAVASCRIPT,
        _ARROWS,
    ),
)
FEWEST_MARKS = 3
"""Lines that show a language, from which on a text is taken to be in it."""


def language_of_name(name: str) -> CodeLanguage | None:
    """The language of a file, by its name; None: none of these."""
    lower = name.lower()
    return next((one for one in LANGUAGES if lower.endswith(one.endings)), None)


def language_of_text(text: str) -> CodeLanguage | None:
    """The language of a text, by how its first lines begin; None: it shows none, or not enough of one. Whether it is
    right, only reading it says.
    """
    lines = text.split("\n", _LOOKED_AT_LINES)[:_LOOKED_AT_LINES]
    counts = {one.name: sum(one.marks.match(line) is not None for line in lines) for one in LANGUAGES}
    if counts["typescript"]:  # most lines of it are JavaScript, too
        counts["typescript"] += counts["javascript"]
    best = max(LANGUAGES, key=lambda one: counts[one.name])
    return best if counts[best.name] >= FEWEST_MARKS else None


def why_unread() -> str:
    """Why no code can be read here, and what to type; empty: it can be."""
    return "" if is_installed(PACKAGE) else str(missing_extra(EXTRA, _PURPOSE))


@cache
def parser_of(language: CodeLanguage) -> Any:
    """A parser for a language.

    Raises:
        UserError: the packages are not installed; the message says what to type.
    """
    tree_sitter = load_extra(EXTRA, _PURPOSE, PACKAGE)
    grammar = load_extra(EXTRA, _PURPOSE, language.module)
    return tree_sitter.Parser(tree_sitter.Language(getattr(grammar, language.grammar)()))
