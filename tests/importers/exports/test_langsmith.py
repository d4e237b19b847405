from decimal import Decimal

from modicum.calls import Charges, Usage
from modicum.importers.exports.langsmith import recorded


def test_sound_and_the_providers_own_cost_are_read_from_the_reply():
    kwargs = {
        "response_metadata": {"token_usage": {"prompt_tokens": 100, "completion_tokens": 10, "cost": 0.0123}},
        "usage_metadata": {
            "input_tokens": 100,
            "output_tokens": 10,
            "input_token_details": {"audio": 60},
            "output_token_details": {"audio": 4},
        },
    }
    run = {
        "id": "r",
        "run_type": "llm",
        "start_time": "2026-02-03T10:00:00Z",
        "outputs": {"generations": [[{"message": {"kwargs": kwargs}}]]},
    }
    call = recorded(run).call

    assert call.usage == Usage(input_uncached=40, input_audio=60, output_visible=6, output_audio=4)
    assert call.charges == Charges(provider_cost_usd=Decimal("0.0123"))
