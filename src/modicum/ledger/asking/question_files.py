"""Questions: one SQL file each in `questions/`, the same text on both engines, with `$name` for what is asked for."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from modicum.calls.outside.storable import storable
from modicum.ledger.asking.conditions import restrict
from modicum.ledger.asking.figure_rows import figure_rows
from modicum.ledger.asking.several_dimensions import join_dimensions

RowChoice = Callable[[str, Mapping[str, Any]], tuple[str, dict[str, Any]]]
"""Writes out `$figures` in a question (`figure_rows`)."""
_PARAMETER = re.compile(r"\$([a-z_]+)")


@cache
def question_text(name: str) -> str:
    """The SQL of a question, as its file has it.

    Raises:
        FileNotFoundError: there is no such question.
    """
    return (files("modicum.ledger") / "questions" / f"{name}.sql").read_text(encoding="utf-8")


@cache
def _plain_text(name: str) -> str:
    return without_comments(question_text(name))


def prepare(question: str, parameters: Mapping[str, Any], rows: RowChoice = figure_rows) -> tuple[str, dict[str, Any]]:
    """The SQL of a question and the values that it binds. Of `parameters`, `where` chooses calls by what they have in
    some dimensions, in questions that can be asked about some calls only (`conditions.restrict`); `by` and `tag` may be
    lists (`join_dimensions`). `rows` says what the question reads where it adds up figures.

    Raises:
        KeyError: a parameter that the question needs was not given.
        ValueError: `where` is none that the question can take.
    """
    text, values = join_dimensions(*restrict(*rows(_plain_text(question), parameters)))
    bound = {name: values[name] for name in sorted(set(_PARAMETER.findall(text)))}
    return text, {name: storable(value) if isinstance(value, str) else value for name, value in bound.items()}


def without_comments(sql: str) -> str:
    """Our own files hold no `--` within a text."""
    return "\n".join(line.partition("--")[0] for line in sql.splitlines())
