"""JSON without the white space that says nothing: the same data, byte for byte, in fewer characters."""

import msgspec

from modicum.calls.rule import Safety
from modicum.optimizers.arrival import arrival_rule

_OPENS = ("{", "[")


def minify_json(text: str) -> str:
    """The same JSON without white space between its parts. Numbers, the order of keys, keys that come twice and escapes
    stay as they were written. What is no single JSON value stays as it is.
    """
    try:
        return msgspec.json.format(text.encode(), indent=-1).decode()
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return text


def may_be_json(text: str) -> bool:
    """Whether it begins and ends as an object or a list does."""
    ends = text.strip()
    return ends.startswith(_OPENS) and ends.endswith(("}", "]"))


MINIFY_JSON = arrival_rule(
    "content.json_minify",
    minify_json,
    safety=Safety.LOSSLESS,
    purpose="JSON without white space",
    may_fit=may_be_json,
    changes_form=True,
)
