"""How much a request tells the model to think: an effort in words, or a budget in tokens, as each API writes it."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from modicum.providers.body_parsing import parse_request_object
from modicum.providers.fields import mapping, text
from modicum.providers.openai.multipart import is_form

_EFFORTS = (
    ("reasoning_effort",),
    ("reasoning", "effort"),
    ("output_config", "effort"),
    ("generationConfig", "thinkingConfig", "thinkingLevel"),
    ("generation_config", "thinking_config", "thinking_level"),
)
_BUDGETS = (
    ("thinking", "budget_tokens"),
    ("reasoning", "max_tokens"),
    ("generationConfig", "thinkingConfig", "thinkingBudget"),
    ("generation_config", "thinking_config", "thinking_budget"),
)
"""Servers take fields of several APIs, so all of them are looked at, whatever the dialect."""


class RequestedThinking(NamedTuple):
    efforts: tuple[str, ...] = ()
    """In small letters; none: it is left to the provider."""
    tokens: int | None = 0
    """None: as many as the model likes."""


def requested_thinking(body: bytes) -> RequestedThinking:
    """What a request says of it.

    Raises:
        DialectError: it is not JSON.
    """
    if is_form(body):
        return RequestedThinking((), 0)
    document = parse_request_object(body)
    efforts = tuple(effort.lower() for path in _EFFORTS if (effort := text(_value(document, path))))
    budgets = [value for path in _BUDGETS if isinstance(value := _value(document, path), int | float)]
    if any(value < 0 for value in budgets):
        return RequestedThinking(efforts, None)
    return RequestedThinking(efforts, int(max(budgets, default=0)))


def _value(document: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    *above, last = path
    for name in above:
        document = mapping(document.get(name))
    return document.get(last)
