"""Whether an entry of the price list is for a name, or for another model whose name begins alike.

The list finds many models by the beginning of a name, or by a part of it: `claude-haiku-4-5-20251001` is a
`claude-haiku-4-5`, and that is meant. But `gemini-3.6-flash-image` also begins with `gemini-3.6-flash`, and costs
something else. What follows must be a version: a date, a revision, a way of serving that changes no price.
"""

import re
from collections.abc import Iterator
from typing import Any

_DATE = r"20\d{6}|20\d{2}-\d{2}-\d{2}|\d{2}-\d{2}-20\d{2}|20\d{2}-\d{2}|\d{2}-20\d{2}|\d{2}-\d{2}|\d{4}|00\d"
_VERSION = re.compile(
    rf"(?:^|[-@:_])(?:{_DATE}|v\d+(?:\.\d+)?(?::\d+)?(?::\d+k)?|v?\d:\d+k?|latest|default|preview|exp|maas|\d:\d|0)(?=$|[-@:_\[])"
    r"|\[1m\]"
)
_BEFORE = re.compile(
    r"(?:arn:[^/]*/|.*/)?(?:(?:us|eu|apac|jp|au|ca|sa|in|me|af|mx|us-gov|global)\.)?(?:anthropic\.|openai\.)?"
)


def is_named(match: Any, name: str) -> bool:
    """Whether one of the ways in which an entry matches a name leaves nothing of it but versions."""
    lowered = name.lower()
    return any(_is_version_of(clause, lowered) for clause in _matching(match, lowered))


def _matching(match: Any, name: str) -> Iterator[Any]:
    """The clauses at the ends that match the name. The list writes compact dates with hyphens before it gives up."""
    parts = getattr(match, "or_", None) or getattr(match, "and_", None)
    if parts is not None:
        for part in parts:
            yield from _matching(part, name)
    elif match.is_match(name) or match.is_match(_with_hyphens(name)):
        yield match


def _is_version_of(clause: Any, name: str) -> bool:
    (text,) = vars(clause).values()
    literal = text.lower()
    if hasattr(clause, "equals"):
        return True
    if hasattr(clause, "regex"):
        return not literal.startswith("^(?!")  # one that only forbids says nothing of what the name is
    if literal.startswith("ft:"):
        return True  # what follows is the customer's
    at = name.find(literal)
    return bool(_BEFORE.fullmatch(name[:at])) and is_version(name[at + len(literal) :])


def is_version(rest: str) -> bool:
    return not _VERSION.sub("", rest).strip("-@:")


def _with_hyphens(name: str) -> str:
    return re.sub(r"-(20\d{2})(\d{2})(\d{2})$", r"-\1-\2-\3", name)
