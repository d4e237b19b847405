"""The mock provider: a request in, an answer out. The server around it keeps connections and delays."""

import hashlib
from collections.abc import Callable, Iterable
from functools import partial
from typing import NamedTuple

import msgspec

from modicum.calls import Usage
from modicum.providers.body_parsing import encode, parse_request_object
from modicum.providers.dialect import Dialect
from modicum.providers.facts import DialectError
from modicum.providers.mock.options import MockOptions
from modicum.providers.mock.prompt_cache import PromptCache, tokens_of
from modicum.providers.mock.reply_plan import MockRequest, plan_reply
from modicum.providers.openai.multipart import form_texts, is_form
from modicum.providers.planned_reply import PlannedReply

JSON = "application/json"

ERRORS = {
    "rate_limited": (429, "the mock provider is asked for a rate limit", "rate_limit_exceeded"),
    "overloaded": (503, "the mock provider is asked to be overloaded", "overloaded"),
    "server_error": (500, "the mock provider is asked for an error", "server_error"),
}


def _do_nothing() -> None:
    pass


class MockReply(NamedTuple):
    status: int
    content_type: str
    parts: tuple[bytes, ...]
    """A whole body as one part, a stream as its events."""
    headers: tuple[tuple[str, str], ...] = ()
    breaks_off: bool = False
    """Whether the connection is to be cut after the last part, without a regular end."""
    is_silent: bool = False
    """Whether nothing is sent at all."""
    begins: Callable[[], None] = _do_nothing
    """To be called when its first byte is sent: only then others can read what it has written to the cache."""
    model: str = ""
    """Whose reply it is; empty: no model's."""
    usage: Usage | None = None
    """What it is billed for."""


class MockProvider:
    """Remembers prompts for its cache, and how many calls it has had. `salt` keeps the ids of two of them apart."""

    def __init__(self, salt: bytes = b"") -> None:
        self._salt = salt
        self._cache = PromptCache()
        self._calls = 0

    def answer(self, dialect: Dialect, body: bytes, path: str, options: MockOptions, created: int) -> MockReply:
        """What a call gets. `path` with its query, for Gemini's is in it; `created` in seconds since 1970."""
        try:
            request = _parse_request(dialect, body, path)
        except DialectError as wrong:
            return MockReply(wrong.status, JSON, (dialect.error(wrong.status, wrong.message, wrong.kind),))
        facts = request.facts
        self._calls += 1
        if options.fault and self._lot() >= options.fault_percent:
            options = msgspec.structs.replace(options, fault="")
        if (broken := _broken_reply(dialect, options.fault)) is not None:
            return broken
        total = sum(map(tokens_of, request.blocks))
        longest, beginnings = self._cache.look_up(dialect.name + facts.model, request.blocks)
        prompt = dialect.mock.prompt(total, lambda: longest, body)
        begins: Callable[[], None] = partial(self._cache.remember, beginnings)
        if not options.delay_ms:
            begins()
            begins = _do_nothing
        seed = self._salt + self._calls.to_bytes(8, "big")
        plan = plan_reply(request, prompt, options, seed, created)
        reply = _reply(dialect, plan, options, path, streams=facts.stream)
        return reply._replace(model=facts.model, usage=plan.usage, begins=begins)

    def _lot(self) -> int:
        """A number in 0..99, another one for each call."""
        digest = hashlib.blake2b(self._salt + self._calls.to_bytes(8, "big"), digest_size=8).digest()
        return int.from_bytes(digest, "big") % 100

    def count(self, dialect: Dialect, body: bytes, path: str) -> MockReply:
        """What a call of Anthropic's count_tokens or Gemini's countTokens gets."""
        try:
            dialect.request(body, path)
            tokens = sum(map(tokens_of, dialect.segments(body)))
        except DialectError as wrong:
            return MockReply(wrong.status, JSON, (dialect.error(wrong.status, wrong.message, wrong.kind),))
        return MockReply(200, JSON, (encode(dialect.mock.count(tokens)),))


def models(dialect: Dialect, names: Iterable[str], created: int) -> MockReply:
    """The list of models in a dialect."""
    return MockReply(200, JSON, (encode(dialect.mock.models(names, created)),))


def _parse_request(dialect: Dialect, body: bytes, path: str) -> MockRequest:
    """The request, as far as a reply depends on it.

    Raises:
        DialectError: it is no request, or bounds its reply as no provider takes it.
    """
    facts = dialect.request(body, path)
    if facts.most_output_tokens is None and dialect.mock.bound_missing:
        raise DialectError(400, dialect.mock.bound_missing)
    if facts.most_output_tokens is not None and facts.most_output_tokens < 1:
        raise DialectError(400, "the bound on output tokens is less than 1")
    request, rules = form_texts(body) if is_form(body) else parse_request_object(body), dialect.mock
    tools = tuple(rules.tools(request))
    chosen = rules.chosen_tool(request)
    return MockRequest(facts, request, dialect.segments(body), tools, rules.forces_tool(request), chosen, path)


def _reply(dialect: Dialect, plan: PlannedReply, options: MockOptions, path: str, *, streams: bool) -> MockReply:
    if streams:
        return _stream_reply(dialect, plan, options, is_array="alt=sse" not in path)
    reply = dialect.writer.whole(plan)
    if options.fault == "broken_off":
        return MockReply(200, JSON, (reply[: len(reply) // 2],), breaks_off=True)
    return MockReply(200, JSON, (reply,))


def _broken_reply(dialect: Dialect, fault: str) -> MockReply | None:
    """What is answered in place of a reply; None: there will be one."""
    if fault == "silent":
        return MockReply(200, JSON, (), is_silent=True)
    if fault in {"garbage", "empty"}:
        return MockReply(200, "text/html", (b"<html><body>Bad Gateway</body></html>",) if fault == "garbage" else ())
    return _error(dialect, fault) if fault in ERRORS else None


def _error(dialect: Dialect, fault: str) -> MockReply:
    status, message, kind = ERRORS[fault]
    if fault == "overloaded":
        status = dialect.overloaded_status
    headers = (("retry-after", "1"),) if status != ERRORS["server_error"][0] else ()
    return MockReply(status, JSON, (dialect.error(status, message, kind),), headers)


def _stream_reply(dialect: Dialect, plan: PlannedReply, options: MockOptions, *, is_array: bool) -> MockReply:
    array = dialect.writer.array if is_array else None
    parts = tuple(dialect.writer.events(plan) if array is None else array(plan))
    content_type = dialect.writer.content_type(plan) if array is None else JSON
    if options.fault == "broken_off":
        half = len(parts) // 2
        return MockReply(200, content_type, (*parts[:half], parts[half][: len(parts[half]) // 2]), breaks_off=True)
    if options.fault == "error_event":
        status, message, kind = ERRORS["server_error"]
        return MockReply(200, content_type, (*parts[: len(parts) // 2], dialect.error_event(status, message, kind)))
    return MockReply(200, content_type, parts)
