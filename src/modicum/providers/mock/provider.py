"""The mock provider: a request in, an answer out. The server around it keeps connections and delays."""

from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

from modicum.providers.body_parsing import encode, parse_request_object
from modicum.providers.dialect import Dialect
from modicum.providers.facts import DialectError
from modicum.providers.mock.plan import Asked, planned
from modicum.providers.mock.prompt_cache import PromptCache, tokens_of
from modicum.providers.mock.wanted import Wanted
from modicum.providers.planned_reply import PlannedReply

JSON = "application/json"
EVENTS = "text/event-stream"

ERRORS = {
    "rate_limited": (429, "the mock provider is asked for a rate limit", "rate_limit_exceeded"),
    "overloaded": (503, "the mock provider is asked to be overloaded", "overloaded"),
    "server_error": (500, "the mock provider is asked for an error", "server_error"),
}


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
        total = sum(map(tokens_of, asked.blocks))
        cached = partial(self._cache.longest_seen, dialect.name + facts.model, asked.blocks)
        prompt = dialect.mock.prompt(total, cached, body)
        seed = self._salt + self._calls.to_bytes(8, "big")
        plan = planned(asked, prompt, wanted, seed, created)
        if facts.stream:
            return _streamed(dialect, plan, wanted, is_array="alt=sse" not in path)
        reply = dialect.writer.whole(plan)
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
        return Answer(200, JSON, (encode(dialect.mock.count(tokens)),))


def models(dialect: Dialect, names: Iterable[str], created: int) -> Answer:
    """The list of models in a dialect."""
    return Answer(200, JSON, (encode(dialect.mock.models(names, created)),))


def _asked(dialect: Dialect, body: bytes, path: str) -> Asked:
    """Raises:
    DialectError: it is no request, or bounds its reply as no provider takes it.
    """
    facts = dialect.request(body, path)
    if facts.most_output_tokens is None and dialect.mock.bound_missing:
        raise DialectError(400, dialect.mock.bound_missing)
    if facts.most_output_tokens is not None and facts.most_output_tokens < 1:
        raise DialectError(400, "the bound on output tokens is less than 1")
    request, rules = parse_request_object(body), dialect.mock
    tools = tuple(rules.tools(request))
    return Asked(facts, request, dialect.segments(body), tools, rules.forces_tool(request))


def _error(dialect: Dialect, fault: str) -> Answer:
    status, message, kind = ERRORS[fault]
    if fault == "overloaded":
        status = dialect.overloaded_status
    headers = (("retry-after", "1"),) if status != ERRORS["server_error"][0] else ()
    return Answer(status, JSON, (dialect.error(status, message, kind),), headers)


def _streamed(dialect: Dialect, plan: PlannedReply, wanted: Wanted, *, is_array: bool) -> Answer:
    array = dialect.writer.array if is_array else None
    parts = tuple(dialect.writer.events(plan) if array is None else array(plan))
    content_type = EVENTS if array is None else JSON
    if wanted.fault == "broken_off":
        half = len(parts) // 2
        return Answer(200, content_type, (*parts[:half], parts[half][: len(parts[half]) // 2]), breaks_off=True)
    if wanted.fault == "error_event":
        status, message, kind = ERRORS["server_error"]
        return Answer(200, content_type, (*parts[: len(parts) // 2], dialect.error_event(status, message, kind)))
    return Answer(200, content_type, parts)
