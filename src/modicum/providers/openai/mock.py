"""OpenAI's own of the mock provider: https://platform.openai.com/docs/guides/prompt-caching"""

from collections.abc import Callable

from modicum.calls import Usage
from modicum.providers.mock_rules import Json, MockRules

CACHE_STEP_TOKENS = 128


class OpenAIMock(MockRules):
    """Caches by itself, in steps."""

    def prompt(self, total_tokens: int, cached: Callable[[], int], body: bytes) -> Usage:  # noqa: ARG002 - as above
        read = cached()
        read -= read % CACHE_STEP_TOKENS
        return Usage(input_uncached=total_tokens - read, cache_read=read)

    def count(self, tokens: int) -> Json:
        return {"object": "response.input_tokens", "input_tokens": tokens}


MOCK = OpenAIMock()
