"""The translations that there are, by the dialects of caller and upstream.

OpenAI chat is the middle: what has no way of its own goes through it.
"""

from collections.abc import Callable
from typing import NamedTuple

from modicum.providers.anthropic_messages.dialect import DIALECT as ANTHROPIC
from modicum.providers.dialect import Dialect
from modicum.providers.gemini_generate.dialect import DIALECT as GEMINI
from modicum.providers.openai_chat.dialect import DIALECT as OPENAI
from modicum.providers.openai_responses.dialect import DIALECT as RESPONSES
from modicum.providers.translation import (
    anthropic_to_openai,
    errors,
    openai_to_anthropic,
    openai_to_gemini,
    replies_for_anthropic,
    replies_for_openai,
    replies_for_responses,
    replies_from_gemini,
    responses_to_openai,
)
from modicum.providers.translation.gemini_door import replies as gemini_replies
from modicum.providers.translation.gemini_door import requests as gemini_requests
from modicum.providers.translation.gemini_door.replies import StreamForGemini
from modicum.providers.translation.hosted.claude import ClaudeOn, Unframed
from modicum.providers.translation.replies_for_anthropic import StreamForAnthropic
from modicum.providers.translation.replies_for_openai import StreamForOpenAI
from modicum.providers.translation.replies_for_responses import StreamForResponses
from modicum.providers.translation.replies_from_gemini import StreamFromGemini
from modicum.providers.translation.translation import StreamTranslation, Translated, Translation, left_out_names

NONE_CUSTOM: frozenset[str] = frozenset()


class OpenAIToAnthropic:
    """The caller speaks OpenAI chat, the upstream Anthropic messages."""

    caller = OPENAI.name
    upstream = ANTHROPIC.name

    def request(self, body: bytes, model: str) -> Translated:
        return openai_to_anthropic.request(body, model)

    def reply(self, body: bytes, created: int, custom_tools: frozenset[str] = NONE_CUSTOM) -> bytes:
        return replies_for_openai.reply(body, created, custom_tools)

    def stream(self, usage_asked: bool, created: int, custom_tools: frozenset[str] = NONE_CUSTOM) -> StreamTranslation:
        return StreamForOpenAI(usage_asked=usage_asked, created=created, custom_tools=custom_tools)

    def error(self, status: int, body: bytes) -> tuple[int, bytes]:
        return errors.error(OPENAI, status, body)


class OpenAIToGemini:
    """The caller speaks OpenAI chat, the upstream Gemini's generateContent."""

    caller = OPENAI.name
    upstream = GEMINI.name

    def request(self, body: bytes, model: str) -> Translated:
        return openai_to_gemini.request(body, model)

    def reply(self, body: bytes, created: int, custom_tools: frozenset[str] = NONE_CUSTOM) -> bytes:
        return replies_from_gemini.reply(body, created, custom_tools)

    def stream(self, usage_asked: bool, created: int, custom_tools: frozenset[str] = NONE_CUSTOM) -> StreamTranslation:
        return StreamFromGemini(usage_asked=usage_asked, created=created, custom_tools=custom_tools)

    def error(self, status: int, body: bytes) -> tuple[int, bytes]:
        return errors.error(OPENAI, status, body)


class AnthropicToOpenAI:
    """The caller speaks Anthropic messages, the upstream OpenAI chat."""

    caller = ANTHROPIC.name
    upstream = OPENAI.name

    def __init__(self, bound: str = "max_completion_tokens") -> None:
        self._bound = bound

    def request(self, body: bytes, model: str) -> Translated:
        return anthropic_to_openai.request(body, model, self._bound)

    def reply(self, body: bytes, created: int, custom_tools: frozenset[str] = NONE_CUSTOM) -> bytes:
        return replies_for_anthropic.reply(body, created, custom_tools)

    def stream(
        self,
        usage_asked: bool,  # noqa: ARG002 - usage comes unasked
        created: int,  # noqa: ARG002 - messages carry no time
        custom_tools: frozenset[str] = NONE_CUSTOM,  # noqa: ARG002 - the dialect has none
    ) -> StreamTranslation:
        return StreamForAnthropic()

    def error(self, status: int, body: bytes) -> tuple[int, bytes]:
        return errors.error(ANTHROPIC, status, body)


class GeminiToOpenAI:
    """The caller speaks Gemini's generateContent, the upstream OpenAI chat."""

    caller = GEMINI.name
    upstream = OPENAI.name

    def __init__(self, bound: str = "max_completion_tokens") -> None:
        self._bound = bound

    def request(self, body: bytes, model: str) -> Translated:
        return gemini_requests.request(body, model, self._bound)

    def reply(self, body: bytes, created: int, custom_tools: frozenset[str] = NONE_CUSTOM) -> bytes:
        return gemini_replies.reply(body, created, custom_tools)

    def stream(
        self,
        usage_asked: bool,  # noqa: ARG002 - usage comes unasked
        created: int,  # noqa: ARG002 - responses carry no time
        custom_tools: frozenset[str] = NONE_CUSTOM,  # noqa: ARG002 - the dialect has none
    ) -> StreamTranslation:
        return StreamForGemini()

    def error(self, status: int, body: bytes) -> tuple[int, bytes]:
        return errors.error(GEMINI, status, body)


class FirstHalf(NamedTuple):
    """From a caller's dialect to OpenAI chat, on the way to another one, and back."""

    caller: Dialect
    request: Callable[[bytes, str], Translated]
    reply: Callable[..., bytes]
    stream: Callable[[int], StreamTranslation]


def _messages_on_the_way(body: bytes, model: str) -> Translated:
    return anthropic_to_openai.request(body, model, on_the_way=True)


def _stream_for_anthropic(_created: int) -> StreamTranslation:
    return StreamForAnthropic()


def _contents_on_the_way(body: bytes, model: str) -> Translated:
    return gemini_requests.request(body, model, on_the_way=True)


def _stream_for_gemini(_created: int) -> StreamTranslation:
    return StreamForGemini()


def _stream_for_responses(created: int) -> StreamTranslation:
    return StreamForResponses(created=created)


class ByWayOfChat:
    """Two translations, one behind the other, with OpenAI chat between them."""

    def __init__(self, first: FirstHalf, second: Translation) -> None:
        self._first, self._second = first, second
        self.caller = first.caller.name
        self.upstream = second.upstream

    def request(self, body: bytes, model: str) -> Translated:
        chat = self._first.request(body, model)
        there = self._second.request(chat.body, model)
        left_out = left_out_names((*chat.left_out, *there.left_out))
        return Translated(there.body, left_out, chat.custom_tools | there.custom_tools)

    def reply(self, body: bytes, created: int, custom_tools: frozenset[str] = NONE_CUSTOM) -> bytes:
        return self._first.reply(self._second.reply(body, created, custom_tools), created, custom_tools)

    def stream(
        self,
        usage_asked: bool,  # noqa: ARG002 - these callers get it unasked
        created: int,
        custom_tools: frozenset[str] = NONE_CUSTOM,
    ) -> StreamTranslation:
        return _Chained(self._second.stream(True, created, custom_tools), self._first.stream(created))  # noqa: FBT003

    def error(self, status: int, body: bytes) -> tuple[int, bytes]:
        return errors.error(self._first.caller, status, body)


class _Chained:
    """A stream through two translations."""

    def __init__(self, first: StreamTranslation, second: StreamTranslation) -> None:
        self._first, self._second = first, second

    def feed(self, chunk: bytes) -> bytes:
        return self._second.feed(self._first.feed(chunk))

    def end(self) -> bytes:
        last = self._first.end()
        return (self._second.feed(last) if last else b"") + self._second.end()


MESSAGES_FIRST = FirstHalf(ANTHROPIC, _messages_on_the_way, replies_for_anthropic.reply, _stream_for_anthropic)
RESPONSES_FIRST = FirstHalf(RESPONSES, responses_to_openai.request, replies_for_responses.reply, _stream_for_responses)
GEMINI_FIRST = FirstHalf(GEMINI, _contents_on_the_way, gemini_replies.reply, _stream_for_gemini)

BEDROCK_VERSION, VERTEX_VERSION = "bedrock-2023-05-31", "vertex-2023-10-16"


def _on_clouds(caller: Dialect, into: Translation | None = None) -> tuple[Translation, ...]:
    """Claude on Bedrock and on Vertex AI, for callers of one dialect."""
    return (
        ClaudeOn(caller, "bedrock-invoke", BEDROCK_VERSION, into, Unframed),
        ClaudeOn(caller, "vertex-claude", VERTEX_VERSION, into),
    )


RESPONSES_TO_ANTHROPIC = ByWayOfChat(RESPONSES_FIRST, OpenAIToAnthropic())
GEMINI_TO_ANTHROPIC = ByWayOfChat(GEMINI_FIRST, OpenAIToAnthropic())

_ALL: tuple[Translation, ...] = (
    OpenAIToAnthropic(),
    OpenAIToGemini(),
    AnthropicToOpenAI(),
    ByWayOfChat(MESSAGES_FIRST, OpenAIToGemini()),
    RESPONSES_TO_ANTHROPIC,
    ByWayOfChat(RESPONSES_FIRST, OpenAIToGemini()),
    GeminiToOpenAI(),
    GEMINI_TO_ANTHROPIC,
    *_on_clouds(ANTHROPIC),
    *_on_clouds(OPENAI, OpenAIToAnthropic()),
    *_on_clouds(RESPONSES, RESPONSES_TO_ANTHROPIC),
    *_on_clouds(GEMINI, GEMINI_TO_ANTHROPIC),
)


def bounded(translation: Translation, bound: str) -> Translation:
    """The same for an upstream that calls the bound on a reply so."""
    if isinstance(translation, AnthropicToOpenAI | GeminiToOpenAI):
        return type(translation)(bound)
    return translation


TRANSLATIONS = {(translation.caller, translation.upstream): translation for translation in _ALL}
