"""Tags as platforms have them in their exports."""

from collections.abc import Iterable
from typing import Any

from modicum.providers.fields import label

MOST_TAG_CHARACTERS = 200
"""A longer value is no tag but content, and content is not kept."""


def tags(values: Iterable[Any]) -> dict[str, str]:
    """Tags from a list as platforms have it: `team:search` and `team=search` are named, a bare one is `true`."""
    found = {}
    for value in values:
        name = label(value)
        for mark in (":", "="):
            key, split, inner = name.partition(mark)
            if split and key and inner:
                name = key
                found[key.strip()] = inner.strip()[:MOST_TAG_CHARACTERS]
                break
        else:
            if name and len(name) <= MOST_TAG_CHARACTERS:
                found[name] = "true"
    return found


def named(**values: Any) -> dict[str, str]:
    """Tags of these names, without the empty ones."""
    return {
        name: found for name, value in values.items() if (found := label(value)) and len(found) <= MOST_TAG_CHARACTERS
    }
