"""The translations that there are, by the dialects of caller and upstream."""

from modicum.providers.anthropic_messages.dialect import DIALECT as ANTHROPIC
from modicum.providers.openai_chat.dialect import DIALECT as OPENAI
from modicum.providers.translation import (
    anthropic_to_openai,
    errors,
    openai_to_anthropic,
    replies_for_anthropic,
    replies_for_openai,
)
from modicum.providers.translation.replies_for_anthropic import StreamForAnthropic
from modicum.providers.translation.replies_for_openai import StreamForOpenAI
from modicum.providers.translation.translation import StreamTranslation, Translated, Translation


class OpenAIToAnthropic:
    """The caller speaks OpenAI chat, the upstream Anthropic messages."""

    caller = OPENAI.name
    upstream = ANTHROPIC.name

    def request(self, body: bytes, model: str) -> Translated:
        return openai_to_anthropic.request(body, model)

    def reply(self, body: bytes, created: int) -> bytes:
        return replies_for_openai.reply(body, created)

    def stream(self, usage_asked: bool, created: int) -> StreamTranslation:
        return StreamForOpenAI(usage_asked=usage_asked, created=created)

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

    def reply(self, body: bytes, created: int) -> bytes:
        return replies_for_anthropic.reply(body, created)

    def stream(self, usage_asked: bool, created: int) -> StreamTranslation:  # noqa: ARG002 - told unasked, and timeless
        return StreamForAnthropic()

    def error(self, status: int, body: bytes) -> tuple[int, bytes]:
        return errors.error(ANTHROPIC, status, body)


TRANSLATIONS: dict[tuple[str, str], Translation] = {
    (translation.caller, translation.upstream): translation
    for translation in (OpenAIToAnthropic(), AnthropicToOpenAI())
}
