"""Calls that their provider does not charge, though it counted their tokens.

Anthropic charges nothing for a request that was refused before any output, since 2026-06-02; before, it charged the
input. Source: https://platform.claude.com/docs/en/test-and-evaluate/strengthen-guardrails/handle-streaming-refusals.
"""

from datetime import UTC, datetime

from modicum.calls import Call

WAIVED = "waived"
"""The source of a cost of 0 that a provider's rule gives."""
REFUSALS_FREE_SINCE = datetime(2026, 6, 2, tzinfo=UTC)


def is_waived(call: Call) -> bool:
    return (
        call.provider == "anthropic"
        and call.finish_reason == "refusal"
        and not call.usage.completion_tokens
        and call.started >= REFUSALS_FREE_SINCE
    )
