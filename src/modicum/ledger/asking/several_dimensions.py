"""Questions by several dimensions at once: `$by` and `$tag` may be lists, and then names are joined."""

import re
from collections.abc import Mapping
from typing import Any

BETWEEN = "\x1f"
"""Between the names of a call in several dimensions: the unit separator. A name that has one is given a space there."""
DIMENSION = re.compile(r"dimension\(\s*\$by, \$tag, \$zone,((?:[^()]|\([^()]*\))*)\)")


def join_dimensions(text: str, parameters: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The question with its dimensions written out, and the parameters with their values.

    Args:
        text: a question, as its file has it.
        parameters: what is bound; `by` and `tag` are texts, or lists of the same length.

    Raises:
        ValueError: the question has no dimension, or the lists are none that fit.
    """
    values = dict(parameters)
    by = values.get("by")
    if by is None or isinstance(by, str):
        return text, values
    tags = values["tag"]
    if not isinstance(by, list | tuple) or not isinstance(tags, list | tuple) or not 0 < len(by) == len(tags):
        raise ValueError("'by' and 'tag' are lists of different lengths")
    columns = DIMENSION.search(text)
    if columns is None:
        raise ValueError("this question has no dimension: it cannot have several")
    names = []
    for number, (one, tag) in enumerate(zip(by, tags, strict=True)):
        letter = chr(ord("a") + number)
        names.append(f"dimension($by_{letter}, $tag_{letter}, $zone,{columns[1]})")
        values |= {f"by_{letter}": str(one), f"tag_{letter}": str(tag)}
    values["between"] = BETWEEN
    parts = [f"replace({name}, $between, ' ')" for name in names]
    joined = names[0] if len(names) == 1 else f"concat({', $between, '.join(parts)})"
    return DIMENSION.sub(lambda _: joined, text), values
