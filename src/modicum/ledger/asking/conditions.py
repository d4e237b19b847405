"""Which calls a question is about: `$where` in its text stands for what calls must have in some dimensions."""

from collections.abc import Mapping
from typing import Any

from modicum.calls.errors import accepted_are
from modicum.calls.words.counted_nouns import number_of

COLUMNS = {
    "model": "model",
    "source": "source",
    "provider": "provider",
    "project": "project",
    "branch": "branch",
    "task": "task",
    "agent": "agent",
    "team": "team",
    "app": "app",
    "user": "user_name",
    "key": "key_name",
    "tier": "tier",
    "status": "status",
    "place": "place",
}
"""The dimensions that calls can be chosen by, each with its column."""
TAG = "tag:"
WHERE = "$where"


def restrict(text: str, parameters: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The question with its conditions written out, and the parameters with their values.

    Args:
        text: a question, as its file has it.
        parameters: what was asked for; `where` holds names by dimension, as `{"team": "search", "tag:kind": "chat"}`.

    Raises:
        ValueError: calls cannot be chosen by one of the dimensions, or a name is no text.
    """
    values = dict(parameters)
    where = values.pop("where", None) or {}
    if WHERE not in text:
        if where:
            raise ValueError("this question is about all calls: it takes no conditions")
        return text, values
    conditions = []
    for number, (dimension, name) in enumerate(sorted(where.items())):
        letter = chr(ord("a") + number)
        if not isinstance(name, str):
            raise ValueError(f"the name of {dimension!r:.40} is no text")  # noqa: TRY004 - bad data
        if dimension.startswith(TAG):
            conditions.append(f"tag_value(tags, $where_tag_{letter}) = $where_{letter}")
            values[f"where_tag_{letter}"] = dimension.removeprefix(TAG)
        elif dimension in COLUMNS:
            conditions.append(f"{COLUMNS[dimension]} = $where_{letter}")
        else:
            raise ValueError(f"calls cannot be chosen by {dimension!r:.40}; {accepted_are([*COLUMNS, TAG + 'NAME'])}")
        values[f"where_{letter}"] = name
    if len(where) > _MOST:
        raise ValueError(f"{number_of(len(where), 'condition')} at once; {_MOST} are the most")
    return text.replace(WHERE, " AND ".join(conditions) or "1 = 1"), values


_MOST = 20
