"""Anthropic's own of the mock provider: https://docs.claude.com/en/docs/build-with-claude/prompt-caching"""

import time
from collections.abc import Callable, Iterable

from modicum.calls import Usage
from modicum.providers.mock.prompt_cache import LEAST_CACHED_TOKENS
from modicum.providers.mock_rules import Json, MockRules


class AnthropicMock(MockRules):
    """Caches where the request sets breakpoints, and bills what is written."""

    bound_missing = "max_tokens: Field required"

    def prompt(self, total_tokens: int, cached: Callable[[], int], body: bytes) -> Usage:
        """A breakpoint anywhere counts as one behind the last block: so agents set them."""
        if b'"cache_control"' not in body or total_tokens < LEAST_CACHED_TOKENS:
            return Usage(input_uncached=total_tokens)
        read = cached()
        written = total_tokens - read
        if b'"ttl":"1h"' in body.replace(b" ", b""):
            return Usage(cache_read=read, cache_write_1h=written)
        return Usage(cache_read=read, cache_write_5m=written)

    def models(self, names: Iterable[str], created: int) -> Json:
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(created))
        data = [{"type": "model", "id": name, "display_name": name, "created_at": at} for name in names]
        ends = {"first_id": data[0]["id"], "last_id": data[-1]["id"]} if data else {"first_id": None, "last_id": None}
        return {"data": data, "has_more": False, **ends}


MOCK = AnthropicMock()
