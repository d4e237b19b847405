from decimal import Decimal

from modicum.calls import Usage
from modicum.importers.exports.helicone import recorded


def test_what_the_reply_says_of_sound_and_its_own_cost_is_read():
    usage = {
        "prompt_tokens": 100,
        "completion_tokens": 10,
        "prompt_tokens_details": {"audio_tokens": 60},
        "completion_tokens_details": {"audio_tokens": 4},
        "cost": 0.0123,
    }
    row = {"request_id": "r", "request_created_at": "2026-02-03T10:00:00Z", "costUSD": 0.5, "model": "openai/gpt-audio"}
    call = recorded(row | {"response_body": {"usage": usage}}).call

    assert call.usage == Usage(input_uncached=40, input_audio=60, output_visible=6, output_audio=4)
    assert call.charges.provider_cost_usd == Decimal("0.0123")
    assert call.reported_cost_usd == Decimal("0.5")
