"""Questions: one SQL file each in `questions/`, the same text on both engines, with `$name` for what is asked for."""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from modicum.calls.outside.storable import storable

_PARAMETER = re.compile(r"\$([a-z_]+)")


@cache
def question_text(name: str) -> str:
    """The SQL of a question, as its file has it.

    Raises:
        FileNotFoundError: there is no such question.
    """
    return (files("modicum.ledger") / "questions" / f"{name}.sql").read_text(encoding="utf-8")


@cache
def parameters_of(name: str) -> frozenset[str]:
    """The `$names` that a question binds."""
    return frozenset(_PARAMETER.findall(without_comments(question_text(name))))


def bind(question: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that the question asks for.

    Raises:
        KeyError: one of them was not given.
    """
    values = {name: parameters[name] for name in parameters_of(question)}
    return {name: storable(value) if isinstance(value, str) else value for name, value in values.items()}


def without_comments(sql: str) -> str:
    """Our own files hold no `--` within a text."""
    return "\n".join(line.partition("--")[0] for line in sql.splitlines())
