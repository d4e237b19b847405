"""Requests in full out of a file of recorded traffic, for rules that read them: bodies alone, or pairs with replies.

Read while they pass, and kept nowhere.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from modicum.calls import Problem
from modicum.calls.words.counted_nouns import number_of
from modicum.importers.recorded.anthropic import body_of
from modicum.importers.recorded.exchanges import RecordedExchange, exchanges, file_time
from modicum.insights.rules.recorded_requests import RecordedRequest
from modicum.providers.anthropic_messages import usage as anthropic_usage
from modicum.providers.anthropic_messages.dialect import DIALECT as ANTHROPIC
from modicum.providers.fields import mapping, text
from modicum.providers.openai import usage as openai_usage
from modicum.providers.openai.recorded import joined
from modicum.providers.openai_chat.dialect import DIALECT as CHAT
from modicum.providers.openai_responses.dialect import DIALECT as RESPONSES

_NO_REQUEST = "no request of OpenAI's or Anthropic's with its messages: not looked at"


def read_requests(path: Path) -> Iterator[RecordedRequest | Problem]:
    """The requests of a file, in its order, and what is wrong with it."""
    timeless = 0
    for found in exchanges(path):
        if isinstance(found, Problem):
            yield found
            continue
        request, response = found.request, found.response
        if not request and ("messages" in response or "input" in response):
            request, response = response, {}  # a body alone
        dialect, model = _dialect_of(request, response, found), text(request.get("model"))
        if not dialect or not model:
            yield Problem(str(path), _NO_REQUEST, found.line)
            continue
        started = found.times()[0]
        timeless += started is None
        try:
            prompt_tokens, cache_read = _counted(dialect, found, response)
        except (ValueError, RecursionError):
            prompt_tokens = cache_read = None
        at = started or file_time(path)
        yield RecordedRequest(at, dialect, model, msgspec.json.encode(request), prompt_tokens, cache_read)
    if timeless:
        yield Problem(
            str(path),
            f"{number_of(timeless, 'request has', 'requests have')} no time: taken for sent at once, in the file's "
            "order, when it was written, so no cache is lost between them",
        )


def _dialect_of(request: Mapping[str, Any], response: Mapping[str, Any], exchange: RecordedExchange) -> str:
    """By the address, else by the reply, else by the request's own words; empty: it is none of these."""
    if isinstance(request.get("input"), list | str):
        return RESPONSES.name
    if not isinstance(request.get("messages"), list):
        return ""
    if exchange.url.rstrip("/").endswith("/chat/completions") or "choices" in response:
        return CHAT.name
    is_anthropic = (
        exchange.url.rstrip("/").endswith("/messages")
        or text(response.get("type")) == "message"
        or "system" in request
        or text(request.get("model")).startswith("claude")
    )
    return ANTHROPIC.name if is_anthropic else CHAT.name


def _counted(dialect: str, exchange: RecordedExchange, response: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Tokens of the prompt and those read from the cache, as the provider counted them; None: no count is there."""
    if dialect == ANTHROPIC.name:
        counts = mapping(body_of(exchange).get("usage"))
        usage = anthropic_usage.usage_from(counts)
    else:
        counts = mapping((joined(exchange.events) if exchange.events else response).get("usage"))
        usage = openai_usage.usage_from(counts)
    return (usage.prompt_tokens, usage.cache_read) if counts else (None, None)
