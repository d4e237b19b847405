"""Calls that their provider does not charge, though it counted their tokens.

Anthropic charges nothing for a request that was refused before any output, since 2026-06-02; before, it charged the
input. Source: https://platform.claude.com/docs/en/test-and-evaluate/strengthen-guardrails/handle-streaming-refusals.
"""

from datetime import UTC, datetime

from modicum.calls import Call

WAIVED = "waived"
"""The source of a cost of 0 that a provider's rule gives."""
REFUSALS_FREE_SINCE = datetime(2026, 6, 2, tzinfo=UTC)


_FREE_MODELS = ("omni-moderation", "text-moderation")
"""OpenAI's moderations are free: https://platform.openai.com/docs/guides/moderation (2026-11)."""


def is_free(call: Call) -> bool:
    """Whether its provider charges nothing for its model, so that its cost is known whoever counted."""
    return call.provider == "openai" and call.model.startswith(_FREE_MODELS)


def is_waived(call: Call) -> bool:
    return (
        call.provider == "anthropic"
        and call.finish_reason == "refusal"
        and not call.usage.completion_tokens
        and call.started >= REFUSALS_FREE_SINCE
    )
