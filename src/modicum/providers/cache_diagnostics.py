"""Why a prompt was not read from the cache, where a caller asked its provider for diagnostics.

Anthropic: `diagnostics.cache_miss_reason.type` of a message (https://platform.claude.com/docs/en/build-with-claude/cache-diagnostics);
null where nothing differs, or where the comparison still ran. OpenAI, Responses API since GPT-5.6: `reason` of
`prompt_cache_diagnostics` whose type is `cache_miss` (https://developers.openai.com/api/docs/guides/prompt-caching/diagnostics).
"""

from collections.abc import Mapping
from typing import Any

from modicum.providers.body_parsing import identifier
from modicum.providers.fields import mapping

NO_REASON = frozenset({"previous_message_not_found", "unavailable", "comparison_response_not_found"})
"""Words that say why there is no comparison: they name no cause."""


def cache_miss_from(reply: Mapping[str, Any]) -> str:
    """The provider's word for the first thing that differs; empty where it names none."""
    if reason := mapping(reply.get("diagnostics")).get("cache_miss_reason"):
        return _word(reason)
    diagnostics = mapping(reply.get("prompt_cache_diagnostics"))
    return _word(diagnostics.get("reason")) if diagnostics.get("type") == "cache_miss" else ""


def _word(reason: Any) -> str:
    found = identifier(mapping(reason).get("type") if isinstance(reason, Mapping) else reason)
    return "" if found in NO_REASON else found
