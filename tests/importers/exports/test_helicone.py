from decimal import Decimal

import pytest

from importers.fixture_pairs import case_id, cases_of, check_calls, check_null_counts
from modicum.calls import Usage
from modicum.importers.exports.helicone import recorded


@pytest.mark.parametrize("case", cases_of("helicone"), ids=case_id)
def test_a_fixture_gives_the_calls_beside_it(case):
    check_calls(case)


@pytest.mark.parametrize("case", cases_of("helicone"), ids=case_id)
def test_a_prompt_whose_count_is_null_is_never_an_exact_zero(case, tmp_path):
    check_null_counts(case, tmp_path)


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
