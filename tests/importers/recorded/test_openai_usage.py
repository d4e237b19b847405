import pytest

from importers.fixture_pairs import case_id, cases_of, check_calls


@pytest.mark.parametrize("case", cases_of("openai-usage"), ids=case_id)
def test_a_fixture_gives_the_calls_beside_it(case):
    check_calls(case)
