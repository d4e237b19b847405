from decimal import Decimal

import pytest

from importers.fixture_pairs import case_id, cases_of, check_calls, check_null_counts
from modicum.calls import Charges, Usage
from modicum.importers.exports.langsmith import recorded


@pytest.mark.parametrize("case", cases_of("langsmith"), ids=case_id)
def test_a_fixture_gives_the_calls_beside_it(case):
    check_calls(case)


@pytest.mark.parametrize("case", cases_of("langsmith"), ids=case_id)
def test_a_prompt_whose_count_is_null_is_never_an_exact_zero(case, tmp_path):
    check_null_counts(case, tmp_path)


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
