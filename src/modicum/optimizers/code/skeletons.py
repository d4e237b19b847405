"""The skeleton of a file of code: what it declares, without bodies of functions. Pure.

Left are all lines outside of functions, signatures, the first line of a docstring, and in bodies the lines that hold
rare words of a question, with their neighbours. What cannot be read as code of its language has no skeleton.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from modicum.optimizers.code.languages import CodeLanguage, parser_of

MOST_ERRORS_SHARE = 0.02
"""Of a text's bytes that no grammar explains; above it the text is something else."""
FEWEST_LINES = 4
"""Of a gap; a note takes the place of one line and more."""
AROUND_LINES = 1
"""Kept on either side of a line that bears on the question."""
RARE_SHARE = 0.02
"""Of a text's lines: words that more of them hold tell nothing."""
RARE_LINES = 6
MOST_LEVELS = 20
"""Of functions without a name in each other; deeper ones go with the one around them."""
MOST_CHARACTERS, LONGEST_LINE = 150_000, 2_000
"""Of a text, in characters; longer ones have no skeleton, because reading them would hold up other calls."""
MOST_CONTINUED = 2_000
"""Lines that end in a backslash: the grammar of Python takes four times as long for twice as many in a row."""
_WORD = re.compile(r"\w{3,}")


class CodeGap(NamedTuple):
    """Lines that can go, by their numbers from 0."""

    first: int
    behind: int
    """The first line that stays."""


def skeleton_gaps(code: str, language: CodeLanguage, question: str = "") -> list[CodeGap]:
    """The runs of lines that the skeleton leaves out, in their order; none where the text is not code of this language.

    Args:
        code: the text of a file, or of a part of it.
        language: of the code.
        question: what is to be answered; lines with its words stay.

    Raises:
        UserError: the packages that read code are not installed; the message says what to type.
    """
    lines = code.split("\n")
    if len(code) > MOST_CHARACTERS or max(map(len, lines)) > LONGEST_LINE:
        return []
    if sum(line.endswith(("\\", "\\\r")) for line in lines) > MOST_CONTINUED:
        return []
    encoded = code.encode("utf-8", "replace")
    root = parser_of(language).parse(encoded).root_node
    if root.has_error and _errors(root) > MOST_ERRORS_SHARE * len(encoded):
        return []
    near_question = _lines_near_question(lines, question)
    return [gap for body in _bodies(root, language) for gap in _gaps_in(body, near_question)]


def _errors(root: Any) -> int:
    """Bytes of what the grammar does not explain."""
    size, nodes = 0, [root]
    while nodes:
        node = nodes.pop()
        if node.is_error:
            size += node.end_byte - node.start_byte
        elif node.has_error:
            nodes += node.children
    return size


def _bodies(root: Any, language: CodeLanguage, level: int = 0) -> Iterator[CodeGap]:
    """The lines inside of each outermost function; of functions without a name, of each innermost one."""
    nodes = [root]
    while nodes:
        node = nodes.pop()
        body = node.child_by_field_name("body") if node.type in language.functions | language.inner_functions else None
        if body is None:
            nodes += reversed(node.named_children)
            continue
        if node.type in language.inner_functions and level < MOST_LEVELS:
            inner = list(_bodies(body, language, level + 1))
            if inner:
                yield from inner
                continue
        yield _inside(node, body, language)


def _inside(node: Any, body: Any, language: CodeLanguage) -> CodeGap:
    first, last = body.start_point.row, body.end_point.row
    if language.has_braces:
        return CodeGap(first + 1, last)
    if first == node.start_point.row:  # on the line of its signature
        return CodeGap(first, first)
    statement = body.named_children[0] if body.named_children else None
    inner = statement.named_children[0] if statement is not None and statement.named_children else statement
    has_docstring = inner is not None and inner.type == "string"
    return CodeGap(first + has_docstring, last + 1)


def _lines_near_question(lines: Sequence[str], question: str) -> set[int]:
    """Those that hold a rare word of the question, and their neighbours."""
    asked_for = {word.lower() for word in _WORD.findall(question)}
    if not asked_for:
        return set()
    shared = [asked_for.intersection(map(str.lower, _WORD.findall(line))) for line in lines]
    common = Counter(word for words in shared for word in words)
    most = max(RARE_LINES, RARE_SHARE * len(lines))
    near_question: set[int] = set()
    for number, words in enumerate(shared):
        if any(common[word] <= most for word in words):
            near_question.update(range(number - AROUND_LINES, number + AROUND_LINES + 1))
    return near_question


def _gaps_in(body: CodeGap, near_question: set[int]) -> Iterator[CodeGap]:
    """The lines of a body without those near the question."""
    first = body.first
    for number in range(body.first, body.behind + 1):
        if number in near_question or number == body.behind:
            if number - first >= FEWEST_LINES:
                yield CodeGap(first, number)
            first = number + 1
