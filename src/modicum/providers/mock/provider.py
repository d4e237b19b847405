"""The mock provider: a request in, an answer out. The server around it keeps connections and delays."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from modicum.calls import Usage
from modicum.providers.bodies import asked_object, encoded
from modicum.providers.dialect import Dialect, DialectError
from modicum.providers.mock import (
    anthropic_messages,
    gemini_generate,
    openai_chat,
    openai_embeddings,
    openai_responses,
)
from modicum.providers.mock.plan import Asked, Planned, planned
from modicum.providers.mock.prompt_cache import PromptCache, tokens_of
from modicum.providers.mock.wanted import Wanted

JSON = "application/json"
EVENTS = "text/event-stream"

ERRORS = {
    "rate_limited": (429, "the mock provider is asked for a rate limit", "rate_limit_exceeded"),
    "overloaded": (503, "the mock provider is asked to be overloaded", "overloaded"),
    "server_error": (500, "the mock provider is asked for an error", "server_error"),
}
ANTHROPIC_OVERLOADED = 529


class Answer(NamedTuple):
    status: int
    content_type: str
    parts: tuple[bytes, ...]
    """A whole body as one part, a stream as its events."""
    headers: tuple[tuple[str, str], ...] = ()
    breaks_off: bool = False
    """Whether the connection is to be cut after the last part, without a regular end."""


class MockProvider:
    """Remembers prompts for its cache, and how many calls it has had. `salt` keeps the ids of two of them apart."""

    def __init__(self, salt: bytes = b"") -> None:
        self._salt = salt
        self._cache = PromptCache()
        self._calls = 0

    def answer(self, dialect: Dialect, body: bytes, path: str, wanted: Wanted, created: int) -> Answer:
        """What a call gets. `path` with its query, for Gemini's is in it; `created` in seconds since 1970."""
        try:
            asked = _asked(dialect, body, path)
        except DialectError as wrong:
            return Answer(wrong.status, JSON, (dialect.error(wrong.status, wrong.message, wrong.kind),))
        facts = asked.facts
        self._calls += 1
        if wanted.fault in ERRORS:
            return _error(dialect, wanted.fault)
        if wanted.fault in {"garbage", "empty"}:
            return Answer(
                200, "text/html", (b"<html><body>Bad Gateway</body></html>",) if wanted.fault == "garbage" else ()
            )
        prompt = self._cache.prompt(dialect.name, facts.model, asked.blocks, body)
        seed = self._salt + self._calls.to_bytes(8, "big")
        plan = planned(asked, prompt, wanted, seed, created)
        if facts.stream:
            return _streamed(dialect, plan, wanted, is_array=_wants_array(dialect, path))
        reply = _whole(dialect, plan, asked.request)
        if wanted.fault == "broken_off":
            return Answer(200, JSON, (reply[: len(reply) // 2],), breaks_off=True)
        return Answer(200, JSON, (reply,))

    def count(self, dialect: Dialect, body: bytes, path: str) -> Answer:
        """What a call of Anthropic's count_tokens or Gemini's countTokens gets."""
        try:
            dialect.request(body, path)
            tokens = sum(map(tokens_of, dialect.segments(body)))
        except DialectError as wrong:
            return Answer(wrong.status, JSON, (dialect.error(wrong.status, wrong.message, wrong.kind),))
        name = "totalTokens" if dialect.name == "gemini-generate" else "input_tokens"
        return Answer(200, JSON, (encoded({name: tokens}),))


def models(dialect: Dialect, names: Iterable[str], created: int) -> Answer:
    """The list of models in a dialect."""
    if dialect.name == "gemini-generate":
        listed = [{"name": f"models/{name}", "displayName": name} for name in names]
        return Answer(200, JSON, (encoded({"models": listed}),))
    if dialect.name == "anthropic-messages":
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(created))
        data = [{"type": "model", "id": name, "display_name": name, "created_at": at} for name in names]
        ends = {"first_id": data[0]["id"], "last_id": data[-1]["id"]} if data else {"first_id": None, "last_id": None}
        return Answer(200, JSON, (encoded({"data": data, "has_more": False, **ends}),))
    owned = [{"id": name, "object": "model", "created": created, "owned_by": "modicum-mock"} for name in names]
    return Answer(200, JSON, (encoded({"object": "list", "data": owned}),))


def _asked(dialect: Dialect, body: bytes, path: str) -> Asked:
    """Raises:
    DialectError: it is no request, or bounds its reply as no provider takes it.
    """
    facts = dialect.request(body, path)
    if facts.most_output_tokens is None and dialect.name == "anthropic-messages":
        raise DialectError(400, "max_tokens: Field required")
    if facts.most_output_tokens is not None and facts.most_output_tokens < 1:
        raise DialectError(400, "the bound on output tokens is less than 1")
    return Asked(facts, asked_object(body), dialect.segments(body))


def _error(dialect: Dialect, fault: str) -> Answer:
    status, message, kind = ERRORS[fault]
    if fault == "overloaded" and dialect.name == "anthropic-messages":
        status = ANTHROPIC_OVERLOADED
    headers = (("retry-after", "1"),) if status != ERRORS["server_error"][0] else ()
    return Answer(status, JSON, (dialect.error(status, message, kind),), headers)


def _whole(dialect: Dialect, plan: Planned, request: Mapping[str, object]) -> bytes:
    if dialect.name == "openai-embeddings":
        prompt = plan.usage and Usage(plan.usage.prompt_tokens)
        return openai_embeddings.whole(plan._replace(usage=prompt), request)
    return _WHOLE[dialect.name](plan)


def _wants_array(dialect: Dialect, path: str) -> bool:
    return dialect.name == "gemini-generate" and "alt=sse" not in path


def _streamed(dialect: Dialect, plan: Planned, wanted: Wanted, *, is_array: bool) -> Answer:
    parts = tuple(gemini_generate.array(plan) if is_array else _EVENTS[dialect.name](plan))
    content_type = JSON if is_array else EVENTS
    if wanted.fault == "broken_off":
        half = len(parts) // 2
        return Answer(200, content_type, (*parts[:half], parts[half][: len(parts[half]) // 2]), breaks_off=True)
    if wanted.fault == "error_event":
        status, message, kind = ERRORS["server_error"]
        return Answer(200, content_type, (*parts[: len(parts) // 2], dialect.error_event(status, message, kind)))
    return Answer(200, content_type, parts)


_WHOLE: dict[str, Callable[[Planned], bytes]] = {
    "openai-chat": openai_chat.whole,
    "openai-responses": openai_responses.whole,
    "anthropic-messages": anthropic_messages.whole,
    "gemini-generate": gemini_generate.whole,
}
_EVENTS: dict[str, Callable[[Planned], Iterator[bytes]]] = {
    "openai-chat": openai_chat.events,
    "openai-responses": openai_responses.events,
    "anthropic-messages": anthropic_messages.events,
    "gemini-generate": gemini_generate.events,
}
