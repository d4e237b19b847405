from decimal import Decimal

import pytest

from importers.fixture_pairs import case_id, cases_of, check_calls, check_null_counts
from modicum.importers.exports.litellm import recorded


@pytest.mark.parametrize("case", cases_of("litellm"), ids=case_id)
def test_a_fixture_gives_the_calls_beside_it(case):
    check_calls(case)


@pytest.mark.parametrize("case", cases_of("litellm"), ids=case_id)
def test_a_prompt_whose_count_is_null_is_never_an_exact_zero(case, tmp_path):
    check_null_counts(case, tmp_path)


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
