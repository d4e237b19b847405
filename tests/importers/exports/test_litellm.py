from decimal import Decimal

from modicum.importers.exports.litellm import recorded


def test_a_cost_in_the_usage_is_a_routers_own_or_litellms_estimate():
    row = {
        "request_id": "r",
        "startTime": "2026-02-03T10:00:00Z",
        "model": "m",
        "prompt_tokens": 10,
        "completion_tokens": 1,
        "metadata": {"usage_object": {"prompt_tokens": 10, "completion_tokens": 1, "cost": 0.0123}},
    }

    assert recorded(row | {"custom_llm_provider": "openrouter"}).call.charges.provider_cost_usd == Decimal("0.0123")
    assert recorded(row | {"custom_llm_provider": "openai"}).call.charges.provider_cost_usd is None
